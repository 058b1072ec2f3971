"""HTTP APIs, against a real server: token and expiry, pages, 429 with Retry-After, all that breaks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import pytest
import uvicorn
from clinic import RESOURCE, Raw, source
from fastapi import FastAPI, Form, Header, HTTPException

from huiliu import connections
from ingestion.errors import IngestError, RetryableIngestError
from ingestion.extract import http_api
from ingestion.run import ingest_source

Write = Callable[..., Path]
VISIT = "clinic__visit"


@dataclass
class Registry:
    """What the server holds and how it misbehaves."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    requests: list[tuple[str, int]] = field(default_factory=list)
    trouble: dict[int, tuple[int, dict[str, str]]] = field(default_factory=dict)  # request number -> answer
    after_page: Callable[[int], None] = lambda page: None
    secret: str = ""

    def put(self, visit_id: str, note: object, updated_at: str) -> None:
        self.rows = [row for row in self.rows if row["visit_id"] != visit_id]
        self.rows.append({"visit_id": visit_id, "note": note, "updated_at": updated_at})
        self.rows.sort(key=lambda row: (row["updated_at"], row["visit_id"]))


def app(registry: Registry) -> FastAPI:
    api = FastAPI()

    @api.post("/token")
    def token(client_id: Annotated[str, Form()], client_secret: Annotated[str, Form()]) -> dict[str, Any]:
        if (client_id, client_secret) != ("clinic-reader", registry.secret):
            raise HTTPException(401)
        registry.tokens.append(f"token{len(registry.tokens)}")
        return {"access_token": registry.tokens[-1], "expires_in": 3600}

    @api.get("/visits")
    def visits(
        since: str, page: int, page_size: int, authorization: Annotated[str, Header()] = ""
    ) -> dict[str, Any]:
        registry.requests.append((since, page))
        status, headers = registry.trouble.pop(len(registry.requests), (200, {}))
        if status != 200:
            raise HTTPException(status, headers=headers)
        if not registry.tokens or authorization != f"Bearer {registry.tokens[-1]}":
            raise HTTPException(401)
        found = [row for row in registry.rows if row["updated_at"] >= since]
        answer = {"total": len(found), "page": page, "rows": found[(page - 1) * page_size : page * page_size]}
        registry.after_page(page)
        return answer

    return api


