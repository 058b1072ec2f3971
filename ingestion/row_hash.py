"""A row's key and hash: md5 of its texts, the same whoever makes it (a source, Python, the warehouse).

Null is told from the empty text by a control character, columns are parted by another; neither occurs in
records. What a source has beyond its spec (`_extra`) is hashed too, but only where there is any: so a hash
does not change when an empty column appears.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from psycopg import sql

SEPARATOR, NULL = "\x1f", "\x02"

_SEPARATOR = sql.SQL(" || e'\\x1f' || ")


def digest(
    columns: Sequence[sql.Composable], extra: sql.Composable | None = None, *, in_utf8: bool = True
) -> sql.Composed:
    """Return the md5 of text expressions, as 32 hexadecimal digits. A server whose encoding is another
    (`in_utf8`) must convert them first: the hash is one of bytes.
    """
    parts = _SEPARATOR.join([sql.SQL("coalesce({}, e'\\x02')").format(column) for column in columns])
    if extra is not None:
        parts = sql.SQL("{} || coalesce(e'\\x1f' || {}, '')").format(parts, extra)
    if not in_utf8:
        parts = sql.SQL("convert_to({}, 'UTF8')").format(parts)
    return sql.SQL("md5({})").format(parts)


def as_uuid(columns: Sequence[sql.Composable], extra: sql.Composable | None = None) -> sql.Composed:
    """Return the digest as a uuid."""
    return sql.SQL("{}::uuid").format(digest(columns, extra))


def as_bytes(
    columns: Sequence[sql.Composable], extra: sql.Composable | None = None, *, in_utf8: bool = True
) -> sql.Composed:
    """Return the digest as 16 bytes: in binary COPY these are a uuid, at half the cost of the cast."""
    return sql.SQL("decode({}, 'hex')").format(digest(columns, extra, in_utf8=in_utf8))


def of_texts(values: Sequence[str | None], extra: str | None = None) -> str:
    """Return the digest of texts made in Python, as 32 hexadecimal digits."""
    text = SEPARATOR.join([NULL if value is None else value for value in values])
    if extra is not None:
        text += SEPARATOR + extra
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
