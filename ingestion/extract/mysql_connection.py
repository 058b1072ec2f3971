"""Connections to MySQL and MariaDB: settings that texts depend on, results in large blocks, errors explained.

PyMySQL (MIT) connects; the results of large queries are then cut from its socket here. Measured for 1 M rows
of 12 columns, one text a row, in CPU seconds of the reader: 0.9 so, 2.7 by PyMySQL's cursor, 0.5 by
connectorx (which loses the reason of an error and cannot share a snapshot); mysqlclient and mysql-connector
are GPL.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager

import pymysql
from pymysql import err
from pymysql.constants import COMMAND, CR, ER
from pymysql.protocol import MysqlPacket
from sqlalchemy.dialects.mysql.pymysql import dialect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from huiliu import connections
from huiliu.errors import ConfigError, DataError, HuiliuError, TransientError

CONNECT_SECONDS = 10
_PATIENCE_SECONDS = 10  # what the network may take beyond the server's own limit
_READ_BYTES = 128 * 1024  # servers send some 20 kB at a time
_BLOCK_BYTES = 512 * 1024
_LONGEST_PACKET = 0xFFFFFF  # a longer row goes on in the next packet
# How many bytes of a packet stand before its text, by the first byte of it (a length of 1, 3, 4 or 9 bytes).
_BEGINS = [4 + 1] * 0xFB + [0, 4 + 3, 4 + 4, 0, 0]
_TIMEOUTS = {1969, 3024}  # MariaDB, MySQL
_REFUSED = {ER.DBACCESS_DENIED_ERROR, ER.ACCESS_DENIED_ERROR, ER.BAD_DB_ERROR, 1251, 1698, 2059}
_DENIED = {ER.TABLEACCESS_DENIED_ERROR, ER.COLUMNACCESS_DENIED_ERROR, ER.SPECIFIC_ACCESS_DENIED_ERROR, 1370}
_PASSING = {
    CR.CR_SERVER_GONE_ERROR,
    CR.CR_SERVER_LOST,
    CR.CR_CONN_HOST_ERROR,
    ER.CON_COUNT_ERROR,
    ER.TOO_MANY_USER_CONNECTIONS,
    ER.USER_LIMIT_REACHED,
    ER.SERVER_SHUTDOWN,
    ER.LOCK_WAIT_TIMEOUT,
    ER.LOCK_DEADLOCK,
    ER.QUERY_INTERRUPTED,
    1927,  # connection was killed
    *_TIMEOUTS,
}


class MysqlConnection(pymysql.Connection):  # type: ignore[misc]  # PyMySQL is untyped
    """A connection that also hands over the result of a large query in blocks."""

    def blocks(self, query: str, ending: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield the texts of a query of one column, each with an ending, joined, and their number.

        Raises PyMySQL's errors.
        """
        self._execute_command(COMMAND.COM_QUERY, query)
        for _ in ("number of columns", "the column", "end of columns"):
            self._read_packet()
        texts: list[bytes] = []
        rest, size, ended = b"", 0, False
        while not ended:
            block = rest + self._read_some()
            size += len(block)
            begin, ended = _cut(block, texts)
            rest = block[begin:]
            if texts and (ended or size >= _BLOCK_BYTES):
                yield len(texts), ending.join([*texts, b""])
                texts, size = [], 0

    def _read_some(self) -> bytes:
        try:
            data: bytes = self._rfile.read1(_READ_BYTES)
        except OSError as error:
            self._force_close()
            raise err.OperationalError(CR.CR_SERVER_LOST, f"lost while reading ({error})") from error
        if not data:
            self._force_close()
            raise err.OperationalError(CR.CR_SERVER_LOST, "lost while reading")
        return data


def _cut(block: bytes, texts: list[bytes]) -> tuple[int, bool]:
    """Add the texts of the whole packets in a block; return where the rest begins, and whether all ended."""
    take, length_at = texts.append, struct.Struct("<I").unpack_from
    begin, end = 0, len(block)
    while begin + 4 < end:
        size = length_at(block, begin)[0] & 0xFFFFFF
        following = begin + 4 + size
        if following > end:
            break
        before = _BEGINS[block[begin + 4]]
        if before and size < _LONGEST_PACKET:
            take(block[begin + before : following])
            begin = following
        elif block[begin + 4] == 0xFE and size < 9:
            return following, True
        else:
            text, begin = _unusual(block, begin)
            if text is None:
                break
            take(text)
    return begin, False


