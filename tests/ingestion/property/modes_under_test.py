"""The modes under test, what each promises, and which container can have it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from source_model import CursorPromise, FilesPromise, Kind, Landed, Promise, Row, SnapshotPromise
from sources import Source

AsLanded = Callable[[Row], Landed]


@dataclass(frozen=True)
class UnderTest:
    """A mode of a table: how the spec says it, and what it promises."""

    mode: dict[str, Any]
    promise: Callable[[AsLanded, Source], Promise]
    key: tuple[str, ...] = ("id",)
    kind: Kind = "time"

    @property
    def repeats(self) -> bool:
        return self.key != ("id",)

    @property
    def by_days(self) -> bool:
        return self.mode == {"type": "append"}


def _snapshot(*key: str) -> UnderTest:
    return UnderTest({"type": "snapshot"}, lambda as_landed, _: SnapshotPromise(as_landed), key)


def _watermark(kind: Kind, overlap: int, reconcile_every: int | None) -> UnderTest:
    more = {} if reconcile_every is None else {"reconcile_every_days": reconcile_every}
    return UnderTest(
        {"type": "watermark", "column": "moved", "kind": kind, "overlap": overlap, **more},
        lambda as_landed, source: CursorPromise(
            as_landed,
            kind,
            overlap * 24 if kind == "time" else overlap,
            reconcile_every=reconcile_every,
            reads_whole=source.reads_whole_to_reconcile,
        ),
        kind=kind,
    )


def _append(kind: Kind, overlap: int) -> UnderTest:
    return UnderTest(
        {"type": "append", "column": "moved", "kind": kind, "overlap": overlap},
        lambda as_landed, _: CursorPromise(
            as_landed, kind, overlap * 24 if kind == "time" else overlap, deletes=False
        ),
        kind=kind,
    )


SNAPSHOTS = {
    "snapshot": _snapshot("id"),
    "snapshot without key": _snapshot(),
    "snapshot by a key that repeats": _snapshot("name"),
}
CURSORS = {
    "watermark": _watermark("time", 1, None),
    "watermark reconciled always": _watermark("time", 1, 0),
    "watermark reconciled every 3 days": _watermark("time", 0, 3),
    "watermark of numbers": _watermark("number", 5, 2),
    "append by number": _append("number", 0),
    "append by time": _append("time", 1),
}
NEW_FILES = {"append": UnderTest({"type": "append"}, lambda as_landed, _: FilesPromise(as_landed))}
MODES = SNAPSHOTS | CURSORS | NEW_FILES
