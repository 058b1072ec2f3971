"""What past figures of a measure let expect of a day: a level, the week, the month, former years.

Level: the median of the last 14 comparable batches. Spread: 1.4826·MAD of what the levels of the past left
over, the week taken out (Leys et al. 2013, doi:10.1016/j.jesp.2013.03.013).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from soda_checks.profiles.season import alike, due_days, former_years, season
from soda_checks.workdays import is_workday

Values = NDArray[np.float64]

WINDOW = 14
"""Comparable batches whose median is the level: a shift is the new normal once it has filled half of them."""
FIRM = 3
"""Days at a place in the week or month from which on they say what is usual there."""
_FIRST = 5
_NORMAL = 1.4826
"""MAD to standard deviation, for the normal distribution."""
_PLACES = {"month_day": "每月同日批次", "month_end": "月末同日批次", "workday": "每月同一工作日批次"}


@dataclass(frozen=True)
class History:
    """A measure in comparable batches, oldest first, `since_alarm` of them from its last alarm on."""

    days: Sequence[date]
    values: Values
    since_alarm: int = 0


@dataclass(frozen=True)
class Expected:
    """Where a figure may lie, before tolerance: a point or, of former years, a range."""

    basis: str
    low: float
    high: float

    def distance(self, figure: float) -> float:
        return max(self.low - figure, figure - self.high, 0.0)


@dataclass(frozen=True)
class Fitted:
    """What past figures left over of their running levels, taken apart by the week and by the month.

    `weekly`: effect of each kind of day of the week, `monthly`: of each place in the month, by its name;
    `even`: the past without its weeks, `left`: that less its running level, `on`: the same by day; `bias`:
    the median of what is left, so that growth is no surprise.
    """

    history: History
    kind: str
    weekly: dict[int, float]
    even: Values
    left: Values
    on: Mapping[date, float]
    monthly: dict[str, dict[int, float]]
    bias: float
    spread: float

    def expected(self, day: date, tolerance: float, settle_after: int) -> Iterator[Expected]:
        """Where a figure may lie: as lately on this day of the week, or as on days like this one.

        Only days that stood out themselves make a season; chance would widen what is ordinary. Where all of
        them stood out, a day like any other is none.
        """
        now = season(day)
        weekly = self.weekly.get(getattr(now, self.kind), 0.0)
        base = float(np.median(self.even[-WINDOW:])) + weekly
        best = min(_PLACES, key=lambda name: self._unexplained(name, tolerance))
        firm = {name for name in _PLACES if self._always_stands_out(day, name, tolerance)}
        if best not in firm:
            yield Expected("同星期批次", base + self.bias, base + self.bias)
        for name in sorted(firm | {best}):
            for effect in self._effects_on(day, name, tolerance):
                if abs(effect) > tolerance / 2:
                    yield Expected(_PLACES[name], base + effect, base + effect)
        yield from self._former_years(day, base, tolerance)
        if 0 < self.history.since_alarm <= settle_after:
            shifted = float(np.median(self.even[-self.history.since_alarm :])) + weekly
            yield Expected("告警以来批次", shifted, shifted)

    def _always_stands_out(self, day: date, name: str, tolerance: float) -> bool:
        """Whether each batch at this place in the month did, one of them worked, or not, as this day is."""
        at = alike(tuple(self.history.days), day)[name]
        here = self.left[at]
        known = any(is_workday(self.history.days[each]) == is_workday(day) for each in at)
        return known and len(here) >= FIRM and max(here.min(), -here.max()) > tolerance / 2

    def _effects_on(self, day: date, name: str, tolerance: float) -> list[float]:
        """Effects of the places in the month whose work may fall on a day, as it was not done on its own."""
        due = due_days(day) if name == "month_day" else [day]
        undone = (each for each in due if each == day or abs(self.on.get(each, 0.0)) <= tolerance / 2)
        return [self.monthly[name].get(getattr(season(each), name), 0.0) for each in undone]

    def _unexplained(self, name: str, tolerance: float) -> float:
        """How much of the past stood out that a calendar of the month leaves unexplained."""
        outstanding = {day: over for day, over in self.on.items() if abs(over) > tolerance / 2}
        left = (
            min(abs(over - effect) for effect in (0.0, *self._effects_on(day, name, tolerance)))
            for day, over in outstanding.items()
        )
        return sum(max(each - tolerance / 2, 0) for each in left)

    def _former_years(self, day: date, base: float, tolerance: float) -> Iterator[Expected]:
        """The range of what stood out around the same date, if no place in the month explains it."""
        at = former_years(self.history.days, day)
        if not len(at):
            return
        former = self.left[at]
        unexplained = np.abs(former)
        for name, effects in self.monthly.items():
            of_month = np.array([effects.get(getattr(season(self.history.days[i]), name), 0.0) for i in at])
            unexplained = np.minimum(unexplained, np.abs(former - of_month))
        outstanding = former[unexplained > tolerance / 2]
        if len(outstanding) > 1:
            yield Expected("往年同期批次", base + float(outstanding.min()), base + float(outstanding.max()))


def fitted(history: History, past: Values) -> Fitted:
    """Take the week out as the calendar has it, or as people work, whichever explains more."""
    over = past - _running_levels(past)
    weeks = {}
    for name in ("weekday", "workweek"):
        effects = _effects(_keys(history, name), over, 3)
        even = past - np.array([effects[key] for key in _keys(history, name)])
        # A long holiday would pull the level down, were its days not made even first.
        weeks[name] = (effects, even, even - _running_levels(even))
    kind = min(weeks, key=lambda name: float(np.abs(weeks[name][2]).sum()))
    weekly, even, left = weeks[kind]
    bias = float(np.median(left))
    # The MAD of few values is itself uncertain.
    spread = _NORMAL * float(np.median(np.abs(left - bias))) * (1 + 6 / len(past))
    monthly = {name: _effects(_keys(history, name), left, 2) for name in ("month_end", "workday")}
    monthly["month_day"] = _due_effects(history, left)
    on = dict(zip(history.days, left.tolist(), strict=True))
    return Fitted(history, kind, weekly, even, left, on, monthly, bias, spread)


def _keys(history: History, name: str) -> list[int]:
    return [getattr(season(day), name) for day in history.days]


def _due_effects(history: History, over: Values) -> dict[int, float]:
    """The effect of each day of the month, which on a day of rest may fall on the working day next to it."""
    strongest: dict[date, float] = {}
    for day, effect in zip(history.days, over.tolist(), strict=True):
        for due in due_days(day):
            strongest[due] = max(strongest.get(due, 0.0), effect, key=abs)
    return _effects([due.day for due in strongest], np.array(list(strongest.values())), 2)


def _effects(keys: Sequence[int], over: Values, at_least: int) -> dict[int, float]:
    """The median of each kind of day of which there are enough."""
    places: dict[int, list[int]] = {}
    for at, key in enumerate(keys):
        places.setdefault(key, []).append(at)
    return {key: _median_of(over[at], at_least) for key, at in places.items()}


def _running_levels(past: Values) -> Values:
    """The median of up to 14 values before each; of the first ones, of those around them."""
    levels = pd.Series(past).rolling(WINDOW, min_periods=_FIRST).median().shift()
    return levels.fillna(float(np.median(past[:WINDOW]))).to_numpy()


def _median_of(values: Values, at_least: int) -> float:
    return float(np.median(values)) if len(values) >= at_least else 0.0
