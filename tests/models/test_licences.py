"""Base 电子证照库 against the truth: whose every licence is, of what type, and whether it holds."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tests.models.movement_truth import Row, business_date, fetched, pids, spoilt, truth


def _status(row: Row, today: date) -> str:
    if row["revoked_on"] is not None and row["revoked_on"] <= today:
        return "revoked"
    ended = row["valid_until"] is not None and row["valid_until"] < today
    return "expired" if ended else "valid"


def test_every_readable_licence_has_its_holder_type_and_status(built_city: Path) -> None:
    today, pid = business_date(), pids(built_city)
    unreadable = spoilt(built_city, "licence_register.licence", "holder_pid")
    wrong_codes = spoilt(built_city, "licence_register.licence", "holder_uscc")
    expected = {
        row["licence_id"]: (pid.get(row["holder_person_id"]), row["type_code"], _status(row, today))
        for row in truth(built_city, "licence")
        if row["licence_id"] not in unreadable
    }
    found = fetched(
        "select licence.licence_id, identity.pid, licence.type_code, licence.status, licence.uscc"
        " from base.base_licence__licence as licence"
        " left join base.base_population__identity as identity using (identifier_key)"
    )
    assert {it: tuple(rest) for it, *rest, _ in found} == expected
    firms = {row["licence_id"]: row["holder_uscc"] for row in truth(built_city, "licence")}
    assert {it: uscc for it, *_, uscc in found if it not in wrong_codes} == {
        it: firms[it] for it in expected if it not in wrong_codes
    }
    assert {status for _, _, status in expected.values()} == {"valid", "expired", "revoked"}
