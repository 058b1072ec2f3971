"""PostgreSQL sources: COPY blocks passed through unopened; the source makes texts, keys and hashes.

A snapshot that has landed before is first compared by fingerprints (the key and hash of every row); then only
the rows that differ travel.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from psycopg import Copy, IsolationLevel, errors, sql
from psycopg import Error as DatabaseError

from huiliu.database import Connection, connect
from huiliu.errors import ConfigError, DataError, HuiliuError, TransientError
from ingestion import drift, row_hash
from ingestion.containers.databases import PostgresContainer
from ingestion.extract.copy_out import CopyOut
from ingestion.extract.postgres_catalogue import Relation, describe
from ingestion.manifests import Manifest, TableManifest
from ingestion.records import Extracted, Wanted
from ingestion.spec import SourceSpec, TableSpec
from ingestion.stage import Stage

# A text must not depend on the settings of the reader's role, or every hash would change with them.
_SETTINGS = (
    "set session client_encoding to 'UTF8'",
    "set session datestyle to 'ISO, YMD'",
    "set session intervalstyle to 'postgres'",
    "set session timezone to 'Asia/Shanghai'",
    "set session extra_float_digits to 1",
    "set session bytea_output to 'hex'",
    # Not for texts: a source that can (PostgreSQL 14) notices a killed reader within a statement.
    "select set_config('client_connection_check_interval', '2s', false)"
    " where current_setting('server_version_num')::int >= 140000",
)


def extract(
    spec: SourceSpec, container: PostgresContainer, table: TableSpec, wanted: Wanted, stage: Stage
) -> Extracted:
    """Copy what is wanted of a table from one snapshot."""
    with _connected(spec, container, table) as (source, relation):
        new = stage.columns_of(relation.where, relation.types)
        return _Reading(source, spec.name, table, relation, stage, new).read(wanted)


def probe(spec: SourceSpec, container: PostgresContainer, table: TableSpec) -> str:
    """Compare the table's columns with the spec, and see that it may be read."""
    with _connected(spec, container, table) as (source, relation):
        drift.check(relation.where, table, relation.types, {})
        with _source_faults(spec.name, relation.where):
            found = source.execute(sql.SQL("select from {} limit 1").format(relation.name)).fetchone()
        if found is None and not table.may_be_empty:
            raise DataError(f"{relation.where}: the table is empty", fix="ask the department for its data")
        return f"{len(relation.types)} columns, about {relation.estimate:,} rows"


@contextmanager
def _connected(
    spec: SourceSpec, container: PostgresContainer, table: TableSpec
) -> Iterator[tuple[Connection, Relation]]:
    where = f"{spec.name}.{table.name}"
    with connect(f"source:{spec.name}") as source:
        with _source_faults(spec.name, where):
            source.isolation_level = IsolationLevel.REPEATABLE_READ
            source.read_only = True
            for setting in _SETTINGS:
                source.execute(setting)
            longest = f"{container.timeout_seconds * 1000:.0f}"
            source.execute("select set_config('statement_timeout', %s, false)", [longest])
            relation = describe(source, container.db_schema, table, where)
        yield source, relation


@contextmanager
def _source_faults(source: str, where: str) -> Iterator[None]:
    """Explain the errors of a source; what the warehouse raises must stay outside."""
    try:
        yield
    except DatabaseError as error:
        raise _explained(where, source, error) from error


def _explained(where: str, source: str, error: DatabaseError) -> HuiliuError:
    # Only the primary message: the details quote values.
    text = error.diag.message_primary or "the connection was lost"
    if isinstance(error, errors.InsufficientPrivilege):
        return ConfigError(
            f"{where}: the source refuses reading: {text}",
            fix=f"have the department grant select to the role of connection source:{source}",
        )
    if isinstance(error, errors.OperationalError) or error.diag.sqlstate is None:
        return TransientError(
            f"{where}: the source failed while being read: {text}", fix="load the source again"
        )
    return DataError(f"{where}: the source could not be read: {text}", fix="correct the spec or the source")


