"""PostgreSQL sources: COPY blocks passed through unopened; the source makes texts, keys and hashes.

A snapshot that has landed before is first compared by fingerprints (the key and hash of every row); then only
the rows that differ travel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from psycopg import Copy, sql

from huiliu.database import Connection
from huiliu.errors import DataError
from ingestion import drift, row_hash
from ingestion.containers.databases import PostgresContainer
from ingestion.extract import database_cursor
from ingestion.extract.copy_out import CopyOut
from ingestion.extract.database_cursor import Kind, cursor_of
from ingestion.extract.database_reading import DatabaseReading
from ingestion.extract.postgres_catalogue import Relation, describe
from ingestion.extract.postgres_connection import connected, explained
from ingestion.extract.postgres_cursor import Comparison
from ingestion.manifests import TableManifest
from ingestion.records import Days, Extracted, Wanted
from ingestion.spec import SourceSpec, TableSpec
from ingestion.stage import Stage


def extract(
    spec: SourceSpec, container: PostgresContainer, table: TableSpec, wanted: Wanted, stage: Stage
) -> Extracted:
    """Copy what is wanted of a table from one snapshot."""
    where = f"{spec.name}.{table.name}"
    with connected(spec.name, where, container.timeout_seconds) as conn:
        with explained(where, spec.name):
            relation = describe(conn, container.db_schema, table, where)
        new = stage.columns_of(where, relation.types)
        database_cursor.check(where, table, relation.types)
        return _PostgresReading(conn, spec.name, table, relation, stage, new).read(wanted)


def probe(spec: SourceSpec, container: PostgresContainer, table: TableSpec) -> str:
    """Compare the table's columns with the spec, and see that they may be read."""
    where = f"{spec.name}.{table.name}"
    with connected(spec.name, where, container.timeout_seconds) as conn:
        with explained(where, spec.name):
            relation = describe(conn, container.db_schema, table, where)
        drift.check(where, table, relation.types, {})
        database_cursor.check(where, table, relation.types)
        columns = sql.SQL(", ").join(sql.Identifier(column.at_source) for column in table.columns)
        with explained(where, spec.name):
            found = conn.execute(
                sql.SQL("select {} from {} limit 1").format(columns, relation.name)
            ).fetchone()
    if found is None and not table.may_be_empty:
        raise DataError(f"{where}: the table is empty", fix="ask the department for its data")
    return f"{len(relation.types)} columns, about {relation.estimate:,} rows"


def newest(
    spec: SourceSpec, container: PostgresContainer, since: Mapping[str, str]
) -> dict[str, tuple[int, str, int]]:
    """Say of tables what their rows since a value come to: how many, the greatest value, a sum of hashes.

    ``since``: table name -> value of the mode's column. If an answer is as it was, nothing was written since,
    also not by a transaction that began earlier and was committed late.
    """
    marks: dict[str, tuple[int, str, int]] = {}
    with connected(spec.name, spec.name, container.timeout_seconds) as conn:
        for name, value in since.items():
            table, where = spec.table(name), f"{spec.name}.{name}"
            with explained(where, spec.name):
                relation = describe(conn, container.db_schema, table, where)
                database_cursor.check(where, table, relation.types)
                rows = conn.execute(_newest_query(table, relation, value)).fetchall()
            marks[name] = (int(rows[0][0]), str(rows[0][1]), int(rows[0][2]))
    return marks


def _newest_query(table: TableSpec, relation: Relation, since: str) -> sql.Composed:
    name, kind = cursor_of(table)
    at_source = next(column.at_source for column in table.columns if column.name == name)
    comparison = Comparison(sql.Identifier(at_source), relation.types[at_source], kind)
    return sql.SQL(
        "select count(*), max({0}), coalesce(sum(hashtext({0})::bigint), 0) from {1} where {2}"
    ).format(comparison.text, relation.name, comparison.since(since))


