"""What the alarm says of generated series: which planted changes it sees, and what it says of ordinary days.

It prints the figures of docs/profiling.md: `python tests/quality/drift_measured.py [seeds]`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from drift_series import (
    HELD_OUT,
    JUDGED,
    LENGTH,
    NULLS,
    ROWS,
    TUNED,
    Mix,
    Random,
    Season,
    Watch,
    WatchShares,
    World,
    counts,
    wild_counts,
)

from soda_checks.profiles.alarm import COUNT, SHARE, Limits, Scale

Parts = dict[str, float]
Found = dict[str, tuple[int, int]]

SHIFTED_SEASONS = ("flat", "weekly", "growing", "month turn", "pay day", "first working days")
SHIFTS_OF_COUNTS = {"rows halve": 0.5, "rows double": 2.0, "rows x 10": 10.0, "no rows": 0.0}


def alarms(
    world: World,
    series: np.ndarray,
    limits: Limits,
    scale: Scale,
    chance: np.ndarray | None = None,
    judged: int = JUDGED,
) -> list[int]:
    """Positions of the alarms in the last days of a series."""
    start = len(series) - judged
    watch = Watch(world, limits, scale, list(series[:start]))
    return [
        at
        for at in range(start, len(series))
        if watch.see(float(series[at]), None if chance is None else float(chance[at]))
    ]


def null_shares(random: Random, world: World, at: Season, rows: np.ndarray) -> np.ndarray:
    """Null shares of batches, more when the season is high, with clustered blanks."""
    level = np.array([world.null_share * (1 + min(at(day), 4)) for day in world.days])
    blank = random.binomial(rows.astype(int) + 1, random.beta(level * 400, (1 - level) * 400))
    return np.asarray(blank / (rows + 1))


def mixes(random: Random, world: World, mix: Mix, rows: int, first: int) -> Iterator[Parts]:
    """Shares of codes of batches of so many rows, clustered as families and villages are."""
    for day in world.days[first:]:
        shares = random.multinomial(rows, random.dirichlet(mix(day) * world.clustering)) / rows
        yield {str(code): float(share) for code, share in enumerate(shares)}


def amounts(random: Random, world: World, rows: int, first: int) -> Iterator[Parts]:
    """Quantiles of amounts of batches of so many rows."""
    for _ in world.days[first:]:
        values = random.lognormal(7 + random.normal(0, 0.05), world.amount_spread, rows)
        yield {str(part): float(np.quantile(values, part / 100)) for part in (5, 25, 50, 75, 95)}


def _planted_count(world: World, season: str, factor: float, random: Random) -> bool:
    """Whether a change of the rows is alarmed with its first batch."""
    series = counts(random, world, world.seasons[season], world.mean, world.noise)
    at = int(random.integers(LENGTH - JUDGED, LENGTH))
    watch = Watch(world, ROWS, COUNT, list(series[:at]))
    return watch.see(float(round(series[at] * factor)))


def _planted_nulls(world: World, random: Random) -> bool:
    """Whether ten percentage points more nulls are alarmed with the first batch of 300 rows."""
    usual = world.null_share
    series = random.binomial(300, random.beta(800 * usual, 800 * (1 - usual), LENGTH)) / 300
    at = int(random.integers(LENGTH - JUDGED, LENGTH))
    watch = Watch(world, NULLS, SHARE, list(series[:at]))
    return watch.see(random.binomial(300, usual + 0.1) / 300, 0.5 / np.sqrt(300))


def _planted_parts(
    world: World, change: Callable[[Parts], Parts], random: Random, *, are_shares: bool
) -> bool:
    """Whether a change of a distribution is alarmed with the first batch of 300 rows."""
    first = LENGTH - 60 - int(random.integers(60))
    watch = WatchShares(world, are_shares=are_shares, first=first)
    steady = world.mixes["steady"]
    series = list(
        mixes(random, world, steady, 300, first) if are_shares else amounts(random, world, 300, first)
    )
    for parts in series[:-1]:
        watch.see(parts, 300)
    return watch.see(change(series[-1]), 300)


def _new_code(parts: Parts) -> Parts:
    return {key: share * 0.8 for key, share in parts.items()} | {"9": 0.2}


def _swapped(parts: Parts) -> Parts:
    return dict(zip(parts, reversed(parts.values()), strict=True))


def _times(factor: float, parts: Parts) -> Parts:
    return {key: value * factor for key, value in parts.items()}


def detections(world: World, seeds: int) -> Found:
    """Planted change -> how many were planted, and alarmed with their first batch."""
    plants: dict[str, Callable[[Random], bool]] = {
        f"{name}: {season}": partial(_planted_count, world, season, factor)
        for name, factor in SHIFTS_OF_COUNTS.items()
        for season in SHIFTED_SEASONS
    }
    plants |= {
        "null share + 10 points": partial(_planted_nulls, world),
        "a new code at 20 %": partial(_planted_parts, world, _new_code, are_shares=True),
        "shares swapped among codes": partial(_planted_parts, world, _swapped, are_shares=True),
        "yuan become cents (x 100)": partial(_planted_parts, world, partial(_times, 100), are_shares=False),
        "yuan become ten thousands": partial(_planted_parts, world, partial(_times, 1e-4), are_shares=False),
    }
    return {
        name: (seeds, sum(plant(world.random(seed)) for seed in range(seeds)))
        for name, plant in plants.items()
    }


def false_alarms(world: World, seeds: int, days: int = JUDGED) -> Found:
    """Ordinary series -> batch-measures judged in their last days, and alarms."""
    found: Found = {}
    for seed in range(seeds):
        for name, raised in _ordinary(world, world.random(1000 + seed), days):
            judged, so_far = found.get(name, (0, 0))
            found[name] = (judged + days, so_far + raised)
    return found


def _ordinary(world: World, random: Random, days: int) -> Iterator[tuple[str, int]]:
    for name, season in world.seasons.items():
        for size, noise in ((world.mean, world.noise), (world.small, 2 * world.noise)):
            rows = counts(random, world, season, size, noise)
            yield f"{name}: rows, null share", len(alarms(world, rows, ROWS, COUNT, judged=days))
        rows = counts(random, world, season, world.mean, world.noise)
        nulls = null_shares(random, world, season, rows)
        by_chance = 0.5 / np.sqrt(rows + 1)
        yield f"{name}: rows, null share", len(alarms(world, nulls, NULLS, SHARE, by_chance, days))
    yield "rows, wild days", len(alarms(world, wild_counts(random, world), ROWS, COUNT, judged=days))
    first = LENGTH - days - 150
    for mix in world.mixes.values():
        for rows_a_batch in world.share_rows:
            watch = WatchShares(world, are_shares=True, first=first)
            series = mixes(random, world, mix, rows_a_batch, first)
            yield "shares of codes", sum([watch.see(parts, rows_a_batch) for parts in series][-days:])
    watch = WatchShares(world, are_shares=False, first=first)
    few = world.share_rows[0]
    raised = [watch.see(parts, few) for parts in amounts(random, world, few, first)]
    yield "quantiles of amounts", sum(raised[-days:])


def _print(found: Found, per: int) -> None:
    rows = [*found.items(), ("all", tuple(np.array(list(found.values())).sum(axis=0)))]
    for name, (of, hits) in rows:
        sys.stdout.write(f"| {name} | {of:,} | {per * hits / of:.2f} |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    how_many = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    for title, measured in (("tuned", TUNED), ("held out", HELD_OUT)):
        sys.stdout.write(f"\n{title}: planted changes, alarmed of 100; ordinary series, alarms per 1,000\n")
        _print(detections(measured, 10 * how_many), 100)
        _print(false_alarms(measured, how_many), 1000)
