"""Any other database, through SQLAlchemy: rows are streamed, and their texts, keys and hashes made in Python.

A snapshot reads everything each time: what the database would hash differs from one to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, exc

from huiliu.errors import DataError
from ingestion import drift, row_hash
from ingestion.containers.databases import SqlContainer
from ingestion.extract import database_cursor
from ingestion.extract.database_cursor import Kind, cursor_of
from ingestion.extract.database_reading import DatabaseReading
from ingestion.extract.sql_connection import connected, explained
from ingestion.extract.sql_cursor import Comparison
from ingestion.extract.sql_texts import NoTextError, text_of
from ingestion.manifests import TableManifest
from ingestion.records import Days, Extracted, Wanted
from ingestion.spec import SourceSpec, TableSpec
from ingestion.stage import Stage

_ROWS_AT_ONCE = 2_000

Types = dict[str, sa.types.TypeEngine[Any]]


def extract(
    spec: SourceSpec, container: SqlContainer, table: TableSpec, wanted: Wanted, stage: Stage
) -> Extracted:
    """Read what is wanted of a table over one connection."""
    where = f"{spec.name}.{table.name}"
    with connected(spec.name, where, container.timeout_seconds) as conn:
        types = _described(conn, spec.name, container, table)
        names = _names(conn, types)
        new = stage.columns_of(where, names)
        database_cursor.check(where, table, names)
        return _SqlReading(conn, spec.name, container, table, types, stage, new).read(wanted)


def probe(spec: SourceSpec, container: SqlContainer, table: TableSpec) -> str:
    """Compare the table's columns with the spec, and see that they may be read."""
    where = f"{spec.name}.{table.name}"
    with connected(spec.name, where, container.timeout_seconds) as conn:
        types = _described(conn, spec.name, container, table)
        names = _names(conn, types)
        drift.check(where, table, names, {})
        database_cursor.check(where, table, names)
        relation = sa.table(table.relation, schema=container.db_schema)
        columns: list[sa.ColumnClause[Any]] = [sa.column(column.at_source) for column in table.columns]
        with explained(where, spec.name):
            found = conn.execute(sa.select(*columns).select_from(relation).limit(1)).first()
    if found is None and not table.may_be_empty:
        raise DataError(f"{where}: the table is empty", fix="ask the department for its data")
    return f"{len(types)} columns, {'at least one row' if found else 'no rows'}"


def _described(conn: Connection, source: str, container: SqlContainer, table: TableSpec) -> Types:
    """Return the table's columns; DataError if there is none, naming those there are."""
    where = f"{source}.{table.name}"
    with explained(where, source):
        inspector = sa.inspect(conn)
        try:
            columns = inspector.get_columns(table.relation, schema=container.db_schema)
        except exc.NoSuchTableError:
            columns = []
        if columns:
            return {column["name"]: column["type"] for column in columns}
        others = inspector.get_table_names(container.db_schema) + inspector.get_view_names(
            container.db_schema
        )
    raise DataError(
        f"{where}: the source has no table {table.relation}; it has {', '.join(others[:20]) or 'none'}",
        fix="correct at_source of the table in the spec, or ask the department for the table",
    )


def _names(conn: Connection, types: Types) -> dict[str, str | None]:
    """Return the names of the columns' types, lengths left out; None where the database has no type."""
    names: dict[str, str | None] = {}
    for column, kind in types.items():
        untyped = isinstance(kind, sa.types.NullType)
        names[column] = None if untyped else kind.compile(conn.dialect).partition("(")[0].lower()
    return names


