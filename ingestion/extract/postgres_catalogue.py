"""What a PostgreSQL source's catalogue says of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import sql

from huiliu.database import Connection
from huiliu.errors import DataError
from ingestion.spec import TableSpec


@dataclass(frozen=True)
class Relation:
    """A table of a source: its columns with their types, and whether it guarantees the spec's key."""

    where: str
    name: sql.Identifier
    types: Mapping[str, str]
    keys_unique: bool
    estimate: int  # of its rows


def describe(source: Connection, schema: str, table: TableSpec, where: str) -> Relation:
    """Look a table up; DataError if there is none, naming those there are."""
    columns = source.execute(
        "select attname, format_type(atttypid, null), attnotnull, attrelid, reltuples::bigint"
        " from pg_attribute join pg_class c on c.oid = attrelid join pg_namespace n on n.oid = relnamespace"
        " where nspname = %s and relname = %s and attnum > 0 and not attisdropped order by attnum",
        [schema, table.relation],
    ).fetchall()
    if not columns:
        raise DataError(
            f"{where}: the source has no table {schema}.{table.relation}; it has"
            f" {', '.join(_others(source, schema)) or 'none'}",
            fix="correct at_source of the table in the spec, or ask the department for the table",
        )
    key = {column.at_source for column in table.columns if column.name in table.key}
    filled = {name for name, _, not_null, _, _ in columns if not_null}
    oid, estimate = columns[0][3], columns[0][4]
    return Relation(
        where,
        sql.Identifier(schema, table.relation),
        {name: kind for name, kind, _, _, _ in columns},
        keys_unique=key <= filled and key in _unique_columns(source, oid),
        estimate=max(int(estimate), 0),
    )


def _others(source: Connection, schema: str) -> list[str]:
    found = source.execute(
        "select relname from pg_class c join pg_namespace n on n.oid = relnamespace"
        " where nspname = %s and relkind in ('r', 'v', 'm', 'p') order by relname limit 20",
        [schema],
    ).fetchall()
    return [name for (name,) in found]


def _unique_columns(source: Connection, oid: int) -> list[set[str]]:
    """Return the sets of columns in which no two rows agree. The index of a table with children by
    inheritance says nothing of theirs."""
    found = source.execute(
        "select array_agg(attname::text) from pg_index i join pg_class c on c.oid = i.indrelid"
        " join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey[:i.indnkeyatts - 1])"
        " where i.indrelid = %s and indisunique and indisvalid and indimmediate and indpred is null"
        " and indexprs is null and (relkind = 'p' or not relhassubclass) group by i.indexrelid",
        [oid],
    ).fetchall()
    return [set(names) for (names,) in found]
