"""Is a figure of a batch a sudden change? Robust statistics over the batches before it; no database here.

A figure is ordinary if it lies near what was lately, or near what days like this one brought before
(docs/profiling.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from soda_checks.profiles.fit import FIRM, WINDOW, Expected, History, Values, fitted
from soda_checks.profiles.season import alike

_GLANCE = 8


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
class Judgement:
    """A figure beside what was expected of it, all in the measure's own unit; `basis`: compared with what."""

    value: float
    expected: float
    low: float
    high: float
    is_alarm: bool
    basis: str


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
        fit = fitted(history, past)
        tolerance = max(tolerance, limits.spreads * fit.spread)
        candidates = list(fit.expected(day, tolerance, limits.settle_after))
        is_near = any(_is_within(each, now, tolerance, scale) for each in candidates)
    nearest = min(candidates, key=lambda candidate: candidate.distance(now))
    low, expected, high = scale.back(
        np.array([nearest.low - tolerance, (nearest.low + nearest.high) / 2, nearest.high + tolerance])
    )
    low = 0.0 if scale.one_sided else max(float(low), 0.0)
    return Judgement(float(value), float(expected), low, float(high), not is_near, nearest.basis)


def _chance_of_count(now: float, candidates: Sequence[Expected]) -> float:
    """Standard error of the logarithm of a count, half-way between what it is and what was expected."""
    half_way = (now + min(candidate.low for candidate in candidates)) / 2
    return float(np.exp(-half_way / 2))


def _is_within(expected: Expected, now: float, tolerance: float, scale: Scale) -> bool:
    return now <= expected.high + tolerance and (scale.one_sided or now >= expected.low - tolerance)


def _at_a_glance(history: History, past: Values, day: date) -> list[Expected]:
    """The median of the last batches, and of those on this day of the week and at this place in the month."""
    level = float(np.median(past[-WINDOW:]))
    places = alike(tuple(history.days), day)
    usual_here = [float(np.median(past[at[-_GLANCE:]])) for at in places.values() if len(at) >= FIRM]
    return [Expected("近期批次", each, each) for each in (level, *usual_here)]