class _Reading:
    """One table read from one snapshot."""

    def __init__(
        self,
        source: Connection,
        source_name: str,
        table: TableSpec,
        relation: Relation,
        stage: Stage,
        new: Sequence[str],
    ) -> None:
        self.source = source
        self.source_name = source_name
        self.table = table
        self.relation = relation
        self.stage = stage
        self.names = {column.name: sql.Identifier(column.at_source) for column in table.columns}
        texts = {name: sql.SQL("{}::text").format(column) for name, column in self.names.items()}
        self.texts = list(texts.values())
        self.extra = _extra(new)
        self.key = [texts[name] for name in table.key or table.column_names]

    def read(self, wanted: Wanted) -> Extracted:
        if wanted.days is not None:
            return self._extracted(self._copy_rows(self._in_days(wanted)), complete=False)
        if wanted.since is not None:
            return self._read_changes(wanted.since, keys=wanted.keys)
        if self.stage.direct:
            return self._extracted(self._copy_rows(), complete=True)
        rows = self._copy_fingerprints()
        if self._fetch(self.stage.differing(keys_unique=self.relation.keys_unique)):
            return self._extracted(rows, complete=True, keys_read=True)
        self.stage.clear()
        return self._extracted(self._copy_rows(), complete=True)

    def _read_changes(self, since: str, *, keys: bool) -> Extracted:
        column = self._column(self.table.cursor.column if self.table.cursor else None)
        rows = self._copy_rows(sql.SQL("{0} >= {1} or {0} is null").format(column, sql.Literal(since)))
        if not keys:
            return self._extracted(rows, complete=False)
        self._copy_keys()
        unseen = self.stage.unseen()
        if self._fetch(unseen):
            found = f"{len(unseen or ())} rows older than the watermark were found by their keys"
            return self._extracted(
                rows + len(unseen or ()), complete=False, keys_read=True, notices=[found] if unseen else []
            )
        self.stage.clear()
        found = "too many rows older than the watermark: the table was read whole"
        return self._extracted(self._copy_rows(), complete=True, notices=[found])

    def _extracted(
        self, rows: int, *, complete: bool, keys_read: bool = False, notices: Sequence[str] = ()
    ) -> Extracted:
        return Extracted(
            rows,
            complete,
            keys_read=keys_read,
            keys_unique=self.relation.keys_unique,
            notices=notices,
            manifest=self._manifest(),
        )

    def _column(self, name: str | None) -> sql.Identifier:
        if name is None:
            raise AssertionError("only a table with such a column is read by it")
        return self.names[name]

    def _in_days(self, wanted: Wanted) -> sql.Composed:
        if wanted.days is None:
            raise AssertionError("there are days")
        return sql.SQL("{0} >= {1} and {0} < {2}").format(
            self._column(self.table.days_column),
            sql.Literal(wanted.days.first.isoformat()),
            sql.Literal((wanted.days.last + timedelta(days=1)).isoformat()),
        )

    def _fetch(self, keys: list[str] | None) -> bool:
        """Copy the rows of these keys; False if there are too many for that."""
        if keys:
            self._copy_rows(
                sql.SQL("{} in (select unnest({}::text[]))").format(
                    row_hash.digest(self.key), sql.Literal(keys)
                )
            )
        return keys is not None

    def _copy_rows(self, condition: sql.Composable | None = None) -> int:
        columns = [*self.texts, *([self.extra] if self.extra else []), row_hash.as_bytes(self.key)]
        if not self.stage.direct:
            columns.append(row_hash.as_bytes(self.texts, self.extra))
        with self.stage.blocks("binary", extra=self.extra is not None) as sink:
            return self._copy(columns, sink, condition)

    def _copy_fingerprints(self) -> int:
        with self.stage.fingerprints("binary") as sink:
            return self._copy([row_hash.as_bytes(self.key), row_hash.as_bytes(self.texts, self.extra)], sink)

    def _copy_keys(self) -> int:
        with self.stage.keys("binary") as sink:
            return self._copy([row_hash.as_bytes(self.key)], sink)

    def _copy(
        self, columns: Sequence[sql.Composable], sink: Copy, condition: sql.Composable | None = None
    ) -> int:
        where = sql.SQL("") if condition is None else sql.SQL(" where {}").format(condition)
        out = CopyOut(
            self.source,
            sql.SQL("copy (select {} from {}{}) to stdout (format binary)").format(
                sql.SQL(", ").join(columns), self.relation.name, where
            ),
        )
        for block in self._blocks(out):
            sink.write(block)
        return out.rows

    def _blocks(self, out: CopyOut) -> Iterator[bytes]:
        # A generator, so that only the source's errors pass here, and never those of the sink.
        with _source_faults(self.source_name, self.relation.where):
            yield from out.blocks()

    def _manifest(self) -> Manifest | None:
        said = self.table.manifest
        if not isinstance(said, TableManifest):
            return None
        with _source_faults(self.source_name, self.relation.where):
            row = self.source.execute(
                sql.SQL("select {} from {} where {} = %s").format(
                    sql.Identifier(said.rows_column),
                    sql.Identifier(*said.relation.split(".")),
                    sql.Identifier(said.table_column),
                ),
                [self.table.relation],
            ).fetchone()
        if row is None or row[0] is None:
            raise DataError(
                f"{self.relation.where}: {said.relation} says nothing of {self.table.relation}",
                fix="ask the department to fill its manifest, or take manifest out of the spec",
            )
        return Manifest(said.relation, rows=int(row[0]), of_batch=False)


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
