"""Vehicles, licences and land: the truth of a new city is sane, and follows what happens to people."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from simulator import days, rates, truth
from simulator.domains import schema
from simulator.domains.licence_types import TYPES
from simulator.state import State
from tests.simulator.conftest import START

Rows = list[dict[str, object]]


def _tables(state: State, folder: Path) -> dict[str, Rows]:
    truth.write(state, folder)
    return {path.stem: pq.read_table(path).to_pylist() for path in folder.glob("*.parquet")}


@pytest.fixture(scope="module")
def tables(imagined: State, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rows]:
    return _tables(imagined, tmp_path_factory.mktemp("truth"))


def test_plates_are_unique_and_of_the_citys_letter(tables: dict[str, Rows]) -> None:
    plates = [str(row["plate_no"]) for row in tables["vehicle"]]
    assert len(set(plates)) == len(plates) > 1000
    assert {plate[:2] for plate in plates} == {"鲁N"}
    assert {len(plate) for plate in plates} == {7}


def test_a_vehicle_belongs_to_a_person_or_a_firm(tables: dict[str, Rows]) -> None:
    owners = [(row["owner_person_id"], row["owner_uscc"]) for row in tables["vehicle"]]
    assert all((person is None) != (firm is None) for person, firm in owners)
    assert {firm for _, firm in owners if firm} <= {firm["uscc"] for firm in tables["enterprise"]}


def test_some_carry_others_without_a_licence_but_most_have_one(tables: dict[str, Rows]) -> None:
    running = [row for row in tables["vehicle"] if row["commercial"] and row["scrapped_on"] is None]
    licensed = {
        (row["holder_person_id"], row["holder_uscc"])
        for row in tables["transport_licence"]
        if row["licence_kind"] != "道路运输从业资格"
    }
    share = np.mean([(row["owner_person_id"], row["owner_uscc"]) in licensed for row in running])
    assert 0.8 < share < 1


def test_the_catalogue_has_forty_types_or_more_and_most_are_held(tables: dict[str, Rows]) -> None:
    assert len(TYPES) == len({kind.code for kind in TYPES}) >= 40
    held = {row["type_code"] for row in tables["licence"]}
    assert held <= {kind.code for kind in TYPES}
    assert len(held) >= 40


def test_every_marriage_in_force_has_two_certificates(tables: dict[str, Rows]) -> None:
    code = next(kind.code for kind in TYPES if kind.label == "结婚证")
    holders = sorted(
        str(row["holder_person_id"])
        for row in tables["licence"]
        if row["type_code"] == code and row["revoked_on"] is None
    )
    spouses = sorted(
        str(row[side])
        for row in tables["marriage"]
        if row["registered_on"] >= date(2012, 1, 1) and row["end_kind"] != "离婚"  # type: ignore[operator]  # a date
        for side in ("husband_person_id", "wife_person_id")
    )
    assert holders == spouses


def test_no_licence_is_issued_in_the_future_or_ends_before_it_began(tables: dict[str, Rows]) -> None:
    for row in tables["licence"]:
        issued, until = row["issued_on"], row["valid_until"]
        assert isinstance(issued, date)
        assert issued <= START
        assert until is None or until > issued  # type: ignore[operator]  # a date


def test_overclaims_are_the_claims_beyond_the_contract(tables: dict[str, Rows]) -> None:
    area = {row["contract_no"]: row["area_mu"] for row in tables["land_contract"]}
    subsidies = tables["land_subsidy"]
    for row in subsidies:
        beyond = row["claimed_mu"] - area[row["contract_no"]]  # type: ignore[operator]  # numbers
        assert row["overclaimed_mu"] == pytest.approx(max(beyond, 0))
    assert 0.01 < np.mean([row["overclaimed_mu"] > 0 for row in subsidies]) < 0.06  # type: ignore[operator]  # a number


def test_a_contract_has_a_grown_contractor_and_a_term(tables: dict[str, Rows]) -> None:
    born = {row["person_id"]: row["birth_date"] for row in tables["person"]}
    terms = set()
    for row in tables["land_contract"]:
        started, birth = row["term_from"], born[row["person_id"]]
        assert isinstance(started, date)
        assert isinstance(birth, date)
        assert started.year - birth.year >= 20
        terms.add(row["term_to"])
    assert terms == {date(2027, 9, 30), date(2057, 9, 30)}


def test_deaths_divorces_and_scrapped_vehicles_end_their_licences(imagined: State, tmp_path: Path) -> None:
    saved = tmp_path / "state"
    saved.mkdir()
    imagined.save(saved)
    state = State.load(saved, schema())
    usual = rates.load()
    hard = usual.daily.model_copy(update={"deaths": 0.001, "divorces": 0.001})
    for _ in range(2):
        days.pass_day(state, usual.model_copy(update={"daily": hard}))
    folder = tmp_path / "truth"
    folder.mkdir()
    after = _tables(state, folder)
    died = {row["person_id"] for row in after["death"] if row["died_on"] > START}  # type: ignore[operator]  # a date
    identity = [row for row in after["licence"] if row["type_code"] == "101"]
    assert died
    assert {row["holder_person_id"] for row in identity if row["revoked_on"]} == died & {
        row["holder_person_id"] for row in identity
    }
    divorced = {
        row["husband_person_id"]
        for row in after["marriage"]
        if row["end_kind"] == "离婚" and row["ended_on"] > START  # type: ignore[operator]  # a date
    }
    assert divorced
    assert divorced <= {row["holder_person_id"] for row in after["licence"] if row["type_code"] == "112"}
