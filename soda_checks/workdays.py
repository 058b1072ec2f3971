"""Due dates in working days: the State Council's calendar with make-up days where known, else Mon-Fri."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from importlib import import_module

OFFICIAL = "国务院放假安排（含调休）"
MON_FRI = "周一至周五"


def calendar() -> tuple[str, Callable[[date], bool]]:
    """The calendar in use, named, and whether a day is a working day in it.

    `chinese_calendar` knows the years the State Council has published; later days are Mon-Fri.
    """
    try:
        official = import_module("chinese_calendar").is_workday
    except ImportError:
        return MON_FRI, _is_weekday

    def is_workday(day: date) -> bool:
        try:
            return bool(official(day))
        except NotImplementedError:
            return _is_weekday(day)

    return OFFICIAL, is_workday


def _is_weekday(day: date) -> bool:
    return day.weekday() < 5


def add_workdays(day: date, count: int) -> date:
    """The `count`-th working day after `day`."""
    _, is_workday = calendar()
    while count > 0:
        day += timedelta(days=1)
        count -= is_workday(day)
    return day
