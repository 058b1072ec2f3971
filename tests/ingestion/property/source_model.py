"""A source table and what each mode promises to hold of it, in plain Python: nothing of the product."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Literal

from random_days import Change, Correct, Day, Delete, Insert, Repeat, Update

Row = dict[str, str | None]
Landed = tuple[tuple[str | None, ...], frozenset[tuple[str, str]]]  # the spec's columns, and the rest
Kind = Literal["time", "number"]

BASIC = ("id", "name", "note", "moved")
ADDED = "added"
BEGINNING = datetime.fromisoformat("2026-01-15")
FIRST_ROWS = tuple(Insert(name, name, None, lag, False) for name, lag in zip("abcdef", range(6), strict=True))


@dataclass
class SourceTable:
    """The rows of a source, as texts. `held` says what its container can hold of a text."""

    held: Callable[[str | None], str | None]
    kind: Kind
    repeats: bool  # the table has no key, so that a row may stand in it twice
    columns: tuple[str, ...] = BASIC
    rows: list[Row] = field(default_factory=list)
    touched: list[Row] = field(default_factory=list)  # today, in order; older versions too
    files: dict[str, list[Row]] = field(default_factory=dict)  # one a day: what was touched
    day: int = -1
    ids: int = 0
    gone: list[str] = field(default_factory=list)

    def live(self, day: Day) -> None:
        """Let a day pass."""
        self.day += 1
        self.touched = []
        if day.source_grows and ADDED not in self.columns:
            self.columns = (*BASIC, ADDED)
            self.rows = [row | {ADDED: self.held(None)} for row in self.rows]
        for change in (*(FIRST_ROWS if self.day == 0 else ()), *day.changes):
            self._apply(change)
        if self.touched:
            self.files[f"{self.day:03}"] = [self._whole(row) for row in self.touched]

    def _apply(self, change: Change) -> None:
        if isinstance(change, Insert):
            self._insert(change)
        elif isinstance(change, Update):
            self._update(change)
        elif isinstance(change, Delete):
            if len(self.rows) > 1:  # an empty table is for the breakers, which have tests of their own
                self.gone.append(str(self.rows.pop(change.which % len(self.rows))["id"]))
        elif isinstance(change, Repeat):
            row = self.rows[change.which % len(self.rows)]
            self.touched.append(row)
            if self.repeats:
                self.rows.append(dict(row))
        elif isinstance(change, Correct) and self.files:
            name = sorted(self.files)[change.which % len(self.files)]
            first, *others = self.files[name]
            corrected = [first | {"note": self.held(change.note)}, *others]
            self.files[name] = [self._whole(row) for row in corrected]

    def _insert(self, change: Insert) -> None:
        if change.again and self.gone:
            number = self.gone.pop()
        else:
            self.ids += 1
            number = str(self.ids)
        row = {"id": number, "moved": self._moment(change.lag)}
        self._write(row, change)

    def _update(self, change: Update) -> None:
        row = dict(self.rows.pop(change.which % len(self.rows)))
        if change.lag is not None:
            row["moved"] = self._moment(change.lag)
        self._write(row, change)

    def _write(self, row: Row, change: Insert | Update) -> None:
        for name in ("name", "note", ADDED):
            if name in self.columns:
                row[name] = self.held(getattr(change, name))
        self.rows.append(row)
        self.touched.append(row)

    def _moment(self, lag: int | None) -> str | None:
        if lag is None:
            return self.held(None)
        hour = 24 * (self.day + 1) - 1 - lag
        if self.kind == "number":
            return str(1000 + hour if lag >= 0 else 1000)
        return (BEGINNING + timedelta(hours=hour)).isoformat(sep=" ")

    def _whole(self, row: Row) -> Row:
        return {name: row.get(name, self.held(None)) for name in self.columns}


def landed(row: Row, columns: Sequence[str], *, empty_is_none: bool) -> Landed:
    """Return a row as raw must hold it, by the columns of the spec."""
    extra = {(name, text) for name, text in row.items() if name not in columns and text is not None}
    if empty_is_none:
        extra = {(name, text) for name, text in extra if text}
    return tuple(row.get(name) for name in columns), frozenset(extra)


class Promise(ABC):
    """What raw must hold after each load, by the mode of the table."""

    def __init__(self, as_landed: Callable[[Row], Landed]) -> None:
        self.as_landed = as_landed
        self.rejected: Counter[str] = Counter()
        self.withheld: set[str] = set()

    def load(self, table: SourceTable, *, reshaped: bool, rejected: Counter[str]) -> None:
        """Take in a load; `reshaped`: with other columns in the spec than the last."""
        self.take(table, reshaped=reshaped, rejected=rejected)
        self.rejected = rejected

    @abstractmethod
    def take(self, table: SourceTable, *, reshaped: bool, rejected: Counter[str]) -> None:
        """Hold what the load makes known."""

    def deleted(self, gone: set[str], rejected: Counter[str]) -> set[str]:
        """Return which of the keys that are gone are deleted: not those that went as records broke."""
        if rejected - self.rejected:
            self.withheld |= gone
        self.withheld &= gone if rejected else set()
        return gone - self.withheld

    @abstractmethod
    def rows(self) -> Iterable[Landed]:
        """Return what raw must hold."""

    def keeps_word(self, table: SourceTable) -> bool:
        """Return whether the model itself keeps what the mode promises to those who read raw."""
        del table
        return True


class SnapshotPromise(Promise):
    """Exactly the source, every day."""

    def __init__(self, as_landed: Callable[[Row], Landed]) -> None:
        super().__init__(as_landed)
        self.held: dict[str, list[Landed]] = {}

    def take(self, table: SourceTable, *, reshaped: bool, rejected: Counter[str]) -> None:
        del reshaped
        seen: dict[str, list[Landed]] = {}
        for row in table.rows:
            seen.setdefault(str(row["id"]), []).append(self.as_landed(row))
        gone = self.held.keys() - seen.keys()
        kept = gone - self.deleted(gone, rejected)
        self.held = seen | {key: self.held[key] for key in kept}

    def rows(self) -> Iterable[Landed]:
        return chain.from_iterable(self.held.values())


class CursorPromise(Promise):
    """What came since the last value less the overlap; and every key where it is reconciled."""

    def __init__(
        self,
        as_landed: Callable[[Row], Landed],
        kind: Kind,
        overlap: int,
        *,
        reconcile_every: int | None = None,
        deletes: bool = True,
        reads_whole: bool = False,
    ) -> None:
        super().__init__(as_landed)
        self.kind = kind
        self.overlap = overlap  # hours or units
        self.reconcile_every = reconcile_every
        self.deletes = deletes
        self.reads_whole = reads_whole  # to reconcile, the container must be read whole
        self.held: dict[str, Landed] = {}
        self.mark: int | None = None
        self.reconciled_on: int | None = None
        self.complete = False

    def take(self, table: SourceTable, *, reshaped: bool, rejected: Counter[str]) -> None:
        first = not self.held
        if reshaped:
            self.mark = None  # all is read again, and the mark made anew of it
        everything = self.mark is None or not self.held
        due = not everything and self._is_due(table.day)
        self.complete = everything or due
        self.taken: list[Row] = []
        if everything or (due and self.reads_whole):
            self._take(table.rows)
        else:
            since = (self.mark or 0) - self.overlap
            self._take(row for row in table.rows if (at := self._order(row)) is None or at >= since)
            if due:
                self._take(row for row in table.rows if row["id"] not in self.held)
        if self.complete:
            self.reconciled_on = table.day
            if self.deletes and not first:
                gone = self.held.keys() - {str(row["id"]) for row in table.rows}
                for key in self.deleted(gone, rejected):
                    del self.held[key]
        self._move_on(table)

    def rows(self) -> Iterable[Landed]:
        return self.held.values()

    def keeps_word(self, table: SourceTable) -> bool:
        exact = self.complete and self.deletes
        return not exact or self.held.keys() == {row["id"] for row in table.rows} | self.withheld

    def _is_due(self, day: int) -> bool:
        if self.reconcile_every is None:
            return False
        return self.reconciled_on is None or day - self.reconciled_on >= self.reconcile_every

    def _take(self, rows: Iterable[Row]) -> None:
        taken = list(rows)
        self.held |= {str(row["id"]): self.as_landed(row) for row in taken}
        self.taken += taken

    def _move_on(self, table: SourceTable) -> None:
        tomorrow = 24 * (table.day + 1) if self.kind == "time" else None
        seen = [at for row in self.taken if (at := self._order(row)) is not None]
        valid = [at for at in seen if tomorrow is None or at < tomorrow]
        self.mark = max([*valid, *([] if self.mark is None else [self.mark])], default=None)

    def _order(self, row: Row) -> int | None:
        text = row["moved"]
        if text is None:
            return None
        if self.kind == "number":
            return int(text)
        return round((datetime.fromisoformat(text) - BEGINNING) / timedelta(hours=1))


class FilesPromise(Promise):
    """Each file once, and again if it changed; nothing is ever deleted."""

    def __init__(self, as_landed: Callable[[Row], Landed]) -> None:
        super().__init__(as_landed)
        self.held: dict[str, Landed] = {}
        self.read: dict[str, list[Row]] = {}

    def take(self, table: SourceTable, *, reshaped: bool, rejected: Counter[str]) -> None:
        del rejected  # nothing is deleted, so nothing is withheld
        if reshaped:
            self.read.clear()
        for name in sorted(table.files):
            if self.read.get(name) != table.files[name]:
                self.read[name] = table.files[name]
                self.held |= {str(row["id"]): self.as_landed(row) for row in table.files[name]}

    def rows(self) -> Iterable[Landed]:
        return self.held.values()
