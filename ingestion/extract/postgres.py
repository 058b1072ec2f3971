"""PostgreSQL sources: COPY blocks passed through unopened; the source makes texts, keys and hashes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import Copy, IsolationLevel, errors, sql
from psycopg import Error as DatabaseError

from huiliu.database import Connection, connect
from huiliu.errors import ConfigError, DataError, HuiliuError, TransientError
from ingestion import row_hash
from ingestion.records import Extracted, check_columns
from ingestion.spec import PostgresContainer, SourceSpec, TableSpec, Watermark
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
    spec: SourceSpec, container: PostgresContainer, table: TableSpec, since: str | None, stage: Stage
) -> Extracted:
    """Copy a table (or its rows since a watermark, and every key if wanted) from one snapshot."""
    where = f"{spec.name}.{table.name}"
    with connect(f"source:{spec.name}") as source:
        with _source_faults(spec.name, where):
            source.isolation_level = IsolationLevel.REPEATABLE_READ
            source.read_only = True
            for setting in _SETTINGS:
                source.execute(setting)
            notice = _check(source, container, table, where)
        return _Reading(source, spec, container, table, stage, notice).read(since)


@contextmanager
def _source_faults(source: str, where: str) -> Iterator[None]:
    """Explain the errors of a source; what the warehouse raises must stay outside."""
    try:
        yield
    except DatabaseError as error:
        raise _explained(where, source, error) from error


def _check(source: Connection, container: PostgresContainer, table: TableSpec, where: str) -> str | None:
    relation = f"{container.db_schema}.{table.relation}"
    rows = source.execute(
        "select attname from pg_attribute join pg_class c on c.oid = attrelid join pg_namespace n on"
        " n.oid = relnamespace"
        " where nspname = %s and relname = %s and attnum > 0 and not attisdropped order by attnum",
        [container.db_schema, table.relation],
    ).fetchall()
    if not rows:
        others = source.execute(
            "select relname from pg_class c join pg_namespace n on n.oid = relnamespace"
            " where nspname = %s and relkind in ('r', 'v', 'm', 'p') order by relname limit 20",
            [container.db_schema],
        ).fetchall()
        raise DataError(
            f"{where}: the source has no table {relation}; it has"
            f" {', '.join(name for (name,) in others) or 'none'}",
            fix="correct at_source of the table in the spec, or ask the department for the table",
        )
    return check_columns(where, table, [name for (name,) in rows])


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
        spec: SourceSpec,
        container: PostgresContainer,
        table: TableSpec,
        stage: Stage,
        notice: str | None,
    ) -> None:
        self.source = source
        self.source_name = spec.name
        self.where = f"{spec.name}.{table.name}"
        self.rows = 0
        self.table = table
        self.stage = stage
        self.notice = notice
        self.relation = sql.Identifier(container.db_schema, table.relation)
        names = {column.name: sql.Identifier(column.at_source) for column in table.columns}
        self.text = {name: sql.SQL("{}::text").format(column) for name, column in names.items()}
        self.names = names
        self.key = row_hash.as_bytes([self.text[name] for name in table.key or table.column_names])

    def read(self, since: str | None) -> Extracted:
        mode = self.table.mode
        if not isinstance(mode, Watermark) or since is None:
            return Extracted(self._copy_rows(sql.SQL("")), complete=True, notice=self.notice)
        changed = sql.SQL(" where {column} >= {since} or {column} is null").format(
            column=self.names[mode.column], since=sql.Literal(since)
        )
        rows = self._copy_rows(changed)
        if not mode.reconcile_keys:
            return Extracted(rows, complete=False, notice=self.notice)
        self._copy_keys()
        missed = self.stage.missed_keys()
        if not missed:
            return Extracted(rows, complete=False, keys_read=True, notice=self.notice)
        self.stage.clear()
        found = f"{missed} rows older than the watermark were found by their keys: the table was read whole"
        rows = self._copy_rows(sql.SQL(""))
        return Extracted(rows, complete=True, notice="; ".join(filter(None, [self.notice, found])))

    def _copy_rows(self, condition: sql.Composable) -> int:
        columns = [
            *self.text.values(),
            self.key,
            row_hash.as_bytes(list(self.text.values())),
            *self.stage.constants,
        ]
        query = sql.SQL("copy (select {} from {}{}) to stdout (format binary)").format(
            sql.SQL(", ").join(columns), self.relation, condition
        )
        with self.stage.blocks() as sink:
            return self._pass_through(query, sink)

    def _copy_keys(self) -> None:
        query = sql.SQL("copy (select {} from {}) to stdout (format binary)").format(self.key, self.relation)
        with self.stage.keys() as sink:
            self._pass_through(query, sink)

    def _pass_through(self, query: sql.Composed, sink: Copy) -> int:
        for block in self._blocks(query):
            sink.write(block)
        return self.rows

    def _blocks(self, query: sql.Composed) -> Iterator[bytes | bytearray | memoryview]:
        # A generator, so that only the source's errors pass here, and never those of the sink.
        with _source_faults(self.source_name, self.where), self.source.cursor() as cursor:
            with cursor.copy(query) as blocks:
                yield from blocks
            self.rows = cursor.rowcount
