"""A table of the raw layer: an append-only change log of a source table, and its last landed state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from psycopg import sql

from huiliu.database import Connection, connect
from ingestion import dictionary, row_hash
from ingestion.spec import SourceSpec, TableSpec, read_specs

READERS = ("huiliu_build", "huiliu_score")


@dataclass(frozen=True)
class RawTable:
    """Where a table of a source lives in the raw layer."""

    source: str
    table: TableSpec

    @property
    def name(self) -> str:
        return f"{self.source}__{self.table.name}"

    @property
    def raw(self) -> sql.Identifier:
        return sql.Identifier("raw", self.name)

    @property
    def current(self) -> sql.Identifier:
        return sql.Identifier("raw", f"_current__{self.name}")

    @property
    def columns(self) -> sql.Composed:
        return sql.SQL(", ").join(map(sql.Identifier, self.table.column_names))

    def ensure(self, conn: Connection, department: str) -> None:
        """Create the change log and the last state if missing, add new columns of the spec, grant reading.

        `department` is whose the data are, said in the comments.
        """
        one_column = sql.SQL("{} text").format
        conn.execute(
            sql.SQL(
                "create table if not exists {} ({}, _extra text, _row_key uuid not null,"
                " _op char(1) not null check (_op in ('I', 'U', 'D')), _batch_id bigint not null,"
                " _loaded_on date not null)"
            ).format(
                self.raw, sql.SQL(", ").join(one_column(sql.Identifier(c)) for c in self.table.column_names)
            )
        )
        for column in self._absent_columns(conn):
            conn.execute(
                sql.SQL("alter table {} add column {} text").format(self.raw, sql.Identifier(column))
            )
        conn.execute(
            sql.SQL("create table if not exists {} (_row_key uuid not null, _row_hash uuid not null)").format(
                self.current
            )
        )
        self._describe(conn, department)

    def _absent_columns(self, conn: Connection) -> list[str]:
        rows = conn.execute(
            "select attname from pg_attribute where attrelid = to_regclass(%s) and attnum > 0 and"
            " not attisdropped",
            [f"raw.{self.name}"],
        ).fetchall()
        present = {name for (name,) in rows}
        return [column for column in (*self.table.column_names, "_extra") if column not in present]

    def _describe(self, conn: Connection, department: str) -> None:
        """Comment on the table and its columns and grant reading, in one exchange with the server."""
        statements = [
            sql.SQL("grant select on {} to {}").format(
                self.raw, sql.SQL(", ").join(map(sql.Identifier, READERS))
            ),
            sql.SQL("comment on table {} is {}").format(self.raw, sql.Literal(self.table.title)),
        ]
        statements += [
            sql.SQL("comment on column {} is {}").format(
                sql.Identifier("raw", self.name, entry.column), sql.Literal(entry.comment)
            )
            for entry in dictionary.entries_of(self.source, department, self.table)
        ]
        conn.execute(sql.SQL("; ").join(statements))

    def _index(self, conn: Connection) -> None:
        """Create the indexes: after the first load, when building them at once is cheapest."""
        # A batch lies together in an append-only table, so a tiny index finds it.
        conn.execute(
            sql.SQL("create index if not exists {} on {} using brin (_batch_id)").format(
                sql.Identifier(f"{self.name}__batch"), self.raw
            )
        )
        conn.execute(
            sql.SQL("create index if not exists {} on {} (_row_key, _batch_id)").format(
                sql.Identifier(f"{self.name}__key"), self.raw
            )
        )
        conn.execute(
            sql.SQL("create unique index if not exists {} on {} (_row_key)").format(
                sql.Identifier(f"{self.name}__current"), self.current
            )
        )

    def prepare_current(self, conn: Connection, *, reshaped: bool = False) -> None:
        """Bring the last state into being from the change log after a first load, and its indexes; if
        `reshaped`, make it anew: a row's hash is made of the spec's columns.
        """
        if reshaped:
            conn.execute(sql.SQL("truncate {}").format(self.current))
        if not value(conn, sql.SQL("select exists (select from {})").format(self.current)):
            conn.execute(
                sql.SQL("insert into {} select _row_key, {} from {} latest where _op <> 'D'").format(
                    self.current, self.row_hash, self._latest(conn)
                )
            )
        self._index(conn)

    @property
    def row_hash(self) -> sql.Composed:
        """The hash of a landed row, made from its texts."""
        columns = [sql.Identifier(name) for name in self.table.column_names]
        return row_hash.as_uuid(columns, sql.Identifier("_extra"))

    def _latest(self, conn: Connection) -> sql.Composed:
        one_batch = sql.SQL("select min(_batch_id) is not distinct from max(_batch_id) from {}")
        if value(conn, one_batch.format(self.raw)):
            return sql.Composed([self.raw])  # no key stands twice
        return sql.SQL("(select distinct on (_row_key) * from {} order by _row_key, _batch_id desc)").format(
            self.raw
        )

    def stamp(self, conn: Connection, batch_id: int, day: date) -> None:
        """Let rows that don't say otherwise be inserted ones of this batch; only first loads don't.

        The table is empty: what a failed attempt left in it is cleared, so that rows lie in the order they
        come.
        """
        conn.execute(sql.SQL("truncate {}").format(self.raw))
        conn.execute(
            sql.SQL(
                "alter table {} alter _op set default 'I', alter _batch_id set default {},"
                " alter _loaded_on set default {}"
            ).format(self.raw, sql.Literal(batch_id), sql.Literal(day))
        )

    def is_empty(self, conn: Connection) -> bool:
        return not value(conn, sql.SQL("select exists (select from {})").format(self.raw))


def ensure_raw_tables(specs: Iterable[SourceSpec] | None = None) -> None:
    """Create every raw table of the (readable) specs, so that staging can be built before any load."""
    chosen = list(specs) if specs is not None else list(read_specs()[0].values())
    with connect("warehouse:ingest", autocommit=True) as conn:
        for spec in chosen:
            with conn.transaction():
                for table in spec.tables:
                    RawTable(spec.name, table).ensure(conn, spec.department)


def value(conn: Connection, query: sql.SQL | sql.Composed) -> int:
    """Return the one number (or truth value) of a query."""
    row = conn.execute(query).fetchone()
    if row is None:
        raise AssertionError("the query returns one row")
    return int(row[0])
