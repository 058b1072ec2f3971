"""Whether a key comes twice, found while rows pass by, in flat memory: the warehouse need not look again."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from huiliu.secret_store import make_home

KEPT = 1 << 18  # keys in memory; more go to a file without a name
_PARTS = 256  # of the keys by their first byte, looked at one after another
_WORD = np.dtype(">u8")

Words = NDArray[np.uint64]


class RepeatedKeys:
    """Compares the first 8 of the 16 bytes of each key: that finds one where there is none once in ten
    thousand loads of 50 M rows, and misses none.
    """

    def __init__(self, file: BinaryIO, kept: int = KEPT) -> None:
        self._file = file
        self._most = kept
        self._held: list[Words] = []
        self._count = 0
        self._cuts: list[list[int]] = []  # of each sorted run in the file: where its parts begin and end

    def add(self, digests: bytes) -> None:
        """Take keys of 16 bytes each."""
        self._held.append(np.frombuffer(digests, _WORD)[::2].astype(np.uint64))
        self._count += len(self._held[-1])
        if self._count >= self._most:
            self._spill()

    def none(self) -> bool:
        """Whether no key came twice."""
        if not self._cuts:
            return _differ(self._held)
        self._spill()
        runs = range(len(self._cuts))
        return all(_differ([self._part(run, part) for run in runs]) for part in range(_PARTS))

    def _spill(self) -> None:
        run = np.sort(_joined(self._held))
        bounds = np.arange(1, _PARTS, dtype=np.uint64) << np.uint64(56)
        start = self._cuts[-1][-1] if self._cuts else 0
        self._cuts.append([start + int(cut) for cut in (0, *np.searchsorted(run, bounds), len(run))])
        self._file.write(run.tobytes())
        self._held, self._count = [], 0

    def _part(self, run: int, part: int) -> Words:
        first, after = self._cuts[run][part : part + 2]
        self._file.seek(first * _WORD.itemsize)
        return np.frombuffer(self._file.read((after - first) * _WORD.itemsize), np.uint64)


@contextmanager
def repeated_keys() -> Iterator[RepeatedKeys]:
    """Compare the keys of a load; what doesn't fit into memory lies in a file that goes with it."""
    with tempfile.TemporaryFile(dir=make_home()) as file:
        yield RepeatedKeys(cast("BinaryIO", file))


def _joined(words: list[Words]) -> Words:
    return np.concatenate(words) if words else np.empty(0, np.uint64)


def _differ(words: list[Words]) -> bool:
    ordered = np.sort(_joined(words))
    return not bool((ordered[1:] == ordered[:-1]).any())