@pytest.fixture
def registry(specs: Write, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """A server on loopback holding 25 visits, in pages of 10."""
    held = Registry(secret=connections.secret("test_clinic_client"))
    for n in range(25):
        held.put(f"v{n:02}", n, f"2026-01-{n % 9 + 1:02}T08:00:00")
    server = uvicorn.Server(uvicorn.Config(app(held), host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    monkeypatch.setenv("HUILIU_URL_CLINIC_API", f"http://127.0.0.1:{port}")
    specs(spec())
    yield held
    server.should_exit = True
    thread.join()


def spec(**more: object) -> dict[str, Any]:
    container = {
        "type": "http_api",
        "url": "clinic_api",
        "token": {"path": "/token", "client_id": "clinic-reader", "client_secret": "test_clinic_client"},
        "page_size": 10,
        "attempts": 3,
    }
    columns = [{"name": name, "label": name} for name in ("visit_id", "note", "updated_at")]
    visit = {
        "name": "visit",
        "title": "就诊",
        "key": ["visit_id"],
        "columns": columns,
        "mode": {"type": "watermark", "column": "updated_at", "overlap_days": 1},
        "resource": RESOURCE,
        "at_source": "/visits",
    }
    return source(container, visit | more)


def at_source(registry: Registry) -> list[tuple[str, str]]:
    return sorted((row["visit_id"], str(row["note"])) for row in registry.rows)


def test_pages_land_and_the_next_load_asks_only_for_what_is_new(registry: Registry, raw: Raw) -> None:
    ingest_source("clinic")
    assert raw.runs() == [("visit", "landed", 25, 0, 0)]
    assert registry.requests == [(http_api.FROM_THE_START, page) for page in (1, 2, 3)]
    registry.put("v03", "changed", "2026-01-10T09:00:00")
    registry.put("v99", None, "2026-01-10T09:00:00")
    registry.requests.clear()
    ingest_source("clinic")
    assert registry.requests == [("2026-01-08T08:00:00", 1)]
    assert raw.runs()[-1] == ("visit", "landed", 1, 1, 0)
    assert raw.current(VISIT, "visit_id note")[-1] == ("v99", None)


def test_a_busy_api_is_waited_for_as_long_as_it_asks(registry: Registry, raw: Raw) -> None:
    registry.trouble = {2: (429, {"Retry-After": "1"}), 4: (503, {})}
    begun = time.monotonic()
    ingest_source("clinic")
    assert time.monotonic() - begun >= 1
    assert raw.current(VISIT, "visit_id note") == at_source(registry)
    assert len(registry.requests) == 5


def test_an_expired_token_is_renewed_in_mid_list(registry: Registry, raw: Raw) -> None:
    def expire(page: int) -> None:
        if page == 1:
            registry.tokens.append("expired")

    registry.after_page = expire
    ingest_source("clinic")
    assert registry.tokens == ["token0", "expired", "token2"]
    assert raw.current(VISIT, "visit_id note") == at_source(registry)


def test_a_list_that_moves_while_being_read_is_read_again(registry: Registry, raw: Raw) -> None:
    def move(page: int) -> None:
        if page == 1 and len(registry.requests) == 1:
            # A row of page 1 moves to the end: page 2 begins one row later, and one row would be missed.
            registry.put("v00", "moved", "2026-01-12T08:00:00")

    registry.after_page = move
    (load,) = ingest_source("clinic")
    assert raw.current(VISIT, "visit_id note") == at_source(registry)
    assert (load.rows_read, load.notice) == (25, None)
    assert len(registry.requests) == 6


def test_a_source_that_dies_in_mid_page_lands_nothing_and_moves_no_watermark(
    registry: Registry, raw: Raw
) -> None:
    ingest_source("clinic")
    for n in range(30, 55):
        registry.put(f"v{n}", n, "2026-01-11T08:00:00")
    before = len(registry.requests)
    registry.trouble = {before + n: (500, {"Retry-After": "0"}) for n in (2, 3, 4)}
    with pytest.raises(RetryableIngestError, match="unreachable or busy after 3 attempts: 500 from /visits"):
        ingest_source("clinic")
    assert raw.runs()[-1] == ("visit", "failed", None, None, None)
    assert len(raw.current(VISIT, "visit_id")) == 25
    ingest_source("clinic")
    assert raw.current(VISIT, "visit_id note") == at_source(registry)


def test_a_key_listed_twice_keeps_its_later_version(registry: Registry, raw: Raw) -> None:
    registry.rows.append({"visit_id": "v01", "note": "later", "updated_at": "2026-01-09T09:00:00"})
    (load,) = ingest_source("clinic")
    assert (load.rows_inserted, load.rows_read) == (25, 26)
    assert load.notice is not None
    assert "repeats some keys" in load.notice
    assert ("v01", "later") in raw.current(VISIT, "visit_id note")


def test_a_wrong_secret_is_named_but_not_shown(registry: Registry, raw: Raw) -> None:
    registry.secret = connections.secret("test_another_client")
    with pytest.raises(IngestError, match=r"refused a token .401..*the secret test_clinic_client") as raised:
        ingest_source("clinic")
    assert not isinstance(raised.value, RetryableIngestError)
    assert connections.secret("test_clinic_client") not in raw.error()


def test_a_missing_field_everywhere_fails_the_table(registry: Registry) -> None:
    for row in registry.rows:
        row["remark"] = row.pop("note")
    with pytest.raises(
        IngestError, match=r"column note is missing; the source has remark.*source_name: remark"
    ):
        ingest_source("clinic")


def test_a_row_without_a_field_is_rejected_alone(registry: Registry, raw: Raw) -> None:
    del registry.rows[7]["note"]
    (load,) = ingest_source("clinic")
    assert (load.rows_read, load.rows_inserted, load.rows_quarantined) == (25, 24, 1)
    reason = raw.conn.execute(
        "select position, reason from ops.rejected_row where source = 'clinic'"
    ).fetchall()
    assert reason == [("page 1, row 8", "field note is missing")]


def test_an_api_that_is_away_is_worth_a_retry(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUILIU_URL_CLINIC_API", "http://127.0.0.1:1")
    with pytest.raises(RetryableIngestError, match="unreachable or busy after 3 attempts: ConnectError"):
        ingest_source("clinic")


def test_values_keep_the_form_they_were_written_in(registry: Registry, raw: Raw) -> None:
    registry.rows = []
    for n, note in enumerate([1.50, True, {"a": [1, "二"]}, "文本", ""]):
        registry.put(f"v{n}", note, "2026-01-01T00:00:00")
    ingest_source("clinic")
    assert [note for _, note in raw.current(VISIT, "visit_id note")] == [
        "1.5",
        "true",
        '{"a": ["1", "二"]}',
        "文本",
        "",
    ]


def test_an_empty_list_is_an_error_at_the_first_load_only(registry: Registry, specs: Write, raw: Raw) -> None:
    registry.rows, held = [], registry.rows
    with pytest.raises(IngestError, match=r"clinic\.visit: the source has no row"):
        ingest_source("clinic")
    registry.rows = held
    ingest_source("clinic")
    registry.rows = []  # nothing changed since
    ingest_source("clinic")
    assert raw.runs() == [
        ("visit", "failed", None, None, None),
        ("visit", "landed", 25, 0, 0),
        ("visit", "landed", 0, 0, 0),
    ]


def test_an_empty_list_lands_where_the_spec_allows_it(registry: Registry, specs: Write, raw: Raw) -> None:
    specs(spec(may_be_empty=True))
    registry.rows = []
    ingest_source("clinic")
    assert raw.runs() == [("visit", "landed", 0, 0, 0)]


def test_a_wrong_path_is_fatal(registry: Registry, specs: Write) -> None:
    specs(spec(at_source="/visitors"))
    with pytest.raises(IngestError, match=r"/visitors answered 404.*correct at_source") as raised:
        ingest_source("clinic")
    assert not isinstance(raised.value, RetryableIngestError)
