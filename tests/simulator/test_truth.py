"""The truth of a new city is sane, and follows its configuration."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from itertools import pairwise
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from stdnum.cn import ric, uscc

from huiliu import regions as region_files
from huiliu.settings import PROJECT_ROOT
from simulator import city, rates, truth
from simulator.places import from_regions
from simulator.state import State
from tests.simulator.conftest import START

Rows = list[dict[str, object]]


@pytest.fixture(scope="module")
def tables(imagined: State, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rows]:
    """Every truth table as a test sees it."""
    folder = tmp_path_factory.mktemp("truth")
    truth.write(imagined, folder)
    return {path.stem: pq.read_table(path).to_pylist() for path in folder.glob("*.parquet")}


@pytest.fixture(scope="module")
def living(tables: dict[str, Rows]) -> Rows:
    return [person for person in tables["person"] if person["resident"]]


def test_the_city_has_as_many_living_residents_as_asked(living: Rows) -> None:
    assert len(living) == 6000


def test_resident_ids_are_unique_and_pass_an_independent_check(tables: dict[str, Rows]) -> None:
    pids = [person["pid"] for person in tables["person"]]
    assert len(set(pids)) == len(pids)
    for person in tables["person"]:
        pid = str(person["pid"])
        # Not ric.validate: its list of regions may be behind the city's file.
        assert ric.calc_check_digit(pid) == pid[-1]
        assert pid[6:14] == f"{person['birth_date']:%Y%m%d}"
        assert (int(pid[16]) % 2 == 1) == (person["sex"] == "1")


def test_credit_codes_pass_an_independent_check(tables: dict[str, Rows]) -> None:
    codes = [str(firm["uscc"]) for firm in tables["enterprise"]]
    assert len(set(codes)) == len(codes)
    for code in codes:
        assert uscc.validate(code) == code


def test_every_household_has_one_living_head_who_is_a_member(tables: dict[str, Rows], living: Rows) -> None:
    heads = Counter(person["household_no"] for person in living if person["relation"] == "02")
    assert set(heads) == {person["household_no"] for person in living}
    assert set(heads.values()) == {1}
    by_id = {person["person_id"]: person for person in living}
    for household in tables["household"]:
        head = by_id[household["head_person_id"]]
        assert (head["household_no"], head["relation"]) == (household["household_no"], "02")
        assert head["village_code"] == household["village_code"]


def test_residence_intervals_follow_each_other_without_gap(tables: dict[str, Rows]) -> None:
    stays = defaultdict(list)
    for row in tables["residence"]:
        stays[row["person_id"]].append(row)
    for person in tables["person"]:
        own = sorted(stays[person["person_id"]], key=lambda row: row["from_date"])
        assert all(earlier["to_date"] == later["from_date"] for earlier, later in pairwise(own))
        assert own[-1]["village_code"] == person["village_code"]
        assert own[-1]["to_date"] == (person["died_on"] or person["left_on"])
        assert own[0]["from_date"] >= person["birth_date"]


def test_nobody_does_anything_before_birth_or_after_death(tables: dict[str, Rows]) -> None:
    people = {person["person_id"]: person for person in tables["person"]}
    events = {
        "insurance": ("started_on", "ended_on"),
        "employment": ("started_on", "ended_on"),
        "award": ("started_on",),
        "service": ("enlisted_on", "discharged_on"),
    }
    for name, columns in events.items():
        for row in tables[name]:
            person = people[row["person_id"]]
            days = [row[column] for column in columns if row[column]]
            assert days == sorted(days)
            assert person["birth_date"] < days[0]
            assert days[-1] <= max(START, days[0])
            assert person["died_on"] is None or days[-1] <= person["died_on"]


def test_couples_are_of_age_and_parents_come_before_children(tables: dict[str, Rows]) -> None:
    people = {person["person_id"]: person for person in tables["person"]}
    for row in tables["marriage"]:
        for side, age in (("husband", 22), ("wife", 20)):
            person = people[row[f"{side}_person_id"]]
            assert (row["registered_on"] - person["birth_date"]).days >= age * 365.24
            assert person["died_on"] is None or row["registered_on"] < person["died_on"]
        assert row["ended_on"] is None or row["ended_on"] > row["registered_on"]
    for row in tables["birth"]:
        for parent in (row["mother_person_id"], row["father_person_id"]):
            assert (row["born_on"] - people[parent]["birth_date"]).days > 19 * 365


def test_shares_are_those_of_a_chinese_prefecture(tables: dict[str, Rows], living: Rows) -> None:
    ages = [(START - person["birth_date"]).days / 365.25 for person in living]
    assert 0.2 < sum(age >= 60 for age in ages) / len(ages) < 0.32
    assert 0.1 < sum(age < 15 for age in ages) / len(ages) < 0.18
    assert abs(sum(person["hukou_type"] == "1" for person in living) / len(living) - 0.55) < 0.03
    assert 0.012 < len({row["person_id"] for row in tables["service"]}) / len(living) < 0.025
    assert 0.47 < sum(person["sex"] == "1" for person in living) / len(living) < 0.53


def test_some_veterans_turn_sixty_in_the_first_days(tables: dict[str, Rows]) -> None:
    people = {person["person_id"]: person for person in tables["person"]}
    veterans = [people[row["person_id"]] for row in tables["service"]]
    due = [it for it in veterans if date(1966, 1, 15) < it["birth_date"] <= date(1966, 1, 25)]
    assert sum(it["hukou_type"] == "1" and it["died_on"] is None for it in due) >= 3


def test_namesakes_exist_and_names_have_two_to_four_characters(living: Rows) -> None:
    names = Counter(str(person["name"]) for person in living)
    assert names.most_common(1)[0][1] > 3
    assert {len(name) for name in names} <= {2, 3, 4}


def test_a_death_is_late_in_at_most_one_source(tables: dict[str, Rows]) -> None:
    assert tables["death"]
    for row in tables["death"]:
        assert row["died_on"] in (row["health_reported_on"], row["police_reported_on"])


def test_a_city_without_villages_lives_in_its_townships(tables: dict[str, Rows], living: Rows) -> None:
    assert {person["village_code"] for person in living} == {
        f"{person['township_code']}000" for person in living
    }
    assert {str(person["township_code"])[:4] for person in living} == {"3714"}
    assert {str(person["district_code"]) for person in living} == {"371402", "371422", "371428", "371481"}


def test_every_township_of_yantai_gets_people() -> None:
    places = from_regions(region_files.load(PROJECT_ROOT / "reference" / "regions" / "yantai.csv"))
    state = city.imagine(20_000, 3, START, places, rates.load())
    person = state["person"]
    settled = set(places.township_code(person["village"][person["resident"]]).to_pylist())
    assert settled == set(places.township_codes.to_pylist())
    assert len(settled) == 159


def test_no_city_is_named_in_the_code() -> None:
    for path in sorted((PROJECT_ROOT / "simulator").rglob("*.py")):
        text = path.read_text(encoding="utf-8").lower()
        assert not any(name in text for name in ("烟台", "yantai", "3706")), Path(path).name