class _PostgresReading(DatabaseReading):
    """One table read from one snapshot."""

    def __init__(
        self,
        conn: Connection,
        source: str,
        table: TableSpec,
        relation: Relation,
        stage: Stage,
        new: Sequence[str],
    ) -> None:
        super().__init__(relation.where, table, stage)
        self.conn = conn
        self.source = source
        self.relation = relation
        self.keys_unique = relation.keys_unique
        self.in_utf8 = conn.info.parameter_status("server_encoding") == "UTF8"
        self.names = {column.name: sql.Identifier(column.at_source) for column in table.columns}
        texts = {name: sql.SQL("{}::text").format(column) for name, column in self.names.items()}
        self.texts = list(texts.values())
        self.extra = _extra(new)
        self.key = [texts[name] for name in table.key or table.column_names]

    def stage_rows(
        self, *, since: str | None = None, days: Days | None = None, keys: Sequence[str] | None = None
    ) -> int:
        """Stage rows, with keys (and hashes, where they are compared with what is known)."""
        columns = [*self.texts, *([self.extra] if self.extra else []), self._digest(self.key)]
        if not self.stage.direct:
            columns.append(self._digest(self.texts, self.extra))
        with self.stage.blocks("binary", extra=self.extra is not None) as sink:
            return self._copy(columns, sink, self._condition(since, days, keys))

    def stage_keys(self) -> int:
        """Stage the key of every row."""
        with self.stage.keys("binary") as sink:
            return self._copy([self._digest(self.key)], sink)

    def stage_fingerprints(self) -> int:
        """Stage the key and hash of every row."""
        with self.stage.fingerprints("binary") as sink:
            return self._copy([self._digest(self.key), self._digest(self.texts, self.extra)], sink)

    def greatest(self) -> str | None:
        """Ask for the greatest value of the mode's column."""
        query = self._comparison(*cursor_of(self.table)).greatest(
            self.relation.name, self.stage.batch.business_date
        )
        (found,) = self._ask(query)
        return None if found is None else str(found)

    def count_rows(self) -> int:
        """Count the rows of the table."""
        (rows,) = self._ask(sql.SQL("select count(*) from {}").format(self.relation.name))
        return int(str(rows))

    def control_values(self, said: TableManifest) -> list[object]:
        """Ask the control table."""
        query = sql.SQL("select {} from {} where {} = {} limit 2").format(
            sql.Identifier(said.rows_column),
            sql.Identifier(*said.relation.split(".")),
            sql.Identifier(said.table_column),
            sql.Literal(self.table.relation),
        )
        return self._ask(query)

    def _ask(self, query: sql.Composed) -> list[object]:
        with explained(self.where, self.source):
            return [value for (value,) in self.conn.execute(query).fetchall()]

    def _digest(self, columns: Sequence[sql.Composable], extra: sql.Composable | None = None) -> sql.Composed:
        return row_hash.as_bytes(columns, extra, in_utf8=self.in_utf8)

    def _comparison(self, name: str, kind: Kind) -> Comparison:
        at_source = next(column.at_source for column in self.table.columns if column.name == name)
        return Comparison(self.names[name], self.relation.types[at_source], kind)

    def _condition(
        self, since: str | None, days: Days | None, keys: Sequence[str] | None
    ) -> sql.Composed | None:
        if keys is not None:
            digest = row_hash.digest(self.key, in_utf8=self.in_utf8)
            return sql.SQL("{} in (select unnest({}::text[]))").format(digest, sql.Literal(list(keys)))
        if since is not None:
            return self._comparison(*cursor_of(self.table)).since(since)
        if days is not None:
            return self._comparison(str(self.table.days_column), "time").within(days)
        return None

    def _copy(
        self, columns: Sequence[sql.Composable], sink: Copy, condition: sql.Composable | None = None
    ) -> int:
        where = sql.SQL("") if condition is None else sql.SQL(" where {}").format(condition)
        out = CopyOut(
            self.conn,
            sql.SQL("copy (select {} from {}{}) to stdout (format binary)").format(
                sql.SQL(", ").join(columns), self.relation.name, where
            ),
        )
        for block in self._blocks(out):
            sink.write(block)
        return out.rows

    def _blocks(self, out: CopyOut) -> Iterator[bytes]:
        # A generator, so that only the source's errors pass here, and never those of the sink.
        with explained(self.where, self.source):
            yield from out.blocks()


def _extra(new: Sequence[str]) -> sql.Composed | None:
    """Return the JSON of the columns the spec doesn't know, nulls left out; null if nothing is left."""
    if not new:
        return None
    # A function takes 100 arguments at most.
    parts = [new[start : start + 50] for start in range(0, len(new), 50)]
    objects = [
        sql.SQL("jsonb_build_object({})").format(
            sql.SQL(", ").join(
                sql.SQL("{}::text, {}::text").format(sql.Literal(name), sql.Identifier(name)) for name in part
            )
        )
        for part in parts
    ]
    return sql.SQL("nullif(jsonb_strip_nulls({})::text, '{{}}')").format(sql.SQL(" || ").join(objects))
