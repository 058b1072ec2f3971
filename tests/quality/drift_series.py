"""Series of batches as offices produce them, ordinary and with a planted change; what the alarm says of them.

Run as a program, it prints the table of docs/profiling.md: `python tests/quality/drift_series.py [seeds]`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache

import numpy as np

from soda_checks.profile_alarm import (
    COUNT,
    DISTANCE,
    SHARE,
    WINDOW,
    History,
    Limits,
    Scale,
    distance,
    judge,
    quantile_distance,
    usual,
)
from soda_checks.profile_season import worth_reading
from soda_checks.workdays import is_workday

Random = np.random.Generator
FIRST = date(2023, 11, 1)
DAYS = [FIRST + timedelta(days=number) for number in range(800)]
NOISE = 0.08
"""An office's own noise from day to day, as a standard deviation of the logarithm; chance comes on top."""
JUDGED = 365
"""The last year of each series is judged; what lies before is its history."""

# As quality.drift_threshold has them; a test holds that both agree.
ROWS = Limits(4, 0.35, 4, 8, 10)
NULLS = Limits(4.5, 0.1, 4, 8, 10)
SHARES = Limits(4, 0.1, 0.4, 8, 10)
QUANTILES = Limits(5, 0.7, 4, 8, 10)


def _month_turn(day: date) -> float:
    return 3.0 if day.day <= 3 else 1.0


def _pay_day(day: date) -> float:
    return 6.0 if day.day == 10 else 1.0


def _last_days(day: date) -> float:
    return 2.5 if (day + timedelta(days=2)).month != day.month else 1.0


def _weekly(day: date) -> float:
    return 1.0 if day.weekday() < 5 else 0.25


def _holidays(day: date) -> float:
    return 1.0 if is_workday(day) else 0.15


def _school_year(day: date) -> float:
    if day.month == 9 and day.day <= 15:
        return 5.0
    return 2.5 if (2, 20) <= (day.month, day.day) <= (2, 28) else 1.0


def _growth(day: date) -> float:
    return 1.4 ** ((day - FIRST).days / 365)


def _flat(_: date) -> float:
    return 1.0


SEASONS: dict[str, Callable[[date], float]] = {
    "flat": _flat,
    "weekly": _weekly,
    "holidays and make-up days": _holidays,
    "month turn, days 1-3 x 3": _month_turn,
    "pay day, the 10th x 6": _pay_day,
    "last two days of a month x 2.5": _last_days,
    "school year, 1-15 September x 5": _school_year,
    "growth, 40 % a year": _growth,
    "weekly, month turn and growth": lambda day: _weekly(day) * _month_turn(day) * _growth(day),
}


def counts(random: Random, season: Callable[[date], float], mean: float, noise: float) -> np.ndarray:
    """Rows a day: a season, the office's own noise, and chance."""
    own = np.exp(random.normal(0, noise, len(DAYS)))
    return random.poisson([mean * season(day) for day in DAYS] * own).astype(float)


def wild_counts(random: Random, mean: float) -> np.ndarray:
    """Rows a day of an office with wild days: noise with the tails of Student's t of 5 degrees."""
    return random.poisson(mean * np.exp(random.standard_t(5, len(DAYS)) * NOISE)).astype(float)


@cache
def _read_for(first: int, at: int) -> list[int]:
    return worth_reading(DAYS[first : first + at], DAYS[first + at])


@dataclass
class Watch:
    """Judges a series batch by batch as the gate does: after an alarm, the batches since are known."""

    limits: Limits
    scale: Scale
    values: list[float] = field(default_factory=list)
    alarm_at: int | None = None

    first: int = 0

    def see(self, value: float, chance: float | None = None) -> bool:
        """Judge the next value, keep it, and say whether it was an alarm."""
        at = len(self.values)
        days = DAYS[self.first :]
        read = _read_for(self.first, at)
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


def alarms(
    series: np.ndarray, limits: Limits, scale: Scale, chance: np.ndarray | None = None, judged: int = JUDGED
) -> list[int]:
    """Positions of the alarms in the last days of a series."""
    start = len(series) - judged
    watch = Watch(limits, scale, list(series[:start]))
    return [
        at
        for at in range(start, len(series))
        if watch.see(float(series[at]), None if chance is None else float(chance[at]))
    ]


