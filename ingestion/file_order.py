"""Which files of a table that appends are read, and in which order: of a key, what is read last wins.

So a file that is read again must not undo what later ones corrected: these are read again behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from huiliu.errors import DataError
from ingestion import file_choice
from ingestion.file_servers import FoundFile, means
from ingestion.read_files import Reading
from ingestion.records import Days, ReadFile

_SHOWN = 10  # names in a notice or an error


@dataclass(frozen=True)
class Order:
    """The files to be read, one after another; what is to be said of it; and those that were only touched."""

    files: Sequence[FoundFile]
    notices: Sequence[str]
    touched: Sequence[ReadFile]


@dataclass(frozen=True)
class Inbox:
    """The files found at the path of a table, beside what the ledger knows of them."""

    where: str
    pattern: str
    found: Sequence[FoundFile]
    past: Mapping[str, Reading]
    checksum: Callable[[FoundFile], str]

    def order(self, days: Days | None, *, anew: bool) -> Order:
        """Choose the files that are new, changed, or not yet read with the columns asked for; or those of
        some `days`. `anew`: nothing has landed, so that no reading counts. A file of no byte is not there
        yet.

        Raises DataError if a file of those days can't be read without undoing what a later one, which is no
        longer there, corrected.
        """
        there = [one for one in self.found if one.size]
        same = {one.path for one in there if self._is_same(one)}
        if days:
            wanted = {one.path for one in file_choice.of_days(self.found, days, self.where)}
        else:
            current = {path for path in same if self.past[path].is_current and not anew}
            wanted = {one.path for one in there} - current
        later = self._read_later(wanted & same)
        gone = later - {one.path for one in there}
        if gone and days:
            raise self._gone(gone)
        chosen = [one for one in there if one.path in wanted | later]
        return Order(
            sorted(chosen, key=lambda one: self._place(one.path in same, one)),
            [*self._notices(chosen, same), *([_undone(gone)] if gone else [])],
            self._touched([one for one in there if one.path in same and one not in chosen]),
        )

    def _is_same(self, one: FoundFile) -> bool:
        before = self.past[one.path].file if one.path in self.past else None
        if before is None or before.size != one.size:
            return False
        return before.modified_at == one.modified or before.checksum == self.checksum(one)

    def _read_later(self, again: Collection[str]) -> set[str]:
        """Return the paths of the files read after the first of those that are to be read again."""
        if not again:
            return set()
        first = min(self.past[path].place for path in again)
        pattern = PurePosixPath(self.pattern)
        return {
            path
            for path, one in self.past.items()
            if one.place > first and means(pattern, PurePosixPath(path))
        }

    def _place(self, same: bool, one: FoundFile) -> tuple[bool, int, str]:
        return (False, *self.past[one.path].place) if same else (True, 0, one.path)

    def _touched(self, unread: Sequence[FoundFile]) -> list[ReadFile]:
        before = [(one, self.past[one.path].file) for one in unread]
        return [
            replace(file, modified_at=one.modified)
            for one, file in before
            if file.modified_at != one.modified
        ]

    def _notices(self, chosen: Sequence[FoundFile], same: Collection[str]) -> list[str]:
        changed = [one.name for one in chosen if one.path in self.past and one.path not in same]
        notices = [f"{name} changed after it was read: it was read again as a correction" for name in changed]
        empty = [one.path for one in self.found if not one.size]
        return [*notices, *([f"left out while empty: {_names(empty)}"] if empty else [])]

    def _gone(self, paths: Collection[str]) -> DataError:
        return DataError(
            f"{self.where}: {_names(paths)} came later than the files of those days and is no longer there",
            fix="put it back for this load: without it, its corrections would be undone",
        )


def _undone(paths: Collection[str]) -> str:
    return f"no longer there, so that its corrections may be undone by what was read again: {_names(paths)}"


def _names(paths: Collection[str]) -> str:
    names = sorted(PurePosixPath(path).name for path in paths)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
