"""Theme transport against the truth: lapsed inspections and operators without a licence."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.models.movement_truth import business_date, fetched, spoilt, truth

NEEDED = {
    "重型货车": "道路货物运输经营许可",
    "大型客车": "道路旅客运输经营许可",
    "出租客车": "巡游出租汽车经营许可",
}


def _found(kind: str) -> set[str]:
    return {
        plate
        for plate, found in fetched("select plate_no, finding_kind from theme.theme_transport__finding")
        if found == kind
    }


def test_every_lapsed_inspection_of_a_running_vehicle_is_found(built_city: Path) -> None:
    today = business_date()
    unreadable = spoilt(built_city, "transport.vehicle", "inspection_valid_until")
    expected = {
        row["plate_no"]
        for row in truth(built_city, "vehicle")
        if row["inspection_valid_until"] < today
        and (row["scrapped_on"] is None or row["scrapped_on"] > today)
        and str(row["vehicle_id"]) not in unreadable
    }
    assert _found("inspection_expired") == expected
    assert expected


def test_every_vehicle_counts_even_if_nobody_can_tell_its_owner(built_city: Path) -> None:
    nobodys = {int(it) for it in spoilt(built_city, "transport.vehicle", "owner_pid")}
    undated = {int(it) for it in spoilt(built_city, "transport.vehicle", "registered_on")}
    vehicles = truth(built_city, "vehicle")
    rows = fetched("select plate_no, person_key, uscc from theme.theme_transport__vehicle")
    assert Counter(plate for plate, *_ in rows) == Counter(row["plate_no"] for row in vehicles)
    assert {plate for plate, person, uscc in rows if person is None and uscc is None} == {
        row["plate_no"] for row in vehicles if row["vehicle_id"] in nobodys
    }
    assert nobodys
    found = fetched(
        "select month, sum(registered_count) from theme.theme_transport__township_month group by month"
    )
    assert {month: count for month, count in found if count} == Counter(
        f"{row['registered_on']:%Y%m}" for row in vehicles if row["vehicle_id"] not in undated
    )


def test_operators_without_a_licence_are_found_and_nobody_else(built_city: Path) -> None:
    today = business_date()
    lost = spoilt(built_city, "transport.licence", "holder_pid")
    licensed = {
        (row["licence_kind"], row["holder_person_id"], row["holder_uscc"])
        for row in truth(built_city, "transport_licence")
        if row["licence_no"] not in lost
        and row["valid_until"] >= today
        and (row["revoked_on"] is None or row["revoked_on"] > today)
    }
    unreadable = spoilt(built_city, "transport.vehicle", "owner_pid")
    # A spoilt credit code is another firm's, as far as anybody can see: it holds no licence.
    stray = spoilt(built_city, "transport.vehicle", "owner_uscc")
    expected = {
        row["plate_no"]
        for row in truth(built_city, "vehicle")
        if row["commercial"]
        and (row["scrapped_on"] is None or row["scrapped_on"] > today)
        and str(row["vehicle_id"]) not in unreadable
        and (
            str(row["vehicle_id"]) in stray
            or (NEEDED[row["vehicle_kind"]], row["owner_person_id"], row["owner_uscc"]) not in licensed
        )
    }
    assert _found("operator_unlicensed") == expected
    assert expected


def test_a_townships_months_add_up_to_what_was_found(built_city: Path) -> None:
    findings = fetched("select township_code, month, finding_kind from theme.theme_transport__finding")
    expected = Counter(tuple(row) for row in findings if row[1] is not None)
    months = fetched(
        "select township_code, month, inspection_expired_count, operator_unlicensed_count"
        " from theme.theme_transport__township_month"
    )
    found: Counter[tuple[str, ...]] = Counter()
    for township, month, expired, unlicensed in months:
        found[township, month, "inspection_expired"] = expired
        found[township, month, "operator_unlicensed"] = unlicensed
    assert +found == expected