def null_shares(random: Random, season: Callable[[date], float], rows: np.ndarray) -> np.ndarray:
    """Null shares of batches: about 1 % to 5 %, more when the season is high, with clustered blanks."""
    level = np.array([0.01 + 0.01 * min(season(day), 4) for day in DAYS])
    return random.binomial(rows.astype(int) + 1, random.beta(level * 400, (1 - level) * 400)) / (rows + 1)


Mix = Callable[[date], np.ndarray]
CODES = np.array([0.45, 0.25, 0.15, 0.1, 0.05])


def _same_mix(_: date) -> np.ndarray:
    return CODES


def _month_turn_mix(day: date) -> np.ndarray:
    return np.array([0.15, 0.55, 0.15, 0.1, 0.05]) if day.day <= 3 else CODES


def _slow_mix(day: date) -> np.ndarray:
    turned = min((day - FIRST).days / 1500, 0.5)
    return CODES * (1 - turned) + CODES[::-1] * turned


MIXES: dict[str, Mix] = {
    "same mix": _same_mix,
    "another mix at the month's turn": _month_turn_mix,
    "slowly changing mix": _slow_mix,
}


def mixes(random: Random, mix: Mix, rows: int, first: int) -> Iterator[dict[str, float]]:
    """Shares of codes of batches of about so many rows, clustered as families and villages are."""
    for day in DAYS[first:]:
        shares = random.multinomial(rows, random.dirichlet(mix(day) * 300)) / rows
        yield {str(code): float(share) for code, share in enumerate(shares)}


def amounts(random: Random, rows: int, first: int) -> Iterator[dict[str, float]]:
    """Quantiles of amounts of batches of about so many rows."""
    for _ in DAYS[first:]:
        values = random.lognormal(7 + random.normal(0, 0.05), 0.8, rows)
        yield {str(part): float(np.quantile(values, part / 100)) for part in (5, 25, 50, 75, 95)}


class WatchShares:
    """Judges distributions by their distance from the usual one."""

    def __init__(self, limits: Limits, *, are_shares: bool, first: int) -> None:
        self.watch = Watch(limits, DISTANCE, first=first)
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


SHIFTS_OF_COUNTS: dict[str, float] = {
    "rows halve": 0.5,
    "rows double": 2.0,
    "rows x 10": 10.0,
    "no rows": 0.0,
}


def planted_count(random: Random, season: Callable[[date], float], factor: float) -> bool:
    """Whether a lasting change of the rows is alarmed with its first batch."""
    series = counts(random, season, 400, NOISE)
    at = int(random.integers(len(series) - JUDGED, len(series)))
    watch = Watch(ROWS, COUNT, list(series[:at]))
    return watch.see(float(round(series[at] * factor)))


def planted_nulls(random: Random, season: Callable[[date], float]) -> bool:
    """Whether nulls from 1 % to 10 % are alarmed with the first batch of 300 rows."""
    series = random.binomial(300, random.beta(8, 792, len(DAYS))) / 300
    at = int(random.integers(len(series) - JUDGED, len(series)))
    watch = Watch(NULLS, SHARE, list(series[:at]))
    return watch.see(random.binomial(300, 0.1) / 300, 0.5 / np.sqrt(300))


def planted_parts(
    random: Random, change: Callable[[dict[str, float]], dict[str, float]], *, are_shares: bool
) -> bool:
    """Whether a change of a distribution is alarmed with the first batch of 300 rows."""
    first = len(DAYS) - 60 - int(random.integers(60))
    watch = WatchShares(SHARES if are_shares else QUANTILES, are_shares=are_shares, first=first)
    series = list(mixes(random, _same_mix, 300, first) if are_shares else amounts(random, 300, first))
    for parts in series[:-1]:
        watch.see(parts, 300)
    return watch.see(change(series[-1]), 300)


def _new_code(parts: dict[str, float]) -> dict[str, float]:
    return {key: share * 0.8 for key, share in parts.items()} | {"9": 0.2}


