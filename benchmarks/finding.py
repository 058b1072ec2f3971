"""What a benchmark found: ratios with their goals, and the absolute numbers they come from."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

Result = TypeVar("Result")
MEGABYTE = 1_000_000


class NotMeasuredError(Exception):
    """What a goal needs is not to be had here: no fault, and no result."""


@dataclass(frozen=True)
class Ratio:
    """A measured value and the most it may be (the least, if `more_is_better`); `unit`: × (a ratio), % (a
    share, kept as 0 to 1), or other.
    """

    value: float
    limit: float
    unit: str = "×"
    more_is_better: bool = False

    @property
    def met(self) -> bool:
        """Whether the value is within the goal."""
        return self.value >= self.limit if self.more_is_better else self.value <= self.limit

    @property
    def measured(self) -> str:
        """The value as text."""
        return _text(self.value, self.unit)

    @property
    def goal(self) -> str:
        """The goal as text."""
        return f"{'≥' if self.more_is_better else '≤'} {_text(self.limit, self.unit)}"


@dataclass(frozen=True)
class Finding:
    """The ratios of one goal, all of which must be met; `absolute` says the numbers behind them."""

    ratios: tuple[Ratio, ...]
    absolute: str

    @property
    def met(self) -> bool:
        """Whether every ratio is within its goal."""
        return bool(self.ratios) and all(ratio.met for ratio in self.ratios)

    @property
    def verdict(self) -> str:
        """The last column of the table of results."""
        return "met" if self.met else "missed"


def one(value: float, at_most: float, absolute: str) -> Finding:
    """Return a finding of a single plain ratio."""
    return Finding((Ratio(value, at_most),), absolute)


def faster(theirs: float, ours: float, at_least: float, absolute: str) -> Finding:
    """Return a finding of how many times as long another way takes."""
    return Finding((Ratio(theirs / ours, at_least, more_is_better=True),), absolute)


def per_model(seconds: float, whole: float, *, share: float, each: float, count: int) -> Ratio:
    """Return `seconds` as a share of `whole` with its goal: `share`, and `each` seconds for each of `count`.

    >>> per_model(4.0, 100.0, share=0.05, each=0.3, count=10).goal
    '≤ 8.0 %'
    """
    return Ratio(seconds / whole, share + each * count / whole, "%")


def measured(work: Callable[[], Result]) -> tuple[float, Result]:
    """Return the seconds that some work took, and its result."""
    begun = time.perf_counter()
    result = work()
    return time.perf_counter() - begun, result


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that some work took."""
    return measured(work)[0]


def in_turns(works: Sequence[Callable[[], float]], rounds: int) -> list[list[float]]:
    """Measure each work once a round, one after another, so that a busy moment hits all of them alike."""
    seconds: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for kept, work in zip(seconds, works, strict=True):
            kept.append(work())
    return seconds


def spread(seconds: Sequence[float]) -> str:
    """Return the median of some times, and the least and greatest if there are several."""
    if len(seconds) == 1:
        return f"{seconds[0]:.2f} s"
    return f"{median(seconds):.2f} s ({min(seconds):.2f}-{max(seconds):.2f})"


def _text(value: float, unit: str) -> str:
    if unit == "%":
        return f"{value:.1%}".replace("%", " %")
    return f"{value:.2f} ×" if unit == "×" else f"{value:.0f} {unit}"
