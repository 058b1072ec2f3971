"""COPY out of PostgreSQL in large blocks.

psycopg hands over one row at a time, which costs more than all else for short rows; its libpq layer, used
here, passes them on unopened.
"""

from __future__ import annotations

import select
from collections.abc import Iterator

from psycopg import errors, pq, sql

from huiliu.database import Connection

BLOCK_BYTES = 256 * 1024


class CopyOut:
    """The data of one `copy (…) to stdout`; `rows` is known when `blocks` has ended."""

    def __init__(self, conn: Connection, query: sql.Composed) -> None:
        self.conn = conn
        self.query = query
        self.rows = 0
        self._readable = select.poll()
        self._readable.register(conn.fileno(), select.POLLIN)

    def blocks(self) -> Iterator[bytes]:
        """Yield the data, joined into blocks. Raises psycopg's errors."""
        connection = self.conn.pgconn
        begun = connection.exec_(self.query.as_string(self.conn).encode())
        if begun.status != pq.ExecStatus.COPY_OUT:
            raise errors.error_from_result(begun)
        taken: list[bytes | memoryview] = []
        size = 0
        next_row = connection.get_copy_data  # asked for a million times
        while True:
            length, data = next_row(1)
            if length < 0:
                break
            if length == 0:
                self._wait()
                continue
            taken.append(data)
            size += length
            if size >= BLOCK_BYTES:
                yield b"".join(taken)
                taken, size = [], 0
        if taken:
            yield b"".join(taken)
        self.rows = self._end()

    def _wait(self) -> None:
        """Wait for more data. Where libpq itself waits, no other thread and no signal has its turn."""
        self._readable.poll()
        self.conn.pgconn.consume_input()

    def _end(self) -> int:
        result = self.conn.pgconn.get_result()
        while (following := self.conn.pgconn.get_result()) is not None:
            result = following
        if result is None or result.status != pq.ExecStatus.COMMAND_OK:
            raise errors.error_from_result(result) if result else errors.OperationalError("COPY had no end")
        return result.command_tuples or 0
