"""Is a figure of a batch a sudden change? Robust statistics over the batches before it; no database here.

Level: the median of the last 14 comparable batches. Spread: 1.4826·MAD of what the levels of the past left
over, the week taken out (Leys et al. 2013, doi:10.1016/j.jesp.2013.03.013). A figure is ordinary if it lies
near the level, or near what days like this one brought before (docs/profiling.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from soda_checks.profile_season import former_years, season

Values = NDArray[np.float64]

WINDOW = 14
"""Comparable batches whose median is the level: a shift is the new normal once it has filled half of them."""
_FIRST = 5
_GLANCE = 8
_NORMAL = 1.4826
"""MAD to standard deviation, for the normal distribution."""


@dataclass(frozen=True)
class Scale:
    """The scale on which a measure is judged, and whether only a rise is a change."""

    to: Callable[[Values], Values]
    back: Callable[[Values], Values]
    one_sided: bool = False


def _angle(shares: Values) -> Values:
    return np.arcsin(np.sqrt(np.clip(shares, 0, 1)))


def _share(angles: Values) -> Values:
    return np.sin(np.clip(angles, 0, np.pi / 2)) ** 2


COUNT = Scale(np.log1p, np.expm1)
SHARE = Scale(_angle, _share)
DISTANCE = Scale(np.positive, np.positive, one_sided=True)


@dataclass(frozen=True)
class Limits:
    """How far a figure may go, on its scale: `spreads` of the past, at least `floor`.

    `sampling` multiplies the error a small batch has by chance. `min_history`: comparable batches before
    anything is judged. `settle_after`: batches for which a shift, alarmed once, is not alarmed again.
    """

    spreads: float
    floor: float
    sampling: float
    min_history: int
    settle_after: int


@dataclass(frozen=True)
class History:
    """A measure in comparable batches, oldest first, `since_alarm` of them from its last alarm on."""

    days: Sequence[date]
    values: Values
    since_alarm: int = 0


@dataclass(frozen=True)
class Judgement:
    """A figure beside what was expected of it, all in the measure's own unit; `basis`: compared with what."""

    value: float
    expected: float
    low: float
    high: float
    is_alarm: bool
    basis: str


@dataclass(frozen=True)
class _Expected:
    """Where a figure may lie, before tolerance: a point or, of former years, a range."""

    basis: str
    low: float
    high: float

    def distance(self, figure: float) -> float:
        return max(self.low - figure, figure - self.high, 0.0)


_PLACES = {"每月同日批次": "month_day", "月末同日批次": "month_end", "每月同一工作日批次": "workday"}


def judge(
    history: History, day: date, value: float, limits: Limits, scale: Scale, chance: float | None = None
) -> Judgement | None:
    """Judge a figure; None while there is too little history.

    `chance`: its standard error on its scale; of a count, None: it follows from its size.
    """
    if len(history.values) < limits.min_history:
        return None
    past = scale.to(history.values)
    now = float(scale.to(np.asarray(value, dtype=float)))
    candidates = _at_a_glance(history, past, day)
    by_chance = _chance_of_count(now, candidates) if chance is None else chance
    tolerance = max(limits.floor, limits.sampling * by_chance)
    # Most figures are near what was lately, and need no more: the seasons can only widen what is ordinary.
    is_near = all(_is_within(each, now, tolerance, scale) for each in candidates)
    if not is_near:
        fitted = _fitted(history, past)
        tolerance = max(tolerance, limits.spreads * fitted.spread)
        candidates = list(fitted.expected(day, tolerance, limits.settle_after))
        is_near = any(_is_within(each, now, tolerance, scale) for each in candidates)
    nearest = min(candidates, key=lambda candidate: candidate.distance(now))
    low, expected, high = scale.back(
        np.array([nearest.low - tolerance, (nearest.low + nearest.high) / 2, nearest.high + tolerance])
    )
    low = 0.0 if scale.one_sided else max(float(low), 0.0)
    return Judgement(float(value), float(expected), low, float(high), not is_near, nearest.basis)


def _chance_of_count(now: float, candidates: Sequence[_Expected]) -> float:
    """Standard error of the logarithm of a count, half-way between what it is and what was expected."""
    half_way = (now + min(candidate.low for candidate in candidates)) / 2
    return float(np.exp(-half_way / 2))


