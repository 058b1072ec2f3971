"""The sources' APIs page, ask for a token, and are now and then too busy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from huiliu.connections import secret
from simulator import source_api
from tests.simulator import contents

NewCity = Callable[..., Path]
LETTING_IN = "/marriage_registry/token"
REGISTRATIONS = "/marriage_registry/registrations"


@pytest.fixture
def client() -> TestClient:
    return TestClient(source_api.create_app())


def _credentials(source: str) -> dict[str, str]:
    return {"client_id": source_api.CLIENT_ID, "client_secret": secret(f"{source}_client")}


def _headers(client: TestClient, source: str = "marriage_registry") -> dict[str, str]:
    answer = client.post(f"/{source}/token", data=_credentials(source))
    assert answer.json()["expires_in"] > 60
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def test_pages_hold_every_registration_once(new_city: NewCity, client: TestClient) -> None:
    new_city()
    headers, total, page = _headers(client), 1, 1
    rows: list[dict[str, str]] = []
    while len(rows) < total:
        answer = client.get(REGISTRATIONS, params={"page": page, "page_size": 30}, headers=headers)
        if answer.status_code == 429:
            assert answer.headers["Retry-After"] == "1"
            continue
        total, page = answer.json()["total"], page + 1
        rows += answer.json()["rows"]
    expected = contents.table("marriage_registry", "registration")
    assert sorted(row["registration_no"] for row in rows) == sorted(expected)
    assert {row["kind"] for row in rows} == {"结婚", "离婚"}
    assert min(row["registered_on"] for row in rows) >= "2016-01-01"


def test_cursors_lead_to_every_licence_once_and_say_no_total(new_city: NewCity, client: TestClient) -> None:
    new_city()
    headers = _headers(client, "licence_register")
    rows: list[dict[str, str]] = []
    cursor: str | None = None
    while True:
        parameters = {"limit": "1000"} | ({"cursor": cursor} if cursor else {})
        answer = client.get("/licence_register/licences", params=parameters, headers=headers)
        assert "total" not in answer.json()
        rows += answer.json()["rows"]
        if (cursor := answer.json()["next_cursor"]) is None:
            break
    expected = contents.table("licence_register", "licence")
    assert sorted(row["licence_id"] for row in rows) == sorted(expected)
    assert [row["updated_at"] for row in rows] == sorted(row["updated_at"] for row in rows)
    odd = client.get("/licence_register/licences", params={"cursor": "x"}, headers=headers)
    assert odd.status_code == 400


def test_since_leaves_out_what_did_not_change(new_city: NewCity, client: TestClient) -> None:
    new_city()
    stamps = sorted(
        str(row["updated_at"]) for row in contents.table("marriage_registry", "registration").values()
    )
    since = stamps[len(stamps) // 2]
    answer = client.get(REGISTRATIONS, params={"since": since.replace(" ", "T")}, headers=_headers(client))
    assert answer.json()["total"] == sum(stamp >= since for stamp in stamps)


def test_every_seventh_request_is_refused_for_a_second(new_city: NewCity, client: TestClient) -> None:
    new_city()
    headers = _headers(client)
    answers = [client.get(REGISTRATIONS, headers=headers).status_code for _ in range(14)]
    assert answers == ([200] * 6 + [429]) * 2


def test_a_missing_expired_or_wrong_credential_is_refused(
    new_city: NewCity, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_city()
    assert client.get(REGISTRATIONS).status_code == 401
    assert client.post(LETTING_IN, data={"client_id": "huiliu", "client_secret": "no"}).status_code == 401
    assert client.post(LETTING_IN, data=_credentials("licence_register")).status_code == 401
    monkeypatch.setattr(source_api, "TOKEN_SECONDS", -1)
    expired = client.post(LETTING_IN, data=_credentials("marriage_registry")).json()["access_token"]
    refused = client.get(REGISTRATIONS, headers={"Authorization": f"Bearer {expired}"})
    assert refused.status_code == 401
    assert client.get("/health").json() == {"status": "ok"}
