"""Series of batches as offices produce them, in two worlds: one to set thresholds by, one held out.

No threshold, constant or rule was chosen by what comes of `HELD_OUT`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache

import numpy as np

from soda_checks.profiles.alarm import DISTANCE, Limits, Scale, judge
from soda_checks.profiles.fit import WINDOW, History
from soda_checks.profiles.season import season, worth_reading
from soda_checks.profiles.shares import distance, quantile_distance, usual
from soda_checks.workdays import is_workday

Random = np.random.Generator
LENGTH = 800
JUDGED = 365
"""The last year of each series is judged; what lies before is its history."""

# As quality.drift_threshold has them; a test holds that both agree.
ROWS = Limits(4, 0.35, 4, 8, 10)
NULLS = Limits(4.5, 0.1, 4, 8, 10)
SHARES = Limits(4, 0.1, 0.4, 8, 10)
QUANTILES = Limits(5, 0.7, 4, 8, 10)


Season = Callable[[date], float]
Mix = Callable[[date], np.ndarray]


@dataclass(frozen=True)
class World:
    """How offices work somewhere, and what chance there is.

    `mean`, `small`: rows of a large and of a small batch; `noise`: an office's own, from day to day, as a
    standard deviation of the logarithm (chance comes on top), `memory`: how much of it stays the next day;
    `clustering`: of a Dirichlet distribution of shares, `share_rows`: rows of a batch they are of;
    `null_share`, `amount_spread`: of values, the latter as a standard deviation of the logarithm.
    """

    first: date
    first_seed: int
    mean: float
    small: float
    noise: float
    memory: float
    seasons: Mapping[str, Season]
    mixes: Mapping[str, Mix]
    clustering: float
    share_rows: tuple[int, int]
    null_share: float
    amount_spread: float

    @property
    def days(self) -> list[date]:
        """The days of a series, from the first."""
        return _days(self.first)

    def random(self, seed: int) -> Random:
        """A generator of its own for each seed of this world."""
        return np.random.default_rng(self.first_seed + seed)


@cache
def _days(first: date) -> list[date]:
    return [first + timedelta(days=number) for number in range(LENGTH)]


def month_days(first: int, last: int, factor: float) -> Season:
    """More on some days of the month."""
    return lambda day: factor if first <= day.day <= last else 1.0


def last_days(count: int, factor: float) -> Season:
    """More on the last days of a month."""
    return lambda day: factor if (day + timedelta(days=count)).month != day.month else 1.0


def first_workdays(count: int, factor: float) -> Season:
    """More on the first working days of a month."""
    return lambda day: factor if 1 <= season(day).workday <= count else 1.0


def moved_pay_day(due: int, factor: float) -> Season:
    """More on a day of the month or, if that is a day of rest, on the next working day."""

    def of(day: date) -> float:
        paid = day.replace(day=due)
        while not is_workday(paid):
            paid += timedelta(days=1)
        return factor if day == paid else 1.0

    return of


def weekly(weekend: float) -> Season:
    """Less at weekends."""
    return lambda day: 1.0 if day.weekday() < 5 else weekend


def holidays(rest: float) -> Season:
    """Less on days of rest, as the calendar of the state has them."""
    return lambda day: 1.0 if is_workday(day) else rest


def of_the_year(spells: Mapping[tuple[tuple[int, int], tuple[int, int]], float]) -> Season:
    """More or less between two dates (month, day) of each year."""
    return lambda day: next(
        (by for (begin, end), by in spells.items() if begin <= (day.month, day.day) <= end), 1.0
    )


def growth(first: date, a_year: float) -> Season:
    """So many times as much each year."""
    return lambda day: a_year ** ((day - first).days / 365)


def flat(_: date) -> float:
    """No season."""
    return 1.0


def same_mix(shares: list[float]) -> Mix:
    """The same shares of codes on every day."""
    return lambda _: np.array(shares)


def month_turn_mix(shares: list[float], others: list[float]) -> Mix:
    """Other shares on the first three days of a month."""
    return lambda day: np.array(others if day.day <= 3 else shares)


def slow_mix(first: date, shares: list[float]) -> Mix:
    """Shares that turn round slowly, in four years."""

    def of(day: date) -> np.ndarray:
        turned = min((day - first).days / 1500, 0.5)
        return np.array(shares) * (1 - turned) + np.array(shares[::-1]) * turned

    return of


_CODES, _OTHERS = [0.45, 0.25, 0.15, 0.1, 0.05], [0.15, 0.55, 0.15, 0.1, 0.05]
_BEGUN = date(2023, 11, 1)
TUNED = World(
    first=_BEGUN,
    first_seed=0,
    mean=400,
    small=12,
    noise=0.08,
    memory=0.0,
    seasons={
        "flat": flat,
        "weekly": weekly(0.25),
        "growing": growth(_BEGUN, 1.4),
        "month turn": month_days(1, 3, 3),
        "first working days": first_workdays(3, 3),
        "pay day": month_days(10, 10, 6),
        "pay day or the working day after": moved_pay_day(10, 6),
        "month end": last_days(2, 2.5),
        "holidays": holidays(0.15),
        "school year": of_the_year({((9, 1), (9, 15)): 5.0, ((2, 20), (2, 28)): 2.5}),
        "weekly, month turn, growing": lambda day: (
            weekly(0.25)(day) * month_days(1, 3, 3)(day) * growth(_BEGUN, 1.4)(day)
        ),
    },
    mixes={
        "steady": same_mix(_CODES),
        "month turn": month_turn_mix(_CODES, _OTHERS),
        "slowly changing": slow_mix(_BEGUN, _CODES),
    },
    clustering=300,
    share_rows=(60, 400),
    null_share=0.01,
    amount_spread=0.8,
)

_SEVEN, _SEVEN_OTHERS = [0.3, 0.22, 0.18, 0.12, 0.1, 0.05, 0.03], [0.1, 0.4, 0.2, 0.12, 0.1, 0.05, 0.03]
_EARLIER = date(2022, 5, 17)
HELD_OUT = World(
    first=_EARLIER,
    first_seed=700_000,
    mean=900,
    small=25,
    noise=0.1,
    memory=0.3,
    seasons={
        "flat": flat,
        "weekly": weekly(0.4),
        "growing": growth(_EARLIER, 0.75),
        "month turn": month_days(1, 5, 2.2),
        "first working days": first_workdays(2, 4),
        "pay day": month_days(15, 15, 4),
        "pay day or the working day after": moved_pay_day(20, 5),
        "month end": last_days(3, 3),
        "holidays": holidays(0.3),
        "school year": of_the_year({((8, 25), (9, 10)): 4.0, ((1, 10), (1, 20)): 0.4}),
        "weekly, month turn, growing": lambda day: (
            weekly(0.4)(day) * month_days(1, 5, 2.2)(day) * growth(_EARLIER, 0.75)(day)
        ),
    },
    mixes={
        "steady": same_mix(_SEVEN),
        "month turn": month_turn_mix(_SEVEN, _SEVEN_OTHERS),
        "slowly changing": slow_mix(_EARLIER, _SEVEN),
    },
    clustering=200,
    share_rows=(90, 700),
    null_share=0.03,
    amount_spread=1.1,
)


def counts(random: Random, world: World, at: Season, mean: float, noise: float) -> np.ndarray:
    """Rows a day: a season, the office's own noise, and chance."""
    own = np.exp(_remembering(random.normal(0, noise, LENGTH), world.memory))
    rows: np.ndarray = random.poisson([mean * at(day) for day in world.days] * own).astype(float)
    return rows


