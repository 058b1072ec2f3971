"""The stage of a load: where extractors put rows before they are compared with what is known.

The first load of a table goes straight into the change log (`direct`): there is nothing to compare with, and
no row needs a hash. Any later one goes into temporary tables that end with the transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date
from operator import itemgetter
from typing import Literal

from psycopg import Copy, sql

from huiliu.database import Connection
from ingestion import drift, row_hash
from ingestion.raw_table import RawTable, value

Format = Literal["binary", "text"]
_JSON = json.JSONEncoder(ensure_ascii=False)  # json.dumps would make one for each row
MOST_FETCHED = 100_000  # rows fetched one by one by their keys; more are cheaper read as a whole


@dataclass(frozen=True)
class Batch:
    """A load under way."""

    batch_id: int
    business_date: date


@dataclass
class Stage:
    """Where extracted rows go: into the change log if `direct`, else into temporary tables."""

    conn: Connection
    place: RawTable
    batch: Batch
    direct: bool
    known: Mapping[str, str]  # the types of the source's columns at the last landed load
    present: Mapping[str, str | None] = field(default_factory=dict)  # the same, now
    new_columns: tuple[str, ...] = ()
    notices: list[str] = field(default_factory=list)
    compared: bool = False  # by fingerprints: pg_temp.gone holds the keys the source no longer has

    @classmethod
    def open(
        cls,
        conn: Connection,
        place: RawTable,
        batch: Batch,
        known: Mapping[str, str],
        *,
        reshaped: bool = False,
    ) -> Stage:
        """Create the stage of a load, in the load's transaction; see also `prepare`. `reshaped`: the spec's
        columns are not those of the last load."""
        stage = cls(conn, place, batch, place.is_empty(conn), known)
        if not stage.direct:
            place.prepare_current(conn, reshaped=reshaped)
            texts = sql.SQL(", ").join(
                sql.SQL("{} text").format(sql.Identifier(name)) for name in place.table.column_names
            )
            conn.execute(
                sql.SQL(
                    "create temporary table stage ({}, _extra text, _row_key uuid, _row_hash uuid)"
                    " on commit drop"
                ).format(texts)
            )
        conn.execute("create temporary table stage_key (_row_key uuid, _row_hash uuid) on commit drop")
        return stage

    @staticmethod
    def prepare(conn: Connection, place: RawTable, batch: Batch) -> None:
        """Make ready for a load, before its transaction."""
        if place.is_empty(conn):
            # A default costs nothing, where the same value sent with every row costs a tenth of the load. It
            # is set apart: held for a whole load, the lock it takes would keep everybody from reading.
            place.stamp(conn, batch.batch_id, batch.business_date)

    @property
    def target(self) -> sql.Composable:
        return self.place.raw if self.direct else sql.Identifier("pg_temp", "stage")

    def columns_of(self, where: str, present: Mapping[str, str | None]) -> tuple[str, ...]:
        """Compare the source's columns (and the names of their types, if it has types) with the spec and with
        the last load; return those that the spec doesn't know, to be kept as `_extra`.

        Raises DataError, before anything is staged, for a missing, renamed or retyped column.
        """
        new = drift.check(where, self.place.table, present, self.known)
        self.present = {**self.present, **present}
        self.new_columns = tuple(dict.fromkeys([*self.new_columns, *new]))
        return new

    # What goes in ------------------------------------------------------------------------------------------

    @contextmanager
    def rows(self) -> Iterator[RowSink]:
        """Take rows of text one by one: keys and hashes are made here."""
        with self.blocks("text", extra=True) as copy:
            yield RowSink(self, copy)

    def blocks(self, form: Format, *, extra: bool = False) -> AbstractContextManager[Copy]:
        """Take COPY data made by the source or the caller. A line holds the spec's columns in order, `_extra`
        if so said, the row's key, and its hash unless `direct`.
        """
        more = ["_extra"] if extra else []
        names = [*self.place.table.column_names, *more, "_row_key"]
        names += [] if self.direct else ["_row_hash"]
        return self._copy(self.target, names, form)

    def keys(self, form: Format) -> AbstractContextManager[Copy]:
        """Take the key of every row the source has."""
        return self._copy(sql.Identifier("pg_temp", "stage_key"), ["_row_key"], form)

    def fingerprints(self, form: Format) -> AbstractContextManager[Copy]:
        """Take the key and hash of every row the source has."""
        return self._copy(sql.Identifier("pg_temp", "stage_key"), ["_row_key", "_row_hash"], form)

    def _copy(
        self, target: sql.Composable, names: Sequence[str], form: Format
    ) -> AbstractContextManager[Copy]:
        columns = sql.SQL(", ").join(map(sql.Identifier, names))
        return self.conn.cursor().copy(
            sql.SQL("copy {} ({}) from stdin (format {})").format(target, columns, sql.SQL(form))
        )

    # What is asked of it -----------------------------------------------------------------------------------

    def differing(self, *, keys_unique: bool = False) -> list[str] | None:
        """Return the keys (hexadecimal) whose fingerprint is new or changed; None if they are too many to be
        fetched one by one, or keys repeat: read the whole table then. Not for a `direct` stage.
        """
        if not keys_unique and self._repeated_fingerprints():
            return None
        # One pass over both sides tells what is new, changed and gone.
        self.conn.execute(
            sql.SQL(
                "create temporary table difference on commit drop as"
                " select coalesce(k._row_key, c._row_key) as _row_key, k._row_key is null as is_gone"
                " from pg_temp.stage_key k full join {} c on c._row_key = k._row_key"
                " where c._row_hash is distinct from k._row_hash"
            ).format(self.place.current)
        )
        keys = self._fetchable(sql.SQL("pg_temp.difference k where not is_gone"))
        self.compared = keys is not None
        return keys

    def unseen(self) -> list[str] | None:
        """Return the keys (hexadecimal) the source has that were neither staged nor landed before; None if
        they are too many. Not for a `direct` stage.
        """
        return self._fetchable(
            sql.SQL(
                "pg_temp.stage_key k"
                " where not exists (select from pg_temp.stage s where s._row_key = k._row_key)"
                " and not exists (select from {} c where c._row_key = k._row_key)"
            ).format(self.place.current)
        )

    def gone(self, *, by_keys: bool) -> None:
        """Put into pg_temp.gone the keys that landed before and that the source no longer has, judged by its
        keys or by the staged rows."""
        if self.compared:
            self.conn.execute(
                "create temporary table gone on commit drop as"
                " select _row_key from pg_temp.difference where is_gone"
            )
            return
        # A row that was staged is not gone, even if it came between the reading of keys and of rows.
        seen = ("stage_key", "stage") if by_keys else ("stage",)
        unseen = sql.SQL(" and ").join(
            sql.SQL("not exists (select from {} s where s._row_key = c._row_key)").format(
                sql.Identifier("pg_temp", name)
            )
            for name in seen
        )
        self.conn.execute(
            sql.SQL(
                "create temporary table gone on commit drop as select c._row_key from {} c where {}"
            ).format(self.place.current, unseen)
        )

    def _fetchable(self, keys: sql.SQL | sql.Composed) -> list[str] | None:
        """Return the keys of a relation, unless they are too many to be fetched one by one."""
        found = self.conn.execute(
            sql.SQL("select replace(k._row_key::text, '-', '') from {} limit {}").format(
                keys, sql.Literal(MOST_FETCHED + 1)
            )
        ).fetchall()
        return sorted({key for (key,) in found}) if len(found) <= MOST_FETCHED else None

    def _repeated_fingerprints(self) -> int:
        return value(
            self.conn,
            sql.SQL("select exists (select from pg_temp.stage_key group by _row_key having count(*) > 1)"),
        )

    def distinct_keys(self) -> int:
        """Count the keys among the staged rows."""
        return value(self.conn, sql.SQL("select count(distinct _row_key) from {}").format(self.target))

    def clear(self) -> None:
        """Forget the staged rows and keys."""
        self.compared = False
        self.conn.execute(sql.SQL("truncate {}, pg_temp.stage_key").format(self.target))


class RowSink:
    """Takes rows of text in the order of the spec's columns; `rows` counts them."""

    def __init__(self, stage: Stage, copy: Copy) -> None:
        self._write = copy.write_row
        self._hashed = not stage.direct
        names = stage.place.table.column_names
        places = [names.index(name) for name in stage.place.table.key]
        self._whole = not places
        self._key = itemgetter(*places) if len(places) > 1 else lambda row: (row[places[0]],)
        self.rows = 0

    def write(self, values: Sequence[str | None], extra: Mapping[str, object] | None = None) -> None:
        """Stage a row; `extra` holds what the source has beyond the spec (nulls don't count)."""
        more = as_extra(extra) if extra else None
        whole = row_hash.of_texts(values, more) if self._hashed else ""
        # Without a key a row is known by what the spec lists: a new column makes no other row of it.
        key = row_hash.of_texts(values if self._whole else self._key(values))
        tail = (key, whole) if self._hashed else (key,)
        self._write((*values, more, *tail))
        self.rows += 1


def as_extra(extra: Mapping[str, object]) -> str | None:
    """Return what the spec doesn't know as JSON, nulls left out; None if nothing is left."""
    held = {name: extra[name] for name in sorted(extra) if extra[name] is not None}
    return _JSON.encode(held) if held else None
