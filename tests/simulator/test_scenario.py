"""Scripted changes reach the truth and the sources at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from simulator import days, scenario
from tests.simulator import contents

NewCity = Callable[..., Path]
TODAY = date(2026, 1, 15)


def _person(home: Path, person_id: int) -> dict[str, object]:
    return next(it for it in contents.truth(home, "person") if it["person_id"] == person_id)


def _adult(home: Path) -> int:
    faulty = {it["person_id"] for it in contents.truth(home, "fault")}
    adults = (
        it
        for it in contents.truth(home, "person")
        if it["resident"] and it["relation"] == "20" and it["birth_date"] < date(2004, 1, 1)
    )
    return int(str(next(it["person_id"] for it in adults if it["person_id"] not in faulty)))


def test_a_death_is_known_to_health_and_police(new_city: NewCity) -> None:
    home = new_city()
    person_id = _adult(home)
    scenario.die(person_id, TODAY - timedelta(days=3), home)
    person = _person(home, person_id)
    assert (person["resident"], person["died_on"]) == (False, TODAY - timedelta(days=3))
    assert contents.table("police", "resident")[str(person_id)]["status"] == "0"
    assert str(person_id) in contents.table("police", "cancellation")
    assert len(contents.table("health", "death")) >= 1
    with pytest.raises(ValueError, match="not a living resident"):
        scenario.die(person_id, TODAY, home)


def test_a_scripted_change_comes_after_the_days_own_on_the_clock(new_city: NewCity) -> None:
    home = new_city()
    days.advance(1, home)
    newest = max(str(row["updated_at"]) for row in contents.table("police", "resident").values())
    person_id = _adult(home)
    scenario.die(person_id, date(2026, 1, 16), home)
    first = str(contents.table("police", "resident")[str(person_id)]["updated_at"])
    assert first > newest
    other = _adult(home)
    scenario.die(other, date(2026, 1, 16), home)
    assert str(contents.table("police", "resident")[str(other)]["updated_at"]) > first


def test_someone_turns_sixty_and_is_a_veteran_eligible_otherwise(new_city: NewCity) -> None:
    home = new_city()
    found = scenario.turn_sixty(10, home)
    assert len(found) >= 3
    services = {it["person_id"]: it for it in contents.truth(home, "service")}
    for person_id in found:
        person = _person(home, person_id)
        birthday = person["birth_date"].replace(year=person["birth_date"].year + 60)
        assert TODAY < birthday <= TODAY + timedelta(days=10)
        assert (person["hukou_type"], person["resident"]) == ("1", True)
        assert services[person_id]["discharge_kind"] in ("义务兵退役", "士官复员")
    assert scenario.turn_sixty(0, home) == []


def test_an_award_ends(new_city: NewCity) -> None:
    home = new_city()
    award = next(it for it in contents.truth(home, "award") if it["ended_on"] is None)
    scenario.end_award(str(award["award_no"]), TODAY, home)
    row = contents.table("civil_affairs", "subsidy_award")[str(award["award_no"])]
    assert (row["ended_on"], row["stop_reason"]) == ("2026-01-15", "不再符合条件")
    ended = {it["award_no"]: it["ended_on"] for it in contents.truth(home, "award")}
    assert ended[award["award_no"]] == TODAY
    with pytest.raises(ValueError, match="no such award in force"):
        scenario.end_award(str(award["award_no"]), TODAY, home)


def test_a_move_between_districts_shows_everywhere(new_city: NewCity) -> None:
    home = new_city()
    person_id = _adult(home)
    old = _person(home, person_id)
    target = next(
        it["village_code"]
        for it in contents.truth(home, "person")
        if it["district_code"] != old["district_code"]
    )
    scenario.move(person_id, str(target), TODAY, home)
    new = _person(home, person_id)
    assert (new["village_code"], new["relation"]) == (target, "02")
    assert new["household_no"] != old["household_no"]
    assert contents.table("police", "resident")[str(person_id)]["village_code"] == target
    newest = max(contents.table("police", "move").values(), key=lambda row: str(row["updated_at"]))
    assert (newest["from_village_code"], newest["to_village_code"]) == (old["village_code"], target)
    stays = [it for it in contents.truth(home, "residence") if it["person_id"] == person_id]
    assert [(it["village_code"], it["to_date"]) for it in stays][-2:] == [
        (old["village_code"], TODAY),
        (target, None),
    ]


def test_a_row_deleted_at_its_source_stays_deleted_and_is_recorded(new_city: NewCity) -> None:
    home = new_city()
    key = str(_adult(home))
    truth = contents.truth(home, "person")
    scenario.delete_source_row("police", "resident", key, home)
    assert contents.truth(home, "person") == truth
    assert key not in contents.table("police", "resident")
    days.advance(2, home)
    assert key not in contents.table("police", "resident")
    recorded = [it for it in contents.truth(home, "fault") if it["kind"] == "deleted"]
    assert [(it["source"], it["table_name"], it["row_key"]) for it in recorded] == [
        ("police", "resident", key)
    ]
    with pytest.raises(ValueError, match="no such row"):
        scenario.delete_source_row("police", "resident", key, home)


def test_days_after_a_scripted_change_are_deterministic(new_city: NewCity) -> None:
    shown = []
    for name in ("first", "second"):
        home = new_city(name)
        scenario.die(_adult(home), TODAY, home)
        days.advance(1, home)
        shown.append(contents.fingerprint(home))
    assert shown[0] == shown[1]


def test_a_row_that_was_sent_in_a_file_of_its_day_cannot_be_deleted(home: Path) -> None:
    with pytest.raises(ValueError, match="never taken back"):
        scenario.delete_source_row("taxation", "payment", 1, home)