def _swapped(parts: dict[str, float]) -> dict[str, float]:
    return dict(zip(parts, reversed(parts.values()), strict=True))


def _cents(parts: dict[str, float]) -> dict[str, float]:
    return {key: value * 100 for key, value in parts.items()}


def _ten_thousands(parts: dict[str, float]) -> dict[str, float]:
    return {key: value / 10_000 for key, value in parts.items()}


def detections(seeds: int) -> dict[str, tuple[int, int]]:
    """Planted change -> how many were planted, and alarmed with their first batch."""
    found: dict[str, tuple[int, int]] = {}
    for name, factor in SHIFTS_OF_COUNTS.items():
        for season_name in ("flat", "weekly", "growth, 40 % a year", "month turn, days 1-3 x 3"):
            hits = sum(
                planted_count(np.random.default_rng(seed), SEASONS[season_name], factor)
                for seed in range(seeds)
            )
            found[f"{name} ({season_name})"] = (seeds, hits)
    rng = np.random.default_rng
    found["null share 1 % -> 10 %"] = (seeds, sum(planted_nulls(rng(s), _flat) for s in range(seeds)))
    shares: dict[str, tuple[Callable[[dict[str, float]], dict[str, float]], bool]] = {
        "a new code at 20 %": (_new_code, True),
        "shares swapped among codes": (_swapped, True),
        "unit: yuan become cents (x 100)": (_cents, False),
        "unit: yuan become ten thousands": (_ten_thousands, False),
    }
    for name, (change, are_shares) in shares.items():
        hits = sum(planted_parts(rng(seed), change, are_shares=are_shares) for seed in range(seeds))
        found[name] = (seeds, hits)
    return found


def false_alarms(seeds: int, days: int = JUDGED) -> dict[str, tuple[int, int]]:
    """Ordinary series -> batch-measures judged in their last days, and alarms."""
    found: dict[str, tuple[int, int]] = {}

    def count(name: str, raised: int) -> None:
        judged, so_far = found.get(name, (0, 0))
        found[name] = (judged + days, so_far + raised)

    for seed in range(seeds):
        random = np.random.default_rng(1000 + seed)
        for name, season in SEASONS.items():
            for mean, noise in ((400, NOISE), (12, 2 * NOISE)):
                rows = counts(random, season, mean, noise)
                count(
                    f"rows: {name}, about {mean}",
                    len(alarms(rows, ROWS, COUNT, judged=days)),
                )
            rows = counts(random, season, 400, NOISE)
            nulls = null_shares(random, season, rows)
            count(f"null share: {name}", len(alarms(nulls, NULLS, SHARE, 0.5 / np.sqrt(rows + 1), days)))
        rows = wild_counts(random, 400)
        count("rows: wild days, about 400", len(alarms(rows, ROWS, COUNT, judged=days)))
        first = len(DAYS) - days - 150
        for name, mix in MIXES.items():
            for rows_a_batch in (60, 400):
                watch = WatchShares(SHARES, are_shares=True, first=first)
                raised = [watch.see(parts, rows_a_batch) for parts in mixes(random, mix, rows_a_batch, first)]
                count(f"shares: {name}, {rows_a_batch} rows", sum(raised[-days:]))
        watch = WatchShares(QUANTILES, are_shares=False, first=first)
        raised = [watch.see(parts, 60) for parts in amounts(random, 60, first)]
        count("quantiles of amounts, 60 rows", sum(raised[-days:]))
    return found


if __name__ == "__main__":
    how_many = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    for change, (planted, alarmed) in detections(10 * how_many).items():
        sys.stdout.write(f"| {change} | {planted} | {alarmed / planted:.1%} |\n")
    totals = false_alarms(how_many)
    for series_name, (judged, raised) in totals.items():
        sys.stdout.write(f"| {series_name} | {judged:,} | {1000 * raised / judged:.2f} |\n")
    everything = np.array(list(totals.values())).sum(axis=0)
    sys.stdout.write(f"| all | {everything[0]:,} | {1000 * everything[1] / everything[0]:.2f} |\n")
