"""What the catalogue of a MySQL or MariaDB source says of a table, and its columns as texts.

Texts are bytes of UTF-8 made by the server: numbers and times as MySQL writes them (zero dates too), FLOAT
with all its digits, BINARY and BLOB as hexadecimal digits, BIT as a number, TIMESTAMP in UTC+8.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from huiliu.errors import DataError
from ingestion.extract.database_keys import have_own_texts
from ingestion.extract.mysql_connection import MysqlConnection
from ingestion.spec import TableSpec

_BYTES = ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector")
_SHAPES = ("geometry", "point", "linestring", "polygon", "geometrycollection", "geomcollection")
_IN_UTF8 = (None, "utf8mb4", "utf8mb3", "utf8", "ascii")
_INEXACT = ("float", "double")  # two numbers may have one text


@dataclass(frozen=True)
class Column:
    """A column of the source: its type, whether it may be null, and the encoding of its texts."""

    name: str
    type: str
    nullable: bool
    charset: str | None

    @property
    def text(self) -> str:
        """The expression of its value as UTF-8 bytes; null is null."""
        name = identifier(self.name)
        if self.type in _BYTES or self.type in _SHAPES or self.type.startswith("multi"):
            name = f"hex({name})"
        elif self.type == "bit":
            name = f"({name} + 0)"
        elif self.type == "float":
            name = f"({name} + 0e0)"  # as a double: of a float only six digits are written
        elif self.charset not in _IN_UTF8:
            name = f"convert({name} using utf8mb4)"
        return f"cast({name} as binary)"

    def or_else(self, marker: str) -> str:
        """The same, with a literal in place of null."""
        return f"ifnull({self.text}, {marker})" if self.nullable else self.text


@dataclass(frozen=True)
class Relation:
    """A table of a source: its columns by name, and whether it guarantees the spec's key."""

    where: str
    name: str
    columns: Mapping[str, Column]
    keys_unique: bool
    estimate: int  # of its rows

    @property
    def types(self) -> dict[str, str]:
        return {name: column.type for name, column in self.columns.items()}


def identifier(name: str) -> str:
    """Quote a name."""
    return "`" + name.replace("`", "``") + "`"


def describe(conn: MysqlConnection, table: TableSpec, where: str) -> Relation:
    """Look a table up; DataError if there is none, naming those there are."""
    found = _rows(
        conn,
        "select column_name, data_type, is_nullable, character_set_name from information_schema.columns"
        " where table_schema = database() and table_name = %s order by ordinal_position",
        table.relation,
    )
    if not found:
        raise DataError(
            f"{where}: the source has no table {table.relation}; it has {_others(conn) or 'none'}",
            fix="correct at_source of the table in the spec, or ask the department for the table",
        )
    columns = {
        name: Column(name, str(kind).lower(), nullable == "YES", charset)
        for name, kind, nullable, charset in found
    }
    (estimate,) = _rows(
        conn,
        "select table_rows from information_schema.tables"
        " where table_schema = database() and table_name = %s",
        table.relation,
    )[0]
    return Relation(
        where,
        identifier(table.relation),
        columns,
        keys_unique=_keys_unique(conn, table, columns),
        estimate=int(estimate or 0),
    )


def json_of(relation: Relation, new: Sequence[str]) -> str:
    """Return the JSON of the columns the spec doesn't know, nulls left out; null if nothing is left."""
    members = [
        f"concat({literal(json.dumps(name, ensure_ascii=False) + ': ')},"
        f" json_quote(convert({relation.columns[name].text} using utf8mb4)))"
        for name in sorted(new)
    ]
    listed = f"concat_ws(', ', {', '.join(members)})"
    return f"cast(concat('{{', nullif({listed}, ''), '}}') as binary)"


def literal(text: str) -> str:
    """Write a text into a statement: as hexadecimal digits, which no setting of the server can misread."""
    return f"_utf8mb4 x'{text.encode().hex()}'"


def _rows(conn: MysqlConnection, query: str, *values: object) -> Sequence[tuple[Any, ...]]:
    with conn.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())


def _others(conn: MysqlConnection) -> str:
    query = (
        "select table_name from information_schema.tables where table_schema = database()"
        " order by table_name limit 20"
    )
    return ", ".join(str(name) for (name,) in _rows(conn, query))


def _keys_unique(conn: MysqlConnection, table: TableSpec, columns: Mapping[str, Column]) -> bool:
    key = {
        column.at_source: columns.get(column.at_source)
        for column in table.columns
        if column.name in table.key
    }
    certain = {
        name
        for name, column in key.items()
        if column is not None and not column.nullable and column.type not in _INEXACT
    }
    parts = _rows(
        conn,
        "select index_name, column_name from information_schema.statistics where table_schema = database()"
        " and table_name = %s and non_unique = 0",
        table.relation,
    )
    return have_own_texts(column.type for column in key.values() if column) and any(
        index <= certain for index in unique_columns(parts)
    )


def unique_columns(parts: Iterable[tuple[Any, ...]]) -> list[set[str]]:
    """Return the sets of columns in which no two rows agree, of pairs (unique index, one of its columns).

    An expression has no column: rows that agree in all columns of its index may differ in it.
    """
    indexes: dict[str, set[str | None]] = {}
    for index, column in parts:
        indexes.setdefault(index, set()).add(column)
    return [{name for name in names if name} for names in indexes.values() if None not in names]
