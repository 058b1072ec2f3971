"""Planted changes are alarmed, ordinary seasons are not; the whole table is in docs/profiling.md."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from drift_measured import alarms, detections, false_alarms
from drift_series import HELD_OUT, ROWS, TUNED, Watch, counts, moved_pay_day

from soda_checks.profiles.alarm import COUNT, DISTANCE, Limits, judge
from soda_checks.profiles.fit import History
from soda_checks.profiles.season import due_days, former_years, season, worth_reading
from soda_checks.profiles.shares import distance, quantile_distance, usual

DAYS = TUNED.days
LIMITS = Limits(4.5, 0.35, 4, 8, 10)


def test_planted_changes_are_alarmed_with_their_first_batch() -> None:
    found = detections(HELD_OUT, 3)
    planted, hits = np.array(list(found.values())).sum(axis=0)
    assert planted == 3 * len(found) == 3 * 29
    assert hits / planted >= 0.9


def test_ordinary_seasons_are_hardly_alarmed() -> None:
    # The last two months of the series, with turns of the month and holidays.
    found = false_alarms(HELD_OUT, 1, days=60)
    judged, raised = np.array(list(found.values())).sum(axis=0)
    assert judged > 2_000
    assert 1000 * raised / judged <= 1.5


def test_a_peak_of_the_month_that_is_halved_is_alarmed_though_other_days_are_like_it() -> None:
    days = TUNED.days[:600]
    peak = max(day for day in days if day.day == 10)
    before = [400.0 if day.day != 10 else 800.0 for day in days[: days.index(peak)]]
    seen = {value: Watch(TUNED, ROWS, COUNT, list(before)).see(value) for value in (800.0, 400.0)}
    assert seen == {800.0: False, 400.0: True}


def test_a_pay_day_that_moves_with_days_of_rest_is_ordinary() -> None:
    random = np.random.default_rng(11)
    series = counts(random, TUNED, moved_pay_day(10, 6), 400, 0.05)
    assert alarms(TUNED, series, ROWS, COUNT, judged=190) == []


def test_a_shift_is_alarmed_once_and_then_the_new_normal() -> None:
    random = np.random.default_rng(7)
    series = counts(random, TUNED, TUNED.seasons["weekly"], 400, 0.05)
    series[-100:] = np.round(series[-100:] * 4)
    found = alarms(TUNED, series, ROWS, COUNT, judged=120)
    assert found == [len(series) - 100]
    # Back at the old level: another change.
    series[-50:] = np.round(series[-50:] / 4)
    assert alarms(TUNED, series, ROWS, COUNT, judged=120) == [len(series) - 100, len(series) - 50]


def test_a_single_wild_batch_moves_no_norm() -> None:
    watch = Watch(TUNED, ROWS, COUNT, [400.0] * 30)
    assert [watch.see(value) for value in (4000, 400, 410, 390, 4000)] == [
        True,
        False,
        False,
        False,
        True,
    ]


def test_nothing_is_judged_without_history() -> None:
    days = DAYS[:7]
    assert judge(History(days, np.full(7, 100.0)), DAYS[7], 1e6, LIMITS, COUNT) is None
    judgement = judge(History(DAYS[:8], np.full(8, 100.0)), DAYS[8], 1e6, LIMITS, COUNT)
    assert judgement is not None
    assert judgement.is_alarm
    assert judgement.expected == pytest.approx(100)
    assert (judgement.low, judgement.high) == pytest.approx((101 / np.exp(0.35) - 1, 101 * np.exp(0.35) - 1))


def test_small_batches_may_go_further_by_chance() -> None:
    history = History(DAYS[:30], np.full(30, 4.0))
    quiet, loud = (judge(history, DAYS[30], 12.0, LIMITS, COUNT, chance) for chance in (0.3, 0.0))
    assert quiet is not None
    assert loud is not None
    assert (quiet.is_alarm, loud.is_alarm) == (False, True)


def test_only_a_larger_distance_is_a_change() -> None:
    history = History(DAYS[:30], np.full(30, 0.9))
    limits = Limits(4.5, 0.1, 0, 8, 10)
    near, far = (judge(history, DAYS[30], value, limits, DISTANCE) for value in (0.0, 1.1))
    assert near is not None
    assert far is not None
    assert (near.is_alarm, far.is_alarm) == (False, True)


def test_distances_are_those_worked_out_by_hand() -> None:
    assert distance({"1": 0.5, "2": 0.5}, {"1": 0.7, "3": 0.3}) == pytest.approx(0.5)
    same = {"5": 10.0, "50": 100.0, "95": 1000.0}
    assert quantile_distance(same, same) == 0
    cents = {part: value * 100 for part, value in same.items()}
    assert quantile_distance(cents, same) == pytest.approx(np.log(100), abs=0.01)
    assert usual([{"1": 1.0}, {"1": 0.5, "2": 0.5}, {"1": 0.4, "2": 0.6}], are_shares=True) == {
        "1": 0.5,
        "2": 0.5,
    }


def test_days_are_told_by_week_and_month_as_people_work() -> None:
    spring_festival, made_up = date(2026, 2, 17), date(2026, 2, 14)
    assert (season(spring_festival).weekday, season(spring_festival).workweek) == (1, 6)
    assert (season(made_up).weekday, season(made_up).workweek) == (5, 4)
    # New Year's Day and the 2nd were no working days, the 4th, a Sunday, was one.
    assert [season(date(2026, 1, day)).workday for day in (1, 2, 4, 5)] == [0, 0, 1, 2]
    assert season(date(2026, 2, 26)).month_end == 2
    # The 10th of May 2025 was a Saturday: its work is done on the Friday or the Monday.
    assert {date(2025, 5, 10), date(2025, 5, 11)} < due_days(date(2025, 5, 12))
    assert due_days(date(2025, 5, 10)) == {date(2025, 5, 10)}


def test_former_years_and_the_last_batches_are_read_back() -> None:
    now = date(2026, 1, 3)
    days = [now - timedelta(days=back) for back in range(1000, 0, -1)]
    around = [days[at] for at in former_years(days, now)]
    assert date(2024, 12, 30) in around
    assert date(2025, 1, 8) in around
    assert all(day < date(2025, 7, 1) for day in around)
    read = worth_reading(days, now)
    assert len(read) < 200
    assert read[-120:] == list(range(880, 1000))
    assert days[read[-121]] == date(2025, 1, 8)
