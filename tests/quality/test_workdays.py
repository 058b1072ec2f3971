"""Due dates by the State Council's calendar; years it has not published are Monday to Friday."""

from __future__ import annotations

from datetime import date

import pytest

from soda_checks.workdays import MON_FRI, OFFICIAL, add_workdays, calendar, is_workday


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 1, 2), False),  # Friday after New Year's Day
        (date(2026, 1, 4), True),  # Sunday, worked for it
        (date(2026, 2, 14), True),  # Saturday before Spring Festival
        (date(2026, 2, 16), False),  # Monday, New Year's Eve
        (date(2026, 2, 23), False),  # Monday, its last day off
        (date(2026, 2, 28), True),  # Saturday, worked for it
        (date(2026, 9, 20), True),  # Sunday before National Day
        (date(2026, 10, 7), False),  # Wednesday, its last day off
        (date(2026, 10, 10), True),  # Saturday, worked for it
        (date(2026, 1, 15), True),  # an ordinary Thursday
        (date(2026, 1, 17), False),  # an ordinary Saturday
    ],
)
def test_days_off_and_days_made_up(day: date, works: bool) -> None:
    assert is_workday(day) is works


@pytest.mark.parametrize(
    ("opened", "count", "due"),
    [
        (date(2026, 1, 15), 10, date(2026, 1, 29)),
        # Over Spring Festival: 11-14 February (a Saturday worked), 24-28 February (another), 2 March.
        (date(2026, 2, 10), 10, date(2026, 3, 2)),
        # Over National Day: 30 September, then 8 to 10 October.
        (date(2026, 9, 29), 4, date(2026, 10, 10)),
        (date(2026, 9, 30), 0, date(2026, 9, 30)),
    ],
)
def test_due_dates_jump_over_holidays(opened: date, count: int, due: date) -> None:
    assert add_workdays(opened, count) == due


def test_years_not_yet_published_are_monday_to_friday_and_said_to_be() -> None:
    assert is_workday(date(2099, 1, 1))  # New Year's Day, a Thursday: nobody has said yet
    assert not is_workday(date(2099, 1, 3))
    assert add_workdays(date(2098, 12, 31), 2) == date(2099, 1, 2)
    assert calendar([2026]) == OFFICIAL
    assert calendar([2099]) == MON_FRI
    assert calendar([2099, 2026]) == f"{OFFICIAL}；2099年尚未公布，按{MON_FRI}"
