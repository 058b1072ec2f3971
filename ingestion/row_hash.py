"""SQL expressions for a row's key and hash: the same text in the source's query and in the stage's columns.

Null is told from the empty text by a control character, columns are parted by another; neither occurs in
records.
Only immutable operators are used, so that a generated column may hold the expression.
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

_SEPARATOR = sql.SQL(" || e'\\x1f' || ")


def digest(columns: Sequence[sql.Composable]) -> sql.Composed:
    """Return the md5 of text expressions, as 32 hexadecimal digits."""
    parts = [sql.SQL("coalesce({}, e'\\x02')").format(column) for column in columns]
    return sql.SQL("md5({})").format(_SEPARATOR.join(parts))


def as_uuid(columns: Sequence[sql.Composable]) -> sql.Composed:
    """Return the digest as a uuid."""
    return sql.SQL("{}::uuid").format(digest(columns))


def as_bytes(columns: Sequence[sql.Composable]) -> sql.Composed:
    """Return the digest as 16 bytes: in binary COPY these are a uuid, at half the cost of the cast."""
    return sql.SQL("decode({}, 'hex')").format(digest(columns))
