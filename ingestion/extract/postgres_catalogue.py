"""What a PostgreSQL source's catalogue says of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql

from huiliu.database import Connection
from huiliu.errors import ConfigError, DataError
from ingestion.extract.database_keys import have_own_texts
from ingestion.spec import TableSpec


@dataclass(frozen=True)
class Relation:
    """A table of a source: the columns that may be read with their types, and whether keys are unique."""

    where: str
    name: sql.Identifier
    types: Mapping[str, str]
    keys_unique: bool
    estimate: int  # of its rows


def describe(source: Connection, schema: str, table: TableSpec, where: str) -> Relation:
    """Look a table up. DataError if there is none, naming those there are; ConfigError if columns of the spec
    may not be read.
    """
    columns = source.execute(
        "select attname, format_type(atttypid, null), attnotnull,"
        " has_column_privilege(c.oid, attnum, 'select'), c.oid, reltuples::bigint"
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
    types = {name: kind for name, kind, _, granted, _, _ in columns if granted}
    _check_granted(table, where, types, withheld=[name for name, *_ in columns if name not in types])
    key = {column.at_source for column in table.columns if column.name in table.key}
    filled = {name for name, _, not_null, _, _, _ in columns if not_null}
    oid, estimate = columns[0][4:]
    return Relation(
        where,
        sql.Identifier(schema, table.relation),
        # No grant at all is the server's to refuse, in its own words.
        types or {name: kind for name, kind, *_ in columns},
        keys_unique=key <= filled
        and key in _unique_columns(source, oid)
        and have_own_texts(types[name] for name in key if name in types),
        estimate=max(int(estimate), 0),
    )


def _check_granted(
    table: TableSpec, where: str, types: Mapping[str, str], *, withheld: Sequence[str]
) -> None:
    refused = [column.at_source for column in table.columns if column.at_source in withheld]
    if types and refused:
        raise ConfigError(
            f"{where}: the source grants other columns, but not {', '.join(refused)}",
            fix="have the department grant select on these columns too, or take them out of the spec",
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
