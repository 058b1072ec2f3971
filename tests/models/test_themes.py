"""Themes of subsidies, meters, insurance, discharges and emergencies against the truth, in plain Python."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from psycopg.rows import dict_row

from huiliu.database import connect
from tests.models.movement_truth import Row, business_date, spoilt, truth

EARTH_KM = 6371
PLACE_OF = {"hazard_point": "hazard_count", "shelter": "shelter_count"}
PLACE_OF |= {"supply_store": "store_count", "rescue_team": "team_count"}


def _rows(query: str) -> list[Row]:
    with connect("warehouse") as connection:
        return connection.cursor(row_factory=dict_row).execute(query.encode()).fetchall()


def _faulty(home: Path, table: str) -> set[str]:
    """Return keys of rows with any fault, and both keys of a repeated row."""
    faults = [it for it in truth(home, "fault") if f"{it['source']}.{it['table_name']}" == table]
    keys = {str(it["row_key"]) for it in faults}
    return keys | {
        str(it[end]) for it in faults if it["kind"] == "duplicate" for end in ("original", "planted")
    }


def test_subsidies_of_a_township_and_year_are_those_paid(built_city: Path) -> None:
    nobodys = spoilt(built_city, "agriculture.subsidy", "pid")
    unreadable = spoilt(built_city, "agriculture.subsidy", "amount")
    village = {it["contract_no"]: it["village_code"] for it in truth(built_city, "land_contract")}
    paid: dict[str, Counter[str]] = defaultdict(Counter)
    receivers: dict[str, set[int]] = defaultdict(set)
    unsure = set()
    for row in truth(built_city, "land_subsidy"):
        group = f"{village[row['contract_no']][:9]}-{row['year']}"
        if row["subsidy_no"] in unreadable:
            unsure.add(group)
        fen = round(100 * row["amount"])
        paid[group] += Counter(subsidies=1, fen=fen, ares=round(100 * row["claimed_mu"]))
        if row["subsidy_no"] not in nobodys:
            receivers[group].add(row["person_id"])
    found = _rows(
        "select township_year, sum(subsidy_count) as subsidies, sum(amount) * 100 as fen,"
        " sum(claimed_mu) * 100 as ares, max(receiver_count) as receivers"
        " from theme.theme_agriculture__township_year group by township_year"
    )
    assert {it["township_year"] for it in found} == set(paid)
    known = [it for it in found if it["township_year"] not in unsure]
    assert len(known) > 20
    for row in known:
        group = row["township_year"]
        assert {name: row[name] for name in ("subsidies", "fen", "ares")} == paid[group], group
        assert row["receivers"] <= len(receivers[group])


def test_a_month_of_a_meter_holds_what_it_measured(built_city: Path) -> None:
    expected: dict[tuple[str, str], Decimal] = {}
    for source, letter in (("power", "D"), ("utilities", "U")):
        kind = "power" if source == "power" else "utility"
        accounts = {it["account_id"]: it["account_no"] for it in truth(built_city, f"{kind}_account")}
        bad_accounts = _faulty(built_city, f"{source}.account")
        bad_bills = _faulty(built_city, f"{source}.usage")
        for number, row in enumerate(truth(built_city, f"{kind}_usage"), start=1):
            account = accounts[row["account_id"]]
            if account not in bad_accounts and f"{letter}{number:010d}" not in bad_bills:
                expected[account, row["month"]] = Decimal(str(round(row["quantity"], 2)))
    found = {
        (it["account_key"].split("-", 1)[1], it["month"]): it
        for it in _rows("select account_key, month, kind, quantity, is_low from theme.theme_housing__usage")
    }
    assert len(expected) > 1500
    assert {key: found[key]["quantity"] for key in expected} == expected
    homes = [it for it in found.values() if it["kind"] == "居民生活用电"]
    assert {it["is_low"] for it in homes} == {True, False}
    # An empty home uses less than 3 kWh, one lived in more than 40; between them people came or went.
    for row in homes:
        assert row["quantity"] > 3 or row["is_low"]
        assert row["quantity"] < 40 or not row["is_low"]


def test_an_insurance_relation_is_its_persons_and_ends_with_them(built_city: Path) -> None:
    person = {it["person_id"]: it for it in truth(built_city, "person")}
    faulty = _faulty(built_city, "social_security.insurance")
    late = {
        it["person_id"] for it in truth(built_city, "fault") if it["table_name"] in ("death", "cancellation")
    }
    found = {
        str(it["insurance_id"]): it
        for it in _rows(
            "select insured.*, person.pid from theme.theme_social_security__insurance as insured"
            " left join base.base_population__person as person using (person_key)"
        )
    }
    checked = 0
    for row in truth(built_city, "insurance"):
        if str(row["insurance_id"]) in faulty:
            continue
        told, who = found[str(row["insurance_id"])], person[row["person_id"]]
        assert (told["pid"], told["insurance_kind"], told["status"]) == (
            who["pid"], row["insurance_kind"], row["status"],
        )  # fmt: skip
        assert told["is_in_force"] == (row["status"] in ("参保", "领取"))
        if row["person_id"] not in late:
            dead = who["died_on"] is not None
            assert told["is_drawn_after_death"] == (dead and row["status"] == "领取")
        checked += 1
    assert checked > 1000


def _readings(home: Path) -> dict[str, list[Row]]:
    """Return the readings that can be read, by permit."""
    lost = spoilt(home, "ecology.reading", "value")
    by_permit: dict[str, list[Row]] = defaultdict(list)
    for row in truth(home, "discharge_reading"):
        if row["shown_on"] <= business_date() and row["reading_no"] not in lost:
            by_permit[row["permit_no"]].append(row)
    return by_permit


def test_a_permit_tells_how_it_was_kept(built_city: Path) -> None:
    unsure = spoilt(built_city, "ecology.permit", "limit_value", "granted_on")
    permits = {it["permit_no"]: it for it in _rows("select * from theme.theme_ecology__permit")}
    readings = _readings(built_city)
    checked = 0
    for row in truth(built_city, "discharge_permit"):
        if row["permit_no"] in unsure:
            continue
        told, measured = permits[row["permit_no"]], readings[row["permit_no"]]
        assert told["reading_count"] == len(measured)
        assert told["exceedance_count"] == sum(it["value"] > row["limit_value"] for it in measured)
        assert told["last_measured_on"] == max((it["measured_on"] for it in measured), default=None)
        assert told["township_code"] in (row["township_code"], None)
        checked += 1
    assert checked > 10


def test_exceedances_of_a_township_are_those_of_its_permits(built_city: Path) -> None:
    placed = {
        it["permit_no"]: it
        for it in _rows("select permit_no, township_code, limit_value from theme.theme_ecology__permit")
    }
    limit = {it["permit_no"]: it["limit_value"] for it in truth(built_city, "discharge_permit")}
    expected: dict[str, Counter[str]] = defaultdict(Counter)
    for permit_no, measured in _readings(built_city).items():
        told = placed.get(permit_no, {"township_code": None, "limit_value": None})
        for row in measured:
            group = f"{told['township_code'] or '未知'}|{row['measured_on']:%Y%m}"
            exceeds = told["limit_value"] is not None and row["value"] > limit[permit_no]
            expected[group] += Counter(readings=1, exceedances=int(exceeds))
    found = _rows(
        "select township_month, sum(reading_count) as readings, sum(exceedance_count) as exceedances"
        " from theme.theme_ecology__township_month group by township_month"
    )
    assert len(expected) > 20
    told_of = {it["township_month"]: (it["readings"], it["exceedances"]) for it in found}
    assert told_of == {group: (it["readings"], it["exceedances"]) for group, it in expected.items()}


def _kilometres(one: Row, other: Row) -> float:
    """Great-circle distance by the spherical law of cosines."""
    a, b = math.radians(float(one["lat"])), math.radians(float(other["lat"]))
    apart = math.radians(float(one["lon"]) - float(other["lon"]))
    cosine = math.sin(a) * math.sin(b) + math.cos(a) * math.cos(b) * math.cos(apart)
    return EARTH_KM * math.acos(min(1.0, cosine))


def test_the_three_nearest_shelters_with_room_are_told(built_city: Path) -> None:
    places = _rows("select * from base.base_geography__place where valid_until is null and lon is not null")
    true = {it["code"]: it for it in truth(built_city, "emergency_object")}
    for place in places:
        assert _kilometres(place, true[place["place_key"].split(":")[-1]]) < 0.05
    shelters = [
        it for it in places
        if it["place_type"] == "shelter" and it["capacity"] and it["capacity"] > (it["occupied"] or 0)
    ]  # fmt: skip
    told: dict[str, list[Row]] = defaultdict(list)
    for row in _rows("select * from theme.theme_emergency__hazard_shelter order by hazard_key, nearness"):
        told[row["hazard_key"]].append(row)
    compared = 0
    for hazard in (it for it in places if it["place_type"] == "hazard_point"):
        district = hazard["district_code"]
        near = [it for it in shelters if it["district_code"] and district in (None, it["district_code"])]
        expected = sorted(_kilometres(hazard, it) for it in near)[:3]
        found = told.pop(hazard["place_key"], [])
        assert [it["nearness"] for it in found] == list(range(1, len(expected) + 1))
        for row, distance in zip(found, expected, strict=True):
            assert abs(float(row["distance_km"]) - distance) < 0.01
            compared += 1
    assert told == {}
    assert compared > 10


def _is_open(row: Row, today: date) -> bool:
    return row["ended_on"] is None or row["ended_on"] > today


def test_a_township_has_the_places_that_stand_in_it(built_city: Path) -> None:
    placed = {
        it["place_key"].split(":")[-1]: it
        for it in _rows("select place_key, township_code, valid_until from base.base_geography__place")
    }
    expected: dict[str, Counter[str]] = defaultdict(Counter)
    unsure = set()
    for row in truth(built_city, "emergency_object"):
        township = row["village_code"][:9]
        if placed[row["code"]]["township_code"] != township:
            unsure.add(township)
        elif row["ended_on"] is None:
            expected[township][PLACE_OF[row["object"]]] += 1
    found: dict[str, Any] = {
        it["township_code"]: it for it in _rows("select * from theme.theme_emergency__township_readiness")
    }
    known = [township for township in found if township not in unsure]
    assert len(known) > 50
    for township in known:
        told = found[township]
        assert {name: told[name] for name in PLACE_OF.values() if told[name]} == expected[township]
        assert told["has_room_for_all"] == (told["shelter_room"] >= told["threatened_people"])
    assert sum(sum(expected[it].values()) for it in known) > 30
