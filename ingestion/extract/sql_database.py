"""Any other database, through SQLAlchemy: rows are streamed, and their texts, keys and hashes made in Python.

A snapshot reads everything each time: what the database would hash differs from one to the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, exc

from huiliu.errors import DataError
from ingestion import drift, row_hash
from ingestion.containers.databases import SqlContainer
from ingestion.extract.database_reading import DatabaseReading
from ingestion.extract.sql_connection import connected, explained
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
        new = stage.columns_of(where, _names(conn, types))
        return _SqlReading(conn, spec.name, container, table, types, stage, new).read(wanted)


def probe(spec: SourceSpec, container: SqlContainer, table: TableSpec) -> str:
    """Compare the table's columns with the spec, and see that it may be read."""
    where = f"{spec.name}.{table.name}"
    with connected(spec.name, where, container.timeout_seconds) as conn:
        types = _described(conn, spec.name, container, table)
        drift.check(where, table, _names(conn, types), {})
        relation = sa.table(table.relation, schema=container.db_schema)
        with explained(where, spec.name):
            found = conn.execute(sa.select(sa.literal(1)).select_from(relation).limit(1)).first()
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
        self.types = types
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
        chosen = None if keys is None else frozenset(keys)
        known = len(self.columns)
        with self.stage.rows() as sink:
            for place, row in enumerate(self._rows(columns, self._condition(since, days)), start=1):
                if chosen is not None and self._key_of(row) not in chosen:
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

    def manifest_rows(self, said: TableManifest) -> int | None:
        """Ask the control table."""
        query: sa.Select[Any] = (
            sa.select(sa.column(said.rows_column))
            .select_from(self._relation(said.relation))
            .where(sa.column(said.table_column) == self.table.relation)
        )
        with explained(self.where, self.source):
            found = self.conn.execute(query).scalar()
        return None if found is None else int(found)

    def _condition(self, since: str | None, days: Days | None) -> ColumnElement[bool] | None:
        if since is not None:
            name = str(self.table.cursor.column if self.table.cursor else None)
            column = self.columns[name]
            return sa.or_(column >= self._since(name, since), column.is_(None))
        if days is not None:
            name = str(self.table.days_column)
            column, after = self.columns[name], days.last + timedelta(days=1)
            first, end = (self._time(name, day.isoformat()) for day in (days.first, after))
            return sa.and_(column >= first, column < end)
        return None

    def _since(self, name: str, since: str) -> object:
        if self.table.cursor is not None and self.table.cursor.kind == "number":
            number = Decimal(since)
            return int(number) if number == number.to_integral_value() else float(number)
        return self._time(name, since)

    def _time(self, name: str, text: str) -> object:
        """Return a time as the column's type compares it: SQLite, which has no such types, as text."""
        column = next(column for column in self.table.columns if column.name == name)
        kind = self.types[column.at_source]
        if self.conn.dialect.name != "sqlite":
            if isinstance(kind, sa.DateTime):
                return datetime.fromisoformat(text)
            if isinstance(kind, sa.Date):
                return date.fromisoformat(text[:10])
        # A blank sorts before the T of another way to write times.
        return text.replace("T", " ").removesuffix(" 00:00:00")

    def _rows(
        self, columns: Sequence[ColumnElement[Any]], condition: ColumnElement[bool] | None
    ) -> Iterator[sa.Row[Any]]:
        # A generator, so that only the source's errors pass here, and never those of the stage.
        query: sa.Select[Any] = sa.select(*columns).select_from(
            sa.table(self.table.relation, schema=self.schema)
        )
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