class _SqlReading(DatabaseReading):
    """One table read over one connection."""

    def __init__(
        self,
        conn: Connection,
        source: str,
        container: SqlContainer,
        table: TableSpec,
        types: Types,
        stage: Stage,
        new: Sequence[str],
    ) -> None:
        super().__init__(f"{source}.{table.name}", table, stage)
        self.conn = conn
        self.source = source
        self.schema = container.db_schema
        self.relation = sa.table(table.relation, schema=container.db_schema)
        self.types = types
        self.type_names = _names(conn, types)
        self.new = new
        # Untyped columns: values come as the driver has them, and no faulty date ends the whole result.
        self.columns: dict[str, sa.ColumnClause[Any]] = {
            column.name: sa.column(column.at_source) for column in table.columns
        }
        self.key = [list(self.columns).index(name) for name in table.key or self.columns]

    def stage_rows(
        self, *, since: str | None = None, days: Days | None = None, keys: Sequence[str] | None = None
    ) -> int:
        """Stage rows; those of certain keys are picked out of all."""
        columns = [*self.columns.values(), *(sa.column(name) for name in self.new)]
        is_picked = self._picks(since, keys)
        known = len(self.columns)
        with self.stage.rows() as sink:
            for place, row in enumerate(self._rows(columns, self._condition(since, days)), start=1):
                if is_picked is not None and not is_picked(row):
                    continue
                try:
                    texts = [text_of(value) for value in row]
                except NoTextError as error:
                    raw_text = " | ".join(_readable(value) for value in row)
                    self.reject(self._key_of(row), place, raw_text, str(error))
                else:
                    sink.write(texts[:known], dict(zip(self.new, texts[known:], strict=True)))
            return sink.rows

    def stage_keys(self) -> int:
        """Stage the key of every row."""
        rows = 0
        with self.stage.keys("text") as sink:
            columns = list(self.columns.values())
            for row in self._rows([columns[place] for place in self.key], None):
                key = _digest(row)
                if key is not None:
                    sink.write_row((key,))
                    rows += 1
        return rows

    def _key_of(self, row: sa.Row[Any]) -> str | None:
        return _digest([row[place] for place in self.key])

    def count_rows(self) -> int:
        """Count the rows of the table."""
        (rows,) = self._ask(sa.select(sa.func.count()).select_from(self.relation))
        return int(str(rows))

    def control_values(self, said: TableManifest) -> list[object]:
        """Ask the control table."""
        return self._ask(
            sa.select(sa.column(said.rows_column))
            .select_from(self._relation(said.relation))
            .where(sa.column(said.table_column) == self.table.relation)
            .limit(2)
        )

    def _ask(self, query: sa.Select[Any]) -> list[object]:
        with explained(self.where, self.source):
            return list(self.conn.execute(query).scalars())

    def _comparison(self, name: str, kind: Kind) -> Comparison:
        at_source = self.columns[name].name
        return Comparison(
            self.columns[name],
            kind,
            self.types[at_source],
            self.type_names[at_source],
            self.conn.dialect.name,
        )

    def _condition(self, since: str | None, days: Days | None) -> ColumnElement[bool] | None:
        if since is not None:
            return self._comparison(*cursor_of(self.table)).since(since)
        if days is not None:
            return self._comparison(str(self.table.days_column), "time").within(days)
        return None

    def _picks(self, since: str | None, keys: Sequence[str] | None) -> Callable[[sa.Row[Any]], bool] | None:
        """Return what tells the wanted rows among those that the database sends; None if all are."""
        if keys is not None:
            chosen = frozenset(keys)
            return lambda row: self._key_of(row) in chosen
        if since is None:
            return None
        column, kind = cursor_of(self.table)
        is_later = self._comparison(column, kind).picks(since)
        place = list(self.columns).index(column)
        return None if is_later is None else lambda row: is_later(row[place])

    def _rows(
        self, columns: Sequence[ColumnElement[Any]], condition: ColumnElement[bool] | None
    ) -> Iterator[sa.Row[Any]]:
        # A generator, so that only the source's errors pass here, and never those of the stage.
        query: sa.Select[Any] = sa.select(*columns).select_from(self.relation)
        if condition is not None:
            query = query.where(condition)
        with explained(self.where, self.source):
            streamed = self.conn.execution_options(yield_per=_ROWS_AT_ONCE)
            with streamed.execute(query) as result:
                yield from result

    def _relation(self, name: str) -> sa.TableClause:
        schema, _, table = name.rpartition(".")
        return sa.table(table, schema=schema or self.schema)


def _digest(values: Sequence[object]) -> str | None:
    """Return the digest of a key; None if one of its values has no text."""
    try:
        return row_hash.of_texts([text_of(value) for value in values])
    except NoTextError:
        return None


def _readable(value: object) -> str:
    return str(value).encode(errors="backslashreplace").decode()