def wild_counts(random: Random, world: World) -> np.ndarray:
    """Rows a day of an office with wild days: noise with the tails of Student's t of 5 degrees."""
    return random.poisson(world.mean * np.exp(random.standard_t(5, LENGTH) * world.noise)).astype(float)


def _remembering(noise: np.ndarray, memory: float) -> np.ndarray:
    """Noise of the same spread of which a part stays until the next day."""
    kept = [float(noise[0])]
    for fresh in noise[1:]:
        kept.append(memory * kept[-1] + float(fresh) * (1 - memory**2) ** 0.5)
    return np.array(kept)


@cache
def _read_for(begun: date, first: int, at: int) -> list[int]:
    days = _days(begun)
    return worth_reading(days[first : first + at], days[first + at])


@dataclass
class Watch:
    """Judges a series batch by batch as the gate does: after an alarm, the batches since are known."""

    world: World
    limits: Limits
    scale: Scale
    values: list[float] = field(default_factory=list)
    alarm_at: int | None = None
    first: int = 0

    def see(self, value: float, chance: float | None = None) -> bool:
        """Judge the next value, keep it, and say whether it was an alarm."""
        at = len(self.values)
        days = self.world.days[self.first :]
        read = _read_for(self.world.first, self.first, at)
        history = History(
            [days[each] for each in read],
            np.array([self.values[each] for each in read]),
            0 if self.alarm_at is None else at - self.alarm_at,
        )
        judgement = judge(history, days[at], value, self.limits, self.scale, chance)
        self.values.append(value)
        if judgement is not None and judgement.is_alarm:
            self.alarm_at = at
            return True
        return False


class WatchShares:
    """Judges distributions by their distance from the usual one."""

    def __init__(self, world: World, *, are_shares: bool, first: int) -> None:
        self.watch = Watch(world, SHARES if are_shares else QUANTILES, DISTANCE, first=first)
        self.are_shares = are_shares
        self.past: list[dict[str, float]] = []

    def see(self, parts: dict[str, float], rows: int) -> bool:
        """Judge the next distribution, keep it, and say whether it was an alarm."""
        far = 0.0
        if self.past:
            normal = usual(self.past[-WINDOW:], are_shares=self.are_shares)
            far = distance(parts, normal) if self.are_shares else quantile_distance(parts, normal)
        self.past.append(parts)
        return self.watch.see(far, float(np.sqrt((len(parts) if self.are_shares else 1) / rows)))
