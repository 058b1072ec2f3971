"""Single odd answers and settings of HTTP sources: each is explained, none is an error nobody foresaw."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from api_server import ApiServer, failing, serving, visits
from clinic import Raw
from fastapi import Response
from test_ingest_http_api import fatal, held, landed, rejected, spec

from huiliu.settings import forget_settings
from ingestion.errors import RetryableIngestError
from ingestion.run import ingest_source

Write = Callable[..., Path]
CURSOR = {"paging": {"type": "cursor", "field": "next"}, "total_field": None}
LINK = {"paging": {"type": "link", "field": "next"}, "total_field": None}
SECRET = "test_odd_key"  # noqa: S105 - the secret's name
DEEP = b"[" * 600 + b"]" * 600


@pytest.fixture
def api(specs: Write, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    with serving(visits()) as server:
        monkeypatch.setenv("HUILIU_URL_CLINIC_API", server.url)
        yield server


@pytest.mark.parametrize(
    ("container", "body", "message"),
    [
        ({}, b'{"total": {"a": 1, "a": 2}, "rows": []}', "what total says is not clear"),
        ({}, b'{"total": ' + DEEP + b', "rows": []}', "what total says is not clear"),
        ({}, b'{"total": ' + b"9" * 5000 + b', "rows": []}', "has no number 'total'"),
        (CURSOR, b'{"next": "\\ud800", "rows": []}', "what next says is no text"),
        (CURSOR, b'{"next": {"a": 1, "a": 2}, "rows": []}', "what next says is not clear"),
        (LINK, b'{"next": "\\udfff", "rows": []}', "what next says is no text"),
        ({"success_field": "code"}, b'{"code": "\\ud800"}', "what code says is no text"),
        ({"success_field": "code"}, b'{"code": "\\u0000"}', "what code says is no text"),
    ],
)
def test_an_answer_that_says_nothing_clear_of_itself_is_explained(
    api: ApiServer, specs: Write, raw: Raw, container: dict[str, Any], body: bytes, message: str
) -> None:
    api.routes["/visits"] = lambda asked: Response(body)
    specs(spec(container))
    with fatal(message):
        ingest_source("clinic")
    assert raw.runs()[-1][1] == "failed"


@pytest.mark.parametrize("name", [b"\\ud800", b"a\\u0000b"])
def test_a_row_with_a_field_whose_name_is_no_text_is_rejected_alone(
    api: ApiServer, specs: Write, raw: Raw, name: bytes
) -> None:
    rows = b", ".join(
        b'{"visit_id": "%s", "note": "%d", "updated_at": "2026-01-01"}'
        % (row["visit_id"].encode(), row["note"])
        for row in api.rows
    )
    odd = b'{"visit_id": "x", "note": "", "updated_at": "", "' + name + b'": 1}'
    api.routes["/visits"] = lambda asked: Response(b'{"total": 26, "rows": [' + rows + b", " + odd + b"]}")
    specs(spec())
    (load,) = ingest_source("clinic")
    assert [position for position, _ in rejected(raw)] == ["page 1, row 26"]
    assert landed(raw) == held(api)
    assert "_extra" not in (load.notice or "")


def test_a_row_nested_too_deeply_is_rejected_alone(api: ApiServer, specs: Write, raw: Raw) -> None:
    odd = b'{"visit_id": "x", "updated_at": "", "note": ' + DEEP + b"}"
    api.routes["/visits"] = lambda asked: Response(b'{"total": 1, "rows": [' + odd + b"]}")
    specs(spec(max_reject_share=1, may_be_empty=True))
    ingest_source("clinic")
    assert [position for position, _ in rejected(raw)] == ["page 1, row 1"]


@pytest.mark.parametrize("wish", ["Wed, 21 Oct 99999999999999999999 07:28:00 GMT", "1 Jan", "9" * 400, "-1"])
def test_an_odd_wish_for_a_pause_is_no_reason_to_fall_over(api: ApiServer, specs: Write, wish: str) -> None:
    api.routes["/visits"] = lambda asked: failing(503, Retry_After=wish)
    specs(spec({"attempts": 2}))
    with pytest.raises(RetryableIngestError, match="503 from /visits"):
        ingest_source("clinic")


@pytest.mark.parametrize("value", ["密钥", "key\n", "key\r\nX-Admin: 1"])
@pytest.mark.parametrize(
    "auth",
    [
        {"type": "api_key", "key": SECRET},
        {"type": "token", "path": "/token", "client_id": "huiliu", "client_secret": SECRET},
        {"type": "signed", "app_id": "huiliu", "secret": SECRET},
    ],
    ids=["api_key", "token", "signed"],
)
def test_a_secret_that_cannot_be_one_is_named_and_never_sent(
    api: ApiServer, specs: Write, raw: Raw, monkeypatch: pytest.MonkeyPatch, auth: dict[str, Any], value: str
) -> None:
    monkeypatch.setenv("HUILIU_SECRET_TEST_ODD_KEY", value)
    forget_settings()
    specs(spec({"auth": auth}))
    if value.isprintable() and auth["type"] != "api_key":
        api.routes |= {"/token": lambda asked: {"access_token": "t"}}
        ingest_source("clinic")
        return
    with fatal(f"secret {SECRET}"):
        ingest_source("clinic")
    assert value not in raw.error()
    assert api.asked == []


@pytest.mark.parametrize("token", ["t\\nX-Admin: 1", "令牌", " ", "\\ud800"])
def test_a_token_no_header_can_hold_is_the_department_s_fault(
    api: ApiServer, specs: Write, token: str
) -> None:
    auth = {"type": "token", "path": "/token", "client_id": "huiliu", "client_secret": SECRET}
    api.routes["/token"] = lambda asked: Response(b'{"access_token": "%s"}' % token.encode())
    specs(spec({"auth": auth}))
    with fatal("/token (returned no access_token that a header can hold|answered something unreadable)"):
        ingest_source("clinic")


def test_a_header_that_cannot_be_sent_is_a_matter_of_settings(api: ApiServer, specs: Write) -> None:
    specs(spec({"auth": {"type": "signed", "app_id": "汇流", "secret": SECRET}}))
    with fatal("a header of the request for /visits cannot be sent"):
        ingest_source("clinic")


def test_a_url_that_is_none_is_a_matter_of_settings(
    api: ApiServer, specs: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs(spec())
    for odd in ("http://host:port/", "ftp://host/", "host/x"):
        monkeypatch.setenv("HUILIU_URL_CLINIC_API", odd)
        forget_settings()
        with fatal("(clinic_api is no HTTP address|HUILIU_URL_CLINIC_API)"):
            ingest_source("clinic")


def test_a_manifest_that_is_no_number_is_explained(api: ApiServer, specs: Write) -> None:
    api.routes["/count"] = lambda asked: Response(b'{"rows": {"a": 1, "a": 2}}')
    specs(spec(manifest={"type": "api", "path": "/count", "rows_field": "rows"}))
    with fatal("/count answered something unreadable: what rows says is not clear"):
        ingest_source("clinic")
