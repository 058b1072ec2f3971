"""The stage of a load: a temporary table that extractors fill and that ends with the transaction."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date

from psycopg import Copy, sql

from huiliu.database import Connection
from ingestion import row_hash
from ingestion.raw_table import RawTable, value


@dataclass(frozen=True)
class Batch:
    """A load under way."""

    batch_id: int
    business_date: date


@dataclass(frozen=True)
class Stage:
    """Where extracted rows are put before they are compared; it ends with the transaction.

    The first load of a database table goes straight into the change log (`direct`): nothing to compare with.
    """

    conn: Connection
    place: RawTable
    batch: Batch
    hashed: bool
    direct: bool

    @classmethod
    def open(cls, conn: Connection, place: RawTable, batch: Batch, *, hashed: bool) -> Stage:
        """Create the stage. `hashed`: the source makes key and hash (binary); else the stage does (text)."""
        stage = cls(conn, place, batch, hashed, direct=hashed and place.is_empty(conn))
        key = [sql.Identifier(name) for name in place.table.key or place.table.column_names]
        row = [sql.Identifier(name) for name in place.table.column_names]
        columns: list[sql.Composable] = [sql.SQL("{} text").format(column) for column in row]
        if hashed:
            columns.append(sql.SQL("_row_key uuid, _row_hash uuid"))
        else:
            computed = sql.SQL(
                "_row_key uuid generated always as ({}) stored, _row_hash uuid generated always as"
                " ({}) stored"
            )
            columns.append(computed.format(row_hash.as_uuid(key), row_hash.as_uuid(row)))
        conn.execute(
            sql.SQL("create temporary table stage ({}) on commit drop").format(sql.SQL(", ").join(columns))
        )
        conn.execute("create temporary table stage_key (_row_key uuid) on commit drop")
        return stage

    @property
    def target(self) -> sql.Composable:
        return self.place.raw if self.direct else sql.Identifier("pg_temp", "stage")

    @property
    def constants(self) -> list[sql.Composable]:
        """Values that the source's query adds to each row when rows go straight into the change log."""
        if not self.direct:
            return []
        batch = sql.SQL("{}::bigint").format(sql.Literal(self.batch.batch_id))
        return [
            sql.SQL("'I'::char(1)"),
            batch,
            sql.SQL("{}::date").format(sql.Literal(str(self.batch.business_date))),
        ]

    def blocks(self) -> AbstractContextManager[Copy]:
        """Take binary COPY blocks of the columns, key, hash and `constants`."""
        more = ", _op, _batch_id, _loaded_on" if self.direct else ""
        statement = sql.SQL("copy {} ({}, _row_key, _row_hash" + more + ") from stdin (format binary)")
        return self.conn.cursor().copy(statement.format(self.target, self.place.columns))

    def rows(self) -> AbstractContextManager[Copy]:
        """Take rows of text in the order of the spec's columns."""
        return self.conn.cursor().copy(
            sql.SQL("copy {} ({}) from stdin").format(self.target, self.place.columns)
        )

    def keys(self) -> AbstractContextManager[Copy]:
        """Take binary COPY blocks of every key the source has."""
        return self.conn.cursor().copy("copy pg_temp.stage_key from stdin (format binary)")

    def missed_keys(self) -> int:
        """Count keys the source has that were neither read now nor landed before."""
        self.place.prepare_current(self.conn)
        return int(
            value(
                self.conn,
                sql.SQL(
                    "select count(*) from pg_temp.stage_key k"
                    " where not exists (select from pg_temp.stage s where s._row_key = k._row_key)"
                    " and not exists (select from {} c where c._row_key = k._row_key)"
                ).format(self.place.current),
            )
        )

    def distinct_keys(self) -> int:
        return value(self.conn, sql.SQL("select count(distinct _row_key) from {}").format(self.target))

    def clear(self) -> None:
        """Forget the staged rows and keys."""
        self.conn.execute("truncate pg_temp.stage, pg_temp.stage_key")