def _is_within(expected: _Expected, now: float, tolerance: float, scale: Scale) -> bool:
    return now <= expected.high + tolerance and (scale.one_sided or now >= expected.low - tolerance)


def _at_a_glance(history: History, past: Values, day: date) -> list[_Expected]:
    """The median of the last batches, and of the last on this weekday."""
    level = float(np.median(past[-WINDOW:]))
    alike = [at for at, it in enumerate(history.days) if it.weekday() == day.weekday()][-_GLANCE:]
    weekly = _median_of(past[alike], 3) if len(alike) >= 3 else level
    return [_Expected("近期批次", level, level), _Expected("同星期批次", weekly, weekly)]


@dataclass(frozen=True)
class _Fitted:
    """What past figures left over of their running levels, taken apart by the week and by the month.

    `weekly`: effect of each kind of day of the week, `monthly`: of each place in the month, by its name;
    `even`: the past without its weeks, `left`: that less its running level; `bias`: the median of what is
    left, so that growth is no surprise.
    """

    history: History
    kind: str
    weekly: dict[int, float]
    even: Values
    left: Values
    monthly: dict[str, dict[int, float]]
    bias: float
    spread: float

    def expected(self, day: date, tolerance: float, settle_after: int) -> Iterator[_Expected]:
        """Where a figure may lie: as lately on this day of the week, or as on days like this one.

        Only days that stood out themselves make a season; chance would widen what is ordinary.
        """
        now = season(day)
        level = float(np.median(self.even[-WINDOW:]))
        weekly = self.weekly.get(getattr(now, self.kind), 0.0)
        base = level + weekly
        yield _Expected("同星期批次", base + self.bias, base + self.bias)
        for basis, name in _PLACES.items():
            effect = self.monthly[name].get(getattr(now, name), 0.0)
            if abs(effect) > tolerance / 2:
                yield _Expected(basis, base + effect, base + effect)
        yield from self._former_years(day, base, tolerance)
        if 0 < self.history.since_alarm <= settle_after:
            shifted = float(np.median(self.even[-self.history.since_alarm :])) + weekly
            yield _Expected("告警以来批次", shifted, shifted)

    def _former_years(self, day: date, base: float, tolerance: float) -> Iterator[_Expected]:
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
            yield _Expected("往年同期批次", base + float(outstanding.min()), base + float(outstanding.max()))


def _fitted(history: History, past: Values) -> _Fitted:
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
    monthly = {name: _effects(_keys(history, name), left, 2) for name in _PLACES.values()}
    return _Fitted(history, kind, weekly, even, left, monthly, bias, spread)


def _keys(history: History, name: str) -> list[int]:
    return [getattr(season(day), name) for day in history.days]


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


def distance(shares: dict[str, float], usual: dict[str, float]) -> float:
    """Total variation between two distributions: half the sum of the differences, from 0 to 1."""
    return sum(abs(shares.get(key, 0) - usual.get(key, 0)) for key in shares.keys() | usual.keys()) / 2


def quantile_distance(quantiles: dict[str, float], usual: dict[str, float]) -> float:
    """The largest shift of a quantile in powers of e; below a hundredth of the usual size, linear."""
    size = float(np.median(np.abs(list(usual.values())))) or 1.0
    common = sorted(quantiles.keys() & usual.keys())
    ours, theirs = (np.array([it[key] for key in common]) for it in (quantiles, usual))
    return float(np.max(np.abs(np.arcsinh(100 * ours / size) - np.arcsinh(100 * theirs / size)), initial=0))


def usual(past: Sequence[dict[str, float]], *, are_shares: bool) -> dict[str, float]:
    """The median of each part of the last distributions, made to sum to 1 if they are shares."""
    last = past[-WINDOW:]
    names = sorted({name for parts in last for name in parts})
    absent = 0.0 if are_shares else np.nan
    middle = np.nanmedian([[parts.get(name, absent) for name in names] for parts in last], axis=0)
    if are_shares and middle.sum() > 0:
        middle = middle / middle.sum()
    return dict(zip(names, middle.tolist(), strict=True))
