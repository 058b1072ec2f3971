"""The marriage registry's API pages, asks for a token, and is now and then too busy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from huiliu.connections import secret
from simulator import marriage_api
from tests.simulator import contents

NewCity = Callable[..., Path]


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setattr(marriage_api, "_desk", marriage_api._Desk())
    return TestClient(marriage_api.app)


def _headers(client: TestClient) -> dict[str, str]:
    form = {"client_id": marriage_api.CLIENT_ID, "client_secret": secret(marriage_api.CLIENT_SECRET)}
    answer = client.post("/token", data=form)
    assert answer.json()["expires_in"] > 60
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def test_pages_hold_every_registration_once(new_city: NewCity, client: TestClient) -> None:
    new_city()
    headers, rows, total, page = _headers(client), [], 1, 1
    while len(rows) < total:
        answer = client.get("/registrations", params={"page": page, "page_size": 30}, headers=headers)
        if answer.status_code == 429:
            assert answer.headers["Retry-After"] == "1"
            continue
        total, page = answer.json()["total"], page + 1
        rows += answer.json()["rows"]
    expected = contents.table("marriage_registry", "registration")
    assert sorted(row["registration_no"] for row in rows) == sorted(expected)
    assert {row["kind"] for row in rows} == {"结婚", "离婚"}
    assert min(row["registered_on"] for row in rows) >= "2016-01-01"


def test_since_leaves_out_what_did_not_change(new_city: NewCity, client: TestClient) -> None:
    new_city()
    stamps = sorted(
        str(row["updated_at"]) for row in contents.table("marriage_registry", "registration").values()
    )
    since = stamps[len(stamps) // 2]
    answer = client.get("/registrations", params={"since": since.replace(" ", "T")}, headers=_headers(client))
    assert answer.json()["total"] == sum(stamp >= since for stamp in stamps)


def test_every_seventh_request_is_refused_for_a_second(new_city: NewCity, client: TestClient) -> None:
    new_city()
    headers = _headers(client)
    answers = [client.get("/registrations", headers=headers).status_code for _ in range(14)]
    assert answers == ([200] * 6 + [429]) * 2


def test_a_missing_expired_or_wrong_credential_is_refused(
    new_city: NewCity, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_city()
    assert client.get("/registrations").status_code == 401
    assert client.post("/token", data={"client_id": "huiliu", "client_secret": "no"}).status_code == 401
    monkeypatch.setattr(marriage_api, "TOKEN_SECONDS", -1)
    form = {"client_id": marriage_api.CLIENT_ID, "client_secret": secret(marriage_api.CLIENT_SECRET)}
    expired = client.post("/token", data=form).json()["access_token"]
    refused = client.get("/registrations", headers={"Authorization": f"Bearer {expired}"})
    assert refused.status_code == 401
    assert client.get("/health").json() == {"status": "ok"}
