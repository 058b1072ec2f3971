"""Connections to PostgreSQL sources: settings that texts depend on, one snapshot, errors explained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import Error as DatabaseError
from psycopg import IsolationLevel, errors

from huiliu.database import Connection, connect
from huiliu.errors import ConfigError, DataError, HuiliuError, TransientError
from ingestion.errors import safe_text

# A text must not depend on the settings of the reader's role, or every hash would change with them.
_SETTINGS = (
    "set session client_encoding to 'UTF8'",
    "set session datestyle to 'ISO, YMD'",
    "set session intervalstyle to 'postgres'",
    "set session timezone to 'Asia/Shanghai'",
    "set session extra_float_digits to 1",
    "set session bytea_output to 'hex'",
    # Not for texts: a source that can (PostgreSQL 14) notices a killed reader within a statement.
    "select set_config('client_connection_check_interval', '2s', false)"
    " where current_setting('server_version_num')::int >= 140000",
)


@contextmanager
def connected(source: str, where: str, timeout_seconds: float) -> Iterator[Connection]:
    """Open the connection of a source in one read-only snapshot."""
    with connect(f"source:{source}") as conn:
        with explained(where, source):
            conn.isolation_level = IsolationLevel.REPEATABLE_READ
            conn.read_only = True
            for setting in _SETTINGS:
                conn.execute(setting)
            longest = f"{timeout_seconds * 1000:.0f}"
            conn.execute("select set_config('statement_timeout', %s, false)", [longest])
        yield conn


@contextmanager
def explained(where: str, source: str) -> Iterator[None]:
    """Explain the errors of a source; what the warehouse raises must stay outside."""
    try:
        yield
    except DatabaseError as error:
        raise _explanation(where, source, error) from error


def _explanation(where: str, source: str, error: DatabaseError) -> HuiliuError:
    text = safe_text(error) if error.sqlstate else "the connection was lost"
    if isinstance(error, errors.InsufficientPrivilege):
        return ConfigError(
            f"{where}: the source refuses reading: {text}",
            fix=f"have the department grant select to the role of connection source:{source}",
        )
    if isinstance(error, errors.OperationalError) or error.sqlstate is None:
        return TransientError(
            f"{where}: the source failed while being read: {text}", fix="load the source again"
        )
    return DataError(f"{where}: the source could not be read: {text}", fix="correct the spec or the source")
