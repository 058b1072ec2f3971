"""The life of a source from day to day, loaded through everything that goes wrong, and compared each time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from clinic import DAY, Raw, source, table
from killing import Killer
from modes_under_test import UnderTest
from psycopg import sql
from random_days import Again, Cut, Day, Killed, Twice, Vanished
from source_model import ADDED, BASIC, Landed, Promise, Row, SnapshotPromise, SourceTable, landed
from sources import TABLE, Picture, Source

from huiliu import business_date
from huiliu.database import connect
from ingestion.errors import IngestError, RetryableIngestError
from ingestion.run import TableLoad, ingest_source

Write = Callable[..., Path]
NAME = f"clinic__{TABLE}"
NOTHING = (0, 0, 0)


def spec_of(source_: Source, under_test: UnderTest, columns: tuple[str, ...] = BASIC) -> dict[str, Any]:
    """Return the spec of a source in a mode."""
    visit = table(
        TABLE,
        " ".join(columns),
        key=list(under_test.key),
        mode=under_test.mode,
        max_delete_share=1.0,
        max_reject_share=1.0,
        **({"at_source": source_.at_source} if source_.at_source else {}),
    )
    for column in visit["columns"]:
        if column["name"] in source_.widths:
            column["width"] = source_.widths[column["name"]]
    return source(source_.container, visit)


@dataclass
class Story:
    """A source, the model of it, and what raw has promised to hold."""

    source: Source
    under_test: UnderTest
    write: Write
    raw: Raw
    killer: Killer
    columns: tuple[str, ...] = BASIC  # of the spec
    broken: dict[str, int] = field(default_factory=dict)  # records, by file
    loads: int = 0

    def __post_init__(self) -> None:
        self.table = SourceTable(self.source.held, self.under_test.kind, self.under_test.repeats)
        self.promise: Promise = self.under_test.promise(self._as_landed, self.source)
        self.specs = self._write_spec()

    def live(self, day: Day) -> None:
        """Let a day pass, and load the source through its trouble."""
        self.table.live(day if self.source.drifts else replace(day, source_grows=False))
        with connect("warehouse") as conn:
            business_date.set(conn, DAY + timedelta(days=self.table.day))
        self.broken[self._today] = day.broken if self.breaks else 0
        reshaped = day.spec_grows and ADDED in self.table.columns and ADDED not in self.columns
        if reshaped:
            self.columns = (*BASIC, ADDED)
            self._write_spec()
            self._take_old_files_away()
        self._put()
        self._suffer(day)
        load = self._load()
        broken = [
            self.source.rejected(number, self.table.columns, self.columns)
            for number in range(self.broken[self._today])
        ]
        self.promise.load(self.table, reshaped=reshaped, rejected=Counter(broken))
        self._compare(load)
        if isinstance(day.trouble, Again):
            self.load_in_vain()

    def load_in_vain(self) -> None:
        """Load again: nothing changed, so nothing lands."""
        load = self._load()
        assert (load.rows_inserted, load.rows_updated, load.rows_deleted) == NOTHING
        self._compare(load)

    @property
    def breaks(self) -> bool:
        """Whether there are broken records. Where rows repeat, it is open which wait for their mending."""
        return self.source.breaks and not self.under_test.repeats

    # The source --------------------------------------------------------------------------------------------

    @property
    def _today(self) -> str:
        return f"{self.table.day:03}" if self.source.by_days else "rows"

    def _pictures(self) -> list[Picture]:
        held = self.table.files if self.source.by_days else {"rows": self.table.rows}
        keyed = not self.under_test.repeats
        return [
            Picture(tuple(rows[0]), rows, self.table.kind, keyed, self.broken.get(name, 0), name)
            for name, rows in sorted(held.items())
        ]

    def _put(self, spoil: Callable[[Picture], Picture] = lambda picture: picture) -> None:
        for picture in self._pictures():
            whole = replace(picture, columns=[name for name in self.table.columns if name in picture.columns])
            self.source.put(spoil(whole) if picture.name == self._today else whole)

    def _take_old_files_away(self) -> None:
        """With other columns every file is read again, and one that lacks a column would be refused."""
        files = {name: rows for name, rows in self.table.files.items() if ADDED in rows[0]}
        self.table.files = files
        self.source.forget()

    def _write_spec(self) -> Path:
        return self.write(spec_of(self.source, self.under_test, self.columns))

    # What goes wrong ---------------------------------------------------------------------------------------

    def _suffer(self, day: Day) -> None:
        before, trouble = self._held(), day.trouble
        if isinstance(trouble, Killed):
            became = self.killer.load(self.specs.parent, trouble.after)
            assert became in ("killed", "done")
            self._nothing_half(before)
        elif isinstance(trouble, Cut) and self.source.line:
            with self.source.line.cut_after(trouble.after):
                self._try_load()
            self._nothing_half(before)
        elif isinstance(trouble, Twice):
            with ThreadPoolExecutor(2) as pool:
                loads = [pool.submit(self._try_load) for _ in range(2)]
            assert any(load.result() for load in loads)
        elif isinstance(trouble, Vanished) and self.source.drifts:
            self._vanish(trouble)
            assert self._held() == before

    def _try_load(self) -> bool:
        """Load; if that fails, then for a reason that passes."""
        try:
            ingest_source("clinic")
        except RetryableIngestError:
            return False
        return True

    def _vanish(self, trouble: Vanished) -> None:
        if self.source.by_days and self._today not in self.table.files:
            return
        self._put(lambda picture: picture.without("note", trouble.renamed))
        error, load = _failure_of_load()
        if load is None:
            assert not isinstance(error, RetryableIngestError)
            assert "column note is missing" in str(error)
        else:  # an API was asked for what changed, and showed no row
            assert load.rows_read == self.broken[self._today]
        self._put()

    def _nothing_half(self, before: Counter[Landed]) -> None:
        statuses = [run[1] for run in self.raw.runs()]
        if statuses and statuses[-1] != "landed":
            assert self._held() == before

    # What raw holds ----------------------------------------------------------------------------------------

    def _load(self) -> TableLoad:
        (load,) = ingest_source("clinic")
        self.loads += 1
        return load

    def _as_landed(self, row: Row) -> Landed:
        return landed(row, self.columns, empty_is_none=self.source.empty_is_none)

    def _held(self) -> Counter[Landed]:
        found = self.raw.conn.execute("select to_regclass(%s)", [f"raw.{NAME}"]).fetchone()
        if found == (None,):
            return Counter()
        width = len(self.columns)
        exists = self.raw.conn.execute(
            "select count(*) from pg_attribute where attrelid = %s::regclass and attname = %s",
            [f"raw.{NAME}", self.columns[-1]],
        ).fetchone()
        columns = self.columns if exists == (1,) else BASIC
        rows = self.raw.current(NAME, " ".join([*columns, "_extra"]))
        return Counter(
            (_padded(values, width), frozenset(json.loads(extra).items() if extra else ()))
            for *values, extra in rows
        )

    def _compare(self, load: TableLoad) -> None:
        width = len(self.columns)
        promised = Counter((_padded(texts, width), extra) for texts, extra in self.promise.rows())
        held = self._held()
        assert held == promised, f"too much: {held - promised}; too little: {promised - held}"
        assert self.promise.keeps_word(self.table)
        if self.raw.conn.execute(f"select exists (select from raw._current__{NAME})").fetchone() == (True,):  # noqa: S608 - a name of this file
            assert self.raw.state_agrees(NAME)
        self._check_ledger(held.total())
        if isinstance(self.promise, SnapshotPromise):
            broken = self.broken[self._today]
            assert load.rows_quarantined == broken
            assert load.rows_read == len(self.table.rows) + broken

    def _check_ledger(self, current: int) -> None:
        """The ledger says of each batch what the change log says of it."""
        counted = self.raw.conn.execute(
            sql.SQL(
                "select batch_id, rows_inserted, rows_updated, rows_deleted,"
                " count(*) filter (where _op = 'I'), count(*) filter (where _op = 'U'),"
                " count(*) filter (where _op = 'D') from ops.load_run left join {} on _batch_id = batch_id"
                " where source = 'clinic' and status = 'landed' group by batch_id"
            ).format(sql.Identifier("raw", NAME))
        ).fetchall()
        assert [row[1:4] for row in counted] == [row[4:7] for row in counted]
        assert sum(row[1] - row[3] for row in counted) == current
        probed = self.raw.conn.execute(
            "select row_count from ops.mount_probe where resource_id = %s and passed"
            " order by probed_at desc limit 1",
            [f"clinic.{TABLE}"],
        ).fetchone()
        assert probed == (current,)


def _failure_of_load() -> tuple[IngestError | None, TableLoad | None]:
    try:
        (load,) = ingest_source("clinic")
    except IngestError as error:
        return error, None
    return None, load


def _padded(texts: Sequence[str | None], width: int) -> tuple[str | None, ...]:
    """A row that landed before the spec had another column says nothing of it."""
    return (*texts, *[None] * (width - len(texts)))
