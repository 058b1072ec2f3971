"""Due dates in working days, by the State Council's calendar with its make-up days.

The calendar of a year is published late in the year before. A year not published yet is Monday to Friday.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import chinese_calendar  # type: ignore[import-untyped]  # ships no types

OFFICIAL = "国务院放假安排（含调休）"
MON_FRI = "周一至周五"


def _official(day: date) -> bool | None:
    """Whether the State Council makes it a working day; None if it has not published that year."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return None


def is_workday(day: date) -> bool:
    """Whether people work on a day."""
    official = _official(day)
    return day.weekday() < 5 if official is None else official


def add_workdays(day: date, count: int) -> date:
    """The `count`-th working day after `day`."""
    while count > 0:
        day += timedelta(days=1)
        count -= is_workday(day)
    return day


def last_overdue(today: date, count: int) -> date:
    """The last due date that is overdue by more than `count` working days today; 0: it has passed."""
    due = today - timedelta(days=1)
    while add_workdays(due, count) >= today:
        due -= timedelta(days=1)
    return due


def calendar(years: Iterable[int]) -> str:
    """What the working days of some years go by, in Chinese; names the years not published."""
    asked = sorted(set(years))
    unknown = [year for year in asked if _official(date(year, 1, 1)) is None]
    if not unknown:
        return OFFICIAL
    if unknown == asked:
        return MON_FRI
    return f"{OFFICIAL}；{'、'.join(map(str, unknown))}年尚未公布，按{MON_FRI}"
