"""Due dates by the State Council's calendar where it is known, else Monday to Friday."""

from __future__ import annotations

import sys
from datetime import date
from types import ModuleType

import pytest

from soda_checks import workdays


def _official(monkeypatch: pytest.MonkeyPatch) -> None:
    """A calendar of one year, in which 2026-01-16 is off and Sunday 2026-01-18 is made up for it."""

    def is_workday(day: date) -> bool:
        if day.year != 2026:
            raise NotImplementedError("no calendar for this year")
        return day == date(2026, 1, 18) or (day.weekday() < 5 and day != date(2026, 1, 16))

    module = ModuleType("chinese_calendar")
    module.is_workday = is_workday  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "chinese_calendar", module)


def test_holidays_and_made_up_days_count(monkeypatch: pytest.MonkeyPatch) -> None:
    _official(monkeypatch)
    assert workdays.calendar()[0] == workdays.OFFICIAL
    assert workdays.add_workdays(date(2026, 1, 15), 1) == date(2026, 1, 18)
    assert workdays.add_workdays(date(2026, 1, 15), 10) == date(2026, 1, 29)


def test_years_not_yet_published_are_monday_to_friday(monkeypatch: pytest.MonkeyPatch) -> None:
    _official(monkeypatch)
    assert workdays.add_workdays(date(2027, 1, 1), 1) == date(2027, 1, 4)


def test_without_the_library_it_is_monday_to_friday_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "chinese_calendar", None)
    assert workdays.calendar()[0] == workdays.MON_FRI
    assert workdays.add_workdays(date(2026, 1, 15), 10) == date(2026, 1, 29)
