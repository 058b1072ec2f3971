"""Planted changes are alarmed, ordinary seasons are not; the whole table is in docs/profiling.md."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from drift_series import (
    DAYS,
    ROWS,
    SEASONS,
    Watch,
    alarms,
    counts,
    detections,
    false_alarms,
)

from soda_checks.profile_alarm import (
    COUNT,
    DISTANCE,
    History,
    Limits,
    distance,
    judge,
    quantile_distance,
    usual,
)
from soda_checks.profile_season import former_years, season, worth_reading

LIMITS = Limits(4.5, 0.35, 4, 8, 10)


def test_planted_changes_are_alarmed_with_their_first_batch() -> None:
    found = detections(6)
    planted, hits = np.array(list(found.values())).sum(axis=0)
    assert planted == 6 * len(found) == 6 * 21
    assert hits / planted >= 0.95
    assert min(hits for _, hits in found.values()) >= 3


def test_ordinary_seasons_are_hardly_alarmed() -> None:
    # From the middle of August to the New Year: a school year begins, the nation has its holidays.
    found = false_alarms(1, days=150)
    judged, raised = np.array(list(found.values())).sum(axis=0)
    assert judged == 150 * len(found) > 5_000
    assert 1000 * raised / judged <= 1.5


def test_a_shift_is_alarmed_once_and_then_the_new_normal() -> None:
    random = np.random.default_rng(7)
    series = counts(random, SEASONS["weekly"], 400, 0.05)
    series[-100:] = np.round(series[-100:] * 4)
    found = alarms(series, ROWS, COUNT)
    assert found == [len(series) - 100]
    # Back at the old level: another change.
    series[-50:] = np.round(series[-50:] / 4)
    assert alarms(series, ROWS, COUNT) == [len(series) - 100, len(series) - 50]


def test_a_single_wild_batch_moves_no_norm() -> None:
    watch = Watch(ROWS, COUNT, [400.0] * 30)
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
