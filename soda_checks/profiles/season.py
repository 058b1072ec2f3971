"""What kind of day a date is: days that are alike are compared with each other."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from soda_checks.workdays import is_workday

Positions = NDArray[np.int64]

YEAR = 366
YEAR_WITHIN = 5
RECENT = 120
"""Comparable batches read back, beside those of former years."""
SUNDAY = 6
FRIDAY = 4


@dataclass(frozen=True)
class Season:
    """A date's place in the week, in the month from either end, and among the working days of its month.

    `workweek` is the weekday as people work: a public holiday is a Sunday, a weekend that is worked a Friday.
    """

    weekday: int
    workweek: int
    month_day: int
    month_end: int
    workday: int


@lru_cache(maxsize=10_000)
def season(day: date) -> Season:
    """Return the season of a date. `workday` is 0 on a day that is not worked."""
    works = is_workday(day)
    weekday = day.weekday()
    as_usual = works == (weekday < 5)
    return Season(
        weekday=weekday,
        workweek=weekday if as_usual else FRIDAY if works else SUNDAY,
        month_day=day.day,
        month_end=monthrange(day.year, day.month)[1] - day.day,
        workday=_workdays_so_far(day) if works else 0,
    )


@lru_cache(maxsize=10_000)
def _workdays_so_far(day: date) -> int:
    before = 0 if day.day == 1 else _workdays_so_far(day - timedelta(days=1))
    return before + is_workday(day)


@lru_cache(maxsize=500)
def alike(days: tuple[date, ...], now: date) -> Mapping[str, Positions]:
    """Which days are at the same place as a day, by each way to tell a place (the fields of `Season`)."""
    here = season(now)
    seasons = [season(day) for day in days]
    return {
        each.name: np.flatnonzero([getattr(it, each.name) == getattr(here, each.name) for it in seasons])
        for each in fields(Season)
    }


@lru_cache(maxsize=10_000)
def due_days(day: date) -> frozenset[date]:
    """The dates whose work may be done on a day: itself and, if it is worked, days of rest next to it."""
    due = {day}
    for step in (timedelta(days=-1), timedelta(days=1)):
        beside = day + step
        while is_workday(day) and not is_workday(beside):
            due.add(beside)
            beside += step
    return frozenset(due)


def former_years(days: Sequence[date], now: date, *, lead: int = 0) -> Positions:
    """Which days lie within five days of the same date of a former year, or up to `lead` days before."""
    ordinals = np.array([day.toordinal() for day in days], dtype=np.int64)
    of_year = np.array([day.timetuple().tm_yday for day in days], dtype=np.int64)
    ahead = (now.timetuple().tm_yday - of_year) % YEAR
    near = (ahead <= YEAR_WITHIN + lead) | (ahead >= YEAR - YEAR_WITHIN)
    return np.flatnonzero(near & (now.toordinal() - ordinals > YEAR // 2))


def worth_reading(days: Sequence[date], now: date) -> list[int]:
    """Which of the comparable batches (oldest first) say something of a day.

    The last ones, and those around the same date of former years with the weeks before, which give the level.
    """
    recent = range(max(0, len(days) - RECENT), len(days))
    former = former_years(days[: recent.start], now, lead=20)
    return [*former.tolist(), *recent]
