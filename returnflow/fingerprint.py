"""One definition of a row's key, hash and checksum, as SQL run alike in the warehouse and at the destination.

Portable on purpose, so that a file or another engine can be checked against it too (docs/return_flow.md):
the text of a row is, for each column of the contract in its order, `-` for null, else `<bytes>:<value>`,
bytes counted in UTF-8; dates are YYYY-MM-DD, booleans true or false. Its hash is the md5 of that text in hex.
The checksum of a table is the sum of the first 15 hex digits of its row hashes, whatever the order of rows.
"""

from __future__ import annotations

from collections.abc import Iterable

from psycopg import sql

from returnflow.spec import Column, Package


def row_key(package: Package) -> sql.Composable:
    """Return SQL for a row's key as text: the value itself if the key is one column."""
    if len(package.key) == 1:
        return _text(package.column(package.key[0]))
    return _joined(package.column(name) for name in package.key)


def row_hash(package: Package) -> sql.Composable:
    """Return SQL for the hash of a row over every column of the contract (32 hex digits)."""
    return sql.SQL("md5({})").format(_joined(package.columns))


def checksum(hash_: sql.Composable) -> sql.Composable:
    """Return SQL that aggregates row hashes to a checksum (decimal digits as text; "0" for no row)."""
    return sql.SQL("coalesce(sum(('x' || substr({}, 1, 15))::bit(60)::bigint), 0)::text").format(hash_)


def typed_columns(package: Package) -> sql.Composable:
    """Return the contract's columns cast to the contract's types, for a select list."""
    return sql.SQL(", ").join(
        sql.SQL("{0}::{1} as {0}").format(sql.Identifier(column.name), type_of(column))
        for column in package.columns
    )


def column_list(package: Package) -> sql.Composable:
    """Return the names of the contract's columns, for a select, insert or COPY list."""
    return sql.SQL(", ").join(sql.Identifier(column.name) for column in package.columns)


def type_of(column: Column) -> sql.SQL:
    """Return a column's type as SQL. Safe: the spec allows only a closed set of types."""
    return sql.SQL(column.type)


def _joined(columns: Iterable[Column]) -> sql.Composable:
    return sql.SQL("concat({})").format(sql.SQL(", ").join(_field(column) for column in columns))


def _field(column: Column) -> sql.Composable:
    name = sql.Identifier(column.name)
    if column.type == "boolean":
        return sql.SQL("case {} when true then '4:true' when false then '5:false' else '-' end").format(name)
    if column.type in ("date", "uuid"):
        size = sql.SQL("10:" if column.type == "date" else "36:")
        return sql.SQL("coalesce('{}' || {}, '-')").format(size, _text(column))
    return sql.SQL("coalesce(octet_length({0}) || ':' || {0}, '-')").format(_text(column))


def _text(column: Column) -> sql.Composable:
    name = sql.Identifier(column.name)
    if column.type == "date":
        return sql.SQL("to_char({}, 'YYYY-MM-DD')").format(name)
    return name if column.type == "text" else sql.SQL("{}::text").format(name)
