"""Connections to PostgreSQL by name, with errors that say which connection failed and what to do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus

from huiliu.connections import dsn, dsn_variable, overridden, target
from huiliu.errors import ConfigError, HuiliuError, TransientError
from huiliu.secret_store import variable_name

Connection = psycopg.Connection[tuple[Any, ...]]

CONNECT_SECONDS = 10
# A peer that vanished without a word (a firewall, a pulled cable) ends the wait after about a minute.
_NOTICE_A_DEAD_PEER = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
# A server that answers, but not now. Anything else it answers at the door is a wrong setting.
_PASSING_REFUSALS = (
    "starting up",
    "shutting down",
    "not yet accepting",
    "in recovery",
    "too many",
    "remaining connection",
    "terminating connection",
)


class NamedConnection(Connection):
    """A connection that knows its name. A server lost while it is used ends its block as a TransientError."""

    name = ""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Commit or roll back, and close; tell the loss of the server from other errors."""
        try:
            super().__exit__(kind, error, trace)
        except psycopg.OperationalError as at_commit:
            if not _is_lost(at_commit):
                raise
            error = at_commit
        if isinstance(error, psycopg.OperationalError) and _is_lost(error):
            raise TransientError(
                f'Connection "{self.name}" was lost: {_one_line(error.diag.message_primary or error)}',
                fix="see that its server runs, then do it again: a step that was cut short can be repeated",
            ) from error


def _is_lost(error: psycopg.OperationalError) -> bool:
    """Whether the server went away: it said so in its last words, or could not any more."""
    return error.sqlstate is None or error.sqlstate.startswith(("08", "57P"))


def connect(name: str, *, autocommit: bool = False) -> Connection:
    """Open a named connection; as a context manager it commits (or rolls back) and closes.

    Raises TransientError if the server is unreachable or not ready, ConfigError if it refuses role,
    password or database.
    """
    return connect_to(dsn(name), name, autocommit=autocommit)


def connect_to(
    conninfo: str, name: str, *, autocommit: bool = False, database: str | None = None
) -> Connection:
    """Open a connection string under a name used in errors; ``database`` replaces the one it names."""
    options = {"application_name": "huiliu", "connect_timeout": CONNECT_SECONDS, **_NOTICE_A_DEAD_PEER}
    if database is not None:
        options["dbname"] = database
    try:
        conn = NamedConnection.connect(conninfo, autocommit=autocommit, **options)  # type: ignore[arg-type]  # libpq options of two types
    except psycopg.OperationalError as error:
        raise _explained(name, conninfo, database, str(error)) from None
    conn.name = name
    return conn


def _explained(name: str, conninfo: str, database: str | None, answer: str) -> HuiliuError:
    parts = conninfo_to_dict(conninfo)
    where = f"{parts.get('host')}:{parts.get('port') or 5432}/{database or parts.get('dbname')}"
    reason = _one_line(answer)
    refused = any(word in reason for word in ("FATAL", "致命"))
    if not refused or any(word in reason for word in _PASSING_REFUSALS):
        return TransientError(
            f'Connection "{name}" to {where} failed: {reason}',
            fix=f'start that server ("huiliu up" starts the embedded one), or correct {dsn_variable(name)}',
        )
    setting, look = dsn_variable(name), ""
    if overridden(name) is None and name != "admin":
        setting = f"{variable_name('SECRET', target(name).role)} or {setting}"
        # A home of another user, or another clone, may have the port by now.
        look = 'see in "huiliu status" that the server is yours, '
    return ConfigError(
        f'Connection "{name}" to {where} was refused: {reason}',
        fix=f'{look}correct {setting}, or run "huiliu prepare" to set role, password and rights again',
    )


def _one_line(answer: object) -> str:
    return " ".join(str(answer).split())


@contextmanager
def advisory_lock(conn: Connection, key: str, *, wait_seconds: int = 0) -> Iterator[None]:
    """Hold a lock among all sessions of the database; TransientError if another holds it and does not let go
    within `wait_seconds`.

    The lock outlives transactions and ends with the connection, so a killed holder never blocks the next. A
    connection that was idle is left idle, so that ``conn.transaction()`` inside is a real transaction, no
    savepoint.
    """
    idle = conn.info.transaction_status == TransactionStatus.IDLE
    held = _lock(conn, key, wait_seconds)
    if idle:
        conn.commit()
    if not held:
        raise TransientError(
            f'"{key}" is being worked on by another process', fix="wait for it to end, then try again"
        )
    try:
        yield
    finally:
        if not conn.closed:
            _release(conn, key)


def _lock(conn: Connection, key: str, wait_seconds: int) -> bool:
    deadline = time.monotonic() + wait_seconds
    while True:
        row = conn.execute("select pg_try_advisory_lock(hashtextextended(%s, 0))", [key]).fetchone()
        if (row is not None and row[0]) or time.monotonic() >= deadline:
            return row is not None and bool(row[0])
        time.sleep(0.2)


def _release(conn: Connection, key: str) -> None:
    if conn.info.transaction_status == TransactionStatus.INERROR:
        conn.rollback()
    idle = conn.info.transaction_status == TransactionStatus.IDLE
    conn.execute("select pg_advisory_unlock(hashtextextended(%s, 0))", [key])
    if idle:
        conn.commit()
