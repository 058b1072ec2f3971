"""Theme agriculture against the truth: what is contracted, and who drew subsidies for more than that."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from tests.models.movement_truth import business_date, fetched, spoilt, truth


def test_overclaims_are_found_and_nobody_else_is_accused(built_city: Path) -> None:
    expected = {
        row["subsidy_no"]: row["overclaimed_mu"]
        for row in truth(built_city, "land_subsidy")
        if row["overclaimed_mu"] > 0
    }
    rows = fetched(
        "select subsidy_no, over_mu, verdict, evidence from theme.theme_agriculture__subsidy"
        " where not is_repeat"
    )
    found = {number: float(over) for number, over, verdict, _ in rows if verdict == "over"}
    unknown = {number for number, _, verdict, _ in rows if verdict == "unknown"}
    assert found == {it: pytest.approx(over) for it, over in expected.items() if it not in unknown}
    assert found
    assert all("承包" in evidence for number, _, _, evidence in rows if number in found)


def test_only_claims_whose_contract_cannot_be_told_are_unknown(built_city: Path) -> None:
    lost = spoilt(built_city, "agriculture.land_contract", "contractor_pid")
    nobodys = spoilt(built_city, "agriculture.subsidy", "pid")
    contract_of = {row["subsidy_no"]: row["contract_no"] for row in truth(built_city, "land_subsidy")}
    rows = fetched(
        "select subsidy_no from theme.theme_agriculture__subsidy where verdict = 'unknown' and not is_repeat"
    )
    assert {contract_of[number] for (number,) in rows if number not in nobodys} <= lost


def test_contracted_area_of_a_village_is_what_is_in_force(built_city: Path) -> None:
    today = business_date()
    undated = spoilt(built_city, "agriculture.land_contract", "term_from")
    area: dict[str, Decimal] = defaultdict(Decimal)
    left_out = set()
    for row in truth(built_city, "land_contract"):
        if row["contract_no"] in undated:
            left_out.add(row["village_code"])
        if row["term_from"] <= today <= row["term_to"]:
            area[row["village_code"]] += round(Decimal(row["area_mu"]), 2)
    found = fetched(
        "select village_code, sum(area_mu) from theme.theme_agriculture__household_area group by village_code"
    )
    assert {village: total for village, total in found if village not in left_out} == {
        village: total for village, total in area.items() if village not in left_out
    }


def test_contractors_without_a_number_keep_a_key_of_their_own(built_city: Path) -> None:
    numbered = {row["contract_no"]: row["numbered"] for row in truth(built_city, "land_contract")}
    # Fifteen digits without a check character are a claim, not a number.
    claimed = ("blank", "wrong", "id15")
    lost = spoilt(built_city, "agriculture.land_contract", "contractor_pid", kinds=claimed)
    rows = fetched("select contract_no, has_number, identifier_key from theme.theme_agriculture__contract")
    assert {number: has for number, has, _ in rows} == {
        number: has and number not in lost for number, has in numbered.items()
    }
    assert all(key is not None for *_, key in rows)
