"""Connections to any database that SQLAlchemy has a driver for, with errors that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy
from sqlalchemy import URL, Connection, Engine, NullPool, exc
from sqlalchemy.engine import make_url

from huiliu import connections
from huiliu.errors import ConfigError, DataError, HuiliuError, TransientError

CONNECT_SECONDS = 10
_PATIENCE_SECONDS = 10
# Where a read can see one state of the data without holding up those who write.
_SNAPSHOTS = {
    "mysql": "REPEATABLE READ",
    "mariadb": "REPEATABLE READ",
    "postgresql": "REPEATABLE READ",
    "oracle": "SERIALIZABLE",
}
# How drivers say that they refuse a user, a password or a database: SQLSTATE, MySQL, SQL Server, Oracle.
_REFUSALS = ("28", 1044, 1045, 1049, 1698, 18456, 4060, "ORA-01017", "ORA-01045", "ORA-28000")
_PASSING = (exc.OperationalError, exc.InterfaceError, exc.InternalError, exc.TimeoutError)


@contextmanager
def connected(source: str, where: str, timeout_seconds: float) -> Iterator[Connection]:
    """Open the connection of a source, in one snapshot where the database has such a thing."""
    url = _url(f"source:{source}")
    engine = _engine(url, where, timeout_seconds)
    try:
        with explained(where, source):
            conn = engine.connect()
        with conn:
            with explained(where, source):
                _settle(conn, timeout_seconds)
            yield conn
    finally:
        engine.dispose()


def _url(name: str) -> URL:
    variable = connections.dsn_variable(name)
    example = f"{variable}=dialect+driver://user:password@host:port/database"
    text = connections.foreign_dsn(name, example)
    try:
        url = make_url(text)
    except (exc.ArgumentError, ValueError):
        # Not from the error: it quotes the text, which holds a password.
        raise ConfigError(f"{variable} is not a database's address", fix=f"write {example}") from None
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise ConfigError(  # SQLite would make an empty file of that name
            f"{variable} names a file that is not there: {url.database}", fix=f"correct {variable}"
        )
    return url


def _engine(url: URL, where: str, timeout_seconds: float) -> Engine:
    longest = round(timeout_seconds)
    arguments: dict[str, dict[str, object]] = {
        "pymysql": {
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": longest + _PATIENCE_SECONDS,
            "charset": "utf8mb4",
        },
        "pymssql": {"login_timeout": CONNECT_SECONDS, "timeout": longest},
        "pyodbc": {"timeout": CONNECT_SECONDS},
        "oracledb": {"tcp_connect_timeout": CONNECT_SECONDS},
        "pysqlite": {"timeout": CONNECT_SECONDS},
    }
    try:
        driver = url.get_driver_name()
        return sqlalchemy.create_engine(
            url, poolclass=NullPool, connect_args=arguments.get(driver, {}), hide_parameters=True
        )
    except exc.NoSuchModuleError as error:
        raise ConfigError(
            f"{where}: SQLAlchemy has no dialect {url.drivername}",
            fix="install the package of that dialect beside Huiliu, or correct the part before :// ",
        ) from error
    except ImportError as error:
        raise ConfigError(
            f"{where}: the driver of {url.drivername} is not installed: package {error.name or error}",
            fix=f"install {error.name or 'it'} beside Huiliu: .venv/bin/pip install {error.name or '…'}",
        ) from error


def _settle(conn: Connection, timeout_seconds: float) -> None:
    """Bound statements where the driver can, and begin the snapshot."""
    raw = conn.connection.dbapi_connection
    limits = {"pyodbc": ("timeout", 1), "oracledb": ("call_timeout", 1000)}
    if conn.dialect.driver in limits:
        name, amount = limits[conn.dialect.driver]
        setattr(raw, name, round(timeout_seconds * amount))
    if conn.dialect.name == "sqlite":
        # A record that is no UTF-8 is refused alone; sqlite3 would end the whole result.
        raw.text_factory = lambda data: data.decode(errors="surrogateescape")  # type: ignore[union-attr]  # sqlite3's own
        conn.exec_driver_sql("begin")
    if conn.dialect.name in _SNAPSHOTS:
        conn.execution_options(isolation_level=_SNAPSHOTS[conn.dialect.name])


@contextmanager
def explained(where: str, source: str) -> Iterator[None]:
    """Explain the errors of a source; what the warehouse raises must stay outside."""
    try:
        yield
    except (exc.SQLAlchemyError, OSError) as error:
        raise _explanation(where, source, error) from error


def _explanation(where: str, source: str, error: Exception) -> HuiliuError:
    # Not the driver's own words: they may quote values.
    variable = connections.dsn_variable(f"source:{source}")
    original = error.orig if isinstance(error, exc.DBAPIError) else error
    code = _code(original)
    named = f"{type(original).__name__}{f' {code}' if code else ''}"
    if _is_refusal(code):
        return ConfigError(
            f"{where}: the source refuses user or database ({named})", fix=f"correct {variable}"
        )
    lost = isinstance(error, exc.DBAPIError) and error.connection_invalidated
    if lost or isinstance(error, (*_PASSING, OSError)):
        return TransientError(
            f"{where}: the source is unreachable, was lost or took too long ({named})",
            fix=f"see that the server of {variable} runs, then load the source again",
        )
    return DataError(
        f"{where}: the source could not be read ({named})", fix="correct the spec, or ask the department"
    )


def _code(original: BaseException | None) -> object:
    """Return what the driver calls the error: an SQLSTATE, a number, or a name such as ORA-01017."""
    if original is None:
        return None
    first = original.args[0] if original.args else None
    for code in (
        getattr(original, "sqlstate", None),
        getattr(original, "sqlite_errorname", None),
        getattr(first, "full_code", None),
    ):
        if code:
            return code
    short = isinstance(first, str) and len(first) <= len("HY000") and first.isalnum()
    return first if isinstance(first, int) or short else None


def _is_refusal(code: object) -> bool:
    return code in _REFUSALS or (
        isinstance(code, str) and len(code) == len("28000") and code.startswith("28")
    )
