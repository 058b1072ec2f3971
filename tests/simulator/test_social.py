"""The truth of medicine, welfare and schooling is sane, and days change it as lives do."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from simulator import city, days, domains, rates
from simulator.calendar import to_days
from simulator.places import Places
from simulator.state import State
from tests.simulator.conftest import START

Rows = list[dict[str, object]]
SOCIAL = ("medicine", "welfare", "schooling")


def _truth(state: State) -> dict[str, Rows]:
    found = (it.truth(state) for it in domains.DOMAINS if it.name in SOCIAL)
    return {name: table.to_pylist() for tables in found for name, table in tables.items()}


@pytest.fixture(scope="module")
def tables(imagined: State) -> dict[str, Rows]:
    return _truth(imagined)


def _day(state: State, person: object, column: str) -> int:
    return int(state["person"][column][int(str(person)) - 1])


def test_settlements_fall_within_lives_and_the_last_year(tables: dict[str, Rows], imagined: State) -> None:
    rows = tables["settlement"]
    assert 1.2 < len(rows) / 6000 < 3
    for row in rows:
        settled = to_days(row["settled_on"])  # type: ignore[arg-type]  # a date column
        assert to_days(START) - 365 <= settled < to_days(START)
        assert (
            _day(imagined, row["person_id"], "birth") <= settled <= _day(imagined, row["person_id"], "died")
        )
        assert row["admitted_on"] <= row["settled_on"]  # type: ignore[operator]  # dates
    old = sum(_day(imagined, row["person_id"], "birth") < to_days(date(1961, 1, 1)) for row in rows)
    assert old / len(rows) > 0.3


def test_patients_stay_in_hospitals_only(tables: dict[str, Rows]) -> None:
    kinds = {row["facility_code"]: row["kind"] for row in tables["facility"]}
    stays = Counter(kinds[row["facility_code"]] for row in tables["settlement"] if row["kind"] == "住院")
    assert set(stays) <= {"综合医院", "中医医院"}
    assert len(stays) > 0


def test_certificates_stand_until_revoked_after_death(tables: dict[str, Rows], imagined: State) -> None:
    holders = [row["person_id"] for row in tables["certificate"]]
    assert 0.02 < len(holders) / 6000 < 0.09
    assert len(set(holders)) == len(holders)
    for row in tables["certificate"]:
        assert (row["revoked_on"] is None) or _day(imagined, row["person_id"], "died") < to_days(START)


def test_whole_rural_households_are_watched_some_without_numbers(tables: dict[str, Rows]) -> None:
    watched = tables["monitored"]
    assert 0.05 < sum(not row["has_number"] for row in watched) / len(watched) < 0.3
    assert len({row["person_id"] for row in watched}) == len(watched)


def test_a_child_is_on_one_roll_of_the_grade_that_fits_its_age(
    tables: dict[str, Rows], imagined: State
) -> None:
    active = [row for row in tables["enrolment"] if row["status"] == "在读"]
    assert 0.06 < len(active) / 6000 < 0.14
    assert max(Counter(row["person_id"] for row in active).values()) == 1
    stages = {row["school_code"]: row["stage"] for row in tables["school"]}
    for row in active:
        born = date(1970, 1, 1).toordinal() + _day(imagined, row["person_id"], "birth")
        grade = int(str(row["grade"]))
        first, last = date(2025 - grade - 5, 8, 31), date(2025 - grade - 6, 9, 1)
        assert last.toordinal() <= born <= first.toordinal()
        assert stages[row["school_code"]] == ("小学" if grade < 7 else "初中" if grade < 10 else "高中")


def test_a_school_year_begins_with_new_first_graders_and_everybody_a_grade_up(imagined: State) -> None:
    state = _copy(imagined.places)
    before = {row["enrolment_no"]: row for row in _truth(state)["enrolment"]}
    state.meta.today = to_days(date(2026, 8, 31))
    days.pass_day(state, rates.load())
    after = {row["enrolment_no"]: row for row in _truth(state)["enrolment"]}
    up = Counter(
        int(str(row["grade"])) - int(str(before[number]["grade"]))
        for number, row in after.items()
        if number in before and row["status"] == "在读"
    )
    assert set(up) == {1}
    new = Counter(row["grade"] for number, row in after.items() if number not in before)
    assert new[1] > 5
    assert {1, 7, 10} <= set(new)
    ended = Counter(row["grade"] for row in after.values() if row["ended_on"] == date(2026, 7, 1))
    assert set(ended) == {6, 9, 12}


def test_the_dead_leave_the_rolls_and_lose_their_certificates(imagined: State) -> None:
    state = _copy(imagined.places)
    before = _truth(state)
    for _ in range(40):
        days.pass_day(state, rates.load())
        state.clear_step()
    after = _truth(state)
    assert len(after["settlement"]) > len(before["settlement"]) + 40
    assert {row["status"] for row in after["enrolment"]} >= {"在读", "转出", "毕业"}
    for row in after["enrolment"]:
        if row["status"] == "在读":
            assert state["person"]["resident"][int(str(row["person_id"])) - 1]
    gone = [row for row in after["certificate"] if row["revoked_on"] is not None]
    assert len(gone) > len([row for row in before["certificate"] if row["revoked_on"] is not None])


def _copy(places: Places) -> State:
    """A city that may be changed."""
    return city.imagine(3000, 9, START, places, rates.load())