def _unusual(block: bytes, begin: int) -> tuple[bytes | None, int]:
    """Return a text of more than one packet (None if it is not all there) and what follows; raise errors."""
    parts: list[bytes] = []
    at, size = begin, _LONGEST_PACKET
    while size == _LONGEST_PACKET:
        if at + 4 > len(block):
            return None, begin
        size = struct.unpack_from("<I", block, at)[0] & 0xFFFFFF
        if at + 4 + size > len(block):
            return None, begin
        parts.append(block[at + 4 : at + 4 + size])
        at += 4 + size
    packet = MysqlPacket(b"".join(parts), "utf8mb4")
    if packet.is_error_packet():
        packet.raise_for_error()
    text: bytes | None = packet.read_length_coded_string()
    if text is None:
        # The server answers null where a text would be longer than it may send.
        raise err.DataError(ER.WARN_ALLOWED_PACKET_OVERFLOWED, "a row is longer than max_allowed_packet")
    return text, at


@contextmanager
def connected(source: str, where: str, timeout_seconds: float) -> Iterator[MysqlConnection]:
    """Open the connection of a source in one read-only snapshot; close it, whatever happens."""
    name = f"source:{source}"
    options = _options(name)
    with explained(where, source):
        conn = MysqlConnection(
            **options,
            charset="utf8mb4",
            connect_timeout=CONNECT_SECONDS,
            read_timeout=timeout_seconds + _PATIENCE_SECONDS,
            write_timeout=timeout_seconds,
        )
    try:
        with explained(where, source):
            _settle(conn, timeout_seconds)
        yield conn
    finally:
        # Not an orderly end: the server may still be sending rows that nobody wants.
        conn._force_close()


def _options(name: str) -> dict[str, object]:
    variable = connections.dsn_variable(name)
    example = f"{variable}=mysql://user:password@host:3306/database"
    text = connections.foreign_dsn(name, example)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.get_backend_name() not in ("mysql", "mariadb") or not (url.host and url.database):
        raise ConfigError(f"{variable} is not the address of a MySQL database", fix=f"write {example}")
    _, options = dialect().create_connect_args(url.set(drivername="mysql+pymysql"))
    return dict(options)


def _settle(conn: MysqlConnection, timeout_seconds: float) -> None:
    """Fix what texts depend on, bound each statement, and begin the snapshot."""
    is_mariadb = "mariadb" in conn.get_server_info().lower()
    limit, amount = ("max_statement_time", 1) if is_mariadb else ("max_execution_time", 1000)
    settings = (
        "sql_mode = ''",
        "time_zone = '+08:00'",
        "sql_select_limit = 18446744073709551615",
        "sql_big_selects = 1",
        "net_write_timeout = 3600",  # the warehouse may be busy for longer than a server's usual minute
        f"{limit} = {timeout_seconds * amount:.0f}",
    )
    with conn.cursor() as cursor:
        cursor.execute("set session " + ", session ".join(settings))
        cursor.execute("set session transaction isolation level repeatable read")
        cursor.execute("start transaction with consistent snapshot, read only")


@contextmanager
def explained(where: str, source: str) -> Iterator[None]:
    """Explain the errors of a source; what the warehouse raises must stay outside."""
    try:
        yield
    except (pymysql.Error, OSError) as error:
        raise _explanation(where, source, error) from error


def _explanation(where: str, source: str, error: Exception) -> HuiliuError:
    # Not the server's own words, except of a refusal: they quote values.
    code = error.args[0] if error.args and isinstance(error.args[0], int) else None
    words = str(error.args[1]) if len(error.args) > 1 else ""
    variable = connections.dsn_variable(f"source:{source}")
    if code in _TIMEOUTS or (code == CR.CR_SERVER_LOST and "timed out" in words):
        return TransientError(
            f"{where}: the source took longer than the timeout for one statement",
            fix="load the source again; if it is always so, raise timeout_seconds of the container",
        )
    if code in _PASSING or code is None or isinstance(error, OSError):
        return TransientError(
            f"{where}: the source is unreachable or was lost (error {code})",
            fix=f"see that the server of {variable} runs, then load the source again",
        )
    if code in _REFUSED:
        return ConfigError(f"{where}: the source refuses the connection: {words}", fix=f"correct {variable}")
    if code in _DENIED:
        return ConfigError(
            f"{where}: the source refuses reading: {words}",
            fix=f"have the department grant select to the user of {variable}",
        )
    return DataError(
        f"{where}: the source could not be read: error {code}{_NAMES.get(code, '')}",
        fix="correct the spec or the source",
    )


_NAMES = {
    ER.NO_SUCH_TABLE: ", there is no such table",
    ER.BAD_FIELD_ERROR: ", there is no such column",
    ER.WARN_ALLOWED_PACKET_OVERFLOWED: ", a row is longer than the server's max_allowed_packet",
    1356: ", the view names something that is gone",
}
