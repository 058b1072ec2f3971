"""Lists that move while being read or end too early, and links to pages: no row is lost or falsely gone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from api_server import ApiServer, Asked, serving, visits
from clinic import Raw
from test_ingest_http_api import VISIT, fatal, held, landed, spec

from huiliu.connections import secret
from huiliu.errors import DataError
from ingestion.extract import probe
from ingestion.run import ingest_source
from ingestion.spec import load_spec

Write = Callable[..., Path]
SNAPSHOT = {"type": "snapshot"}
OFFSET = {"type": "offset", "page_size": 5}
SECRET = "test_clinic_client"  # noqa: S105 - the secret's name


@pytest.fixture
def api(specs: Write, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    with serving(visits()) as server:
        monkeypatch.setenv("HUILIU_URL_CLINIC_API", server.url)
        yield server


def offsets(api: ApiServer, *, total: bool = False) -> Callable[[Asked], object]:
    def answer(asked: Asked) -> object:
        start, size = int(asked.values["offset"]), int(asked.values["limit"])
        said = {"total": len(api.rows)} if total else {}
        return said | {"rows": api.rows[start : start + size]}

    return answer


def once(api: ApiServer, change: Callable[[], None]) -> Callable[[Asked], None]:
    """Change something after the first page of the first reading."""

    def after(asked: Asked) -> None:
        api.after = lambda asked: None
        change()

    return after


def drop(api: ApiServer) -> None:
    del api.rows[0]


def swap(api: ApiServer) -> None:
    drop(api)
    api.put("v99", "new", "2026-01-12T08:00:00")


# Lists that move -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [["visit_id"], []], ids=["key", "no key"])
@pytest.mark.parametrize(
    ("change", "total"), [(drop, False), (swap, False), (swap, True)], ids=["drop", "swap", "swap in total"]
)
def test_a_row_that_moved_out_of_sight_is_not_taken_for_deleted(
    api: ApiServer, specs: Write, raw: Raw, change: Callable[[ApiServer], None], total: bool, key: list[str]
) -> None:
    api.routes["/visits"] = offsets(api, total=total)
    specs(spec({"paging": OFFSET, "total_field": "total" if total else None}, mode=SNAPSHOT, key=key))
    ingest_source("clinic")
    api.after = once(api, lambda: change(api))
    (load,) = ingest_source("clinic")
    assert landed(raw) == held(api)
    assert (load.rows_deleted, load.notice) == (1, None)


@pytest.mark.parametrize("total", [False, True])
def test_a_list_from_which_nothing_is_gone_is_read_once(
    api: ApiServer, specs: Write, raw: Raw, total: bool
) -> None:
    api.routes["/visits"] = offsets(api, total=total)
    specs(spec({"paging": OFFSET, "total_field": "total" if total else None}, mode=SNAPSHOT))
    ingest_source("clinic")
    api.put("v03", "changed", "2026-01-12T08:00:00")
    api.asked.clear()
    ingest_source("clinic")
    assert landed(raw) == held(api)
    assert len(api.asked) == (5 if total else 6)


def test_deletes_of_a_list_that_fits_into_one_answer_need_no_second_reading(
    api: ApiServer, specs: Write, raw: Raw
) -> None:
    specs(spec({"paging": {"type": "pages"}}, mode=SNAPSHOT))
    ingest_source("clinic")
    drop(api)
    ingest_source("clinic")
    assert landed(raw) == held(api)
    assert len(api.asked) == 2


def test_deletes_land_though_the_list_grows_at_its_end_all_the_time(
    api: ApiServer, specs: Write, raw: Raw
) -> None:
    specs(spec(mode=SNAPSHOT))
    ingest_source("clinic")
    drop(api)
    api.after = lambda asked: api.put(f"w{len(api.asked)}", 0, "2026-01-12T08:00:00")
    (load,) = ingest_source("clinic")
    assert (load.rows_deleted, load.notice) == (1, None)


def test_deletes_are_put_off_while_each_reading_shows_others(api: ApiServer, specs: Write, raw: Raw) -> None:
    specs(spec(mode=SNAPSHOT))
    ingest_source("clinic")

    def restless(asked: Asked) -> None:
        if asked.values["page"] == "1":
            drop(api)
            api.put(f"w{len(api.asked)}", "new", "2026-01-12T08:00:00")

    api.after = restless
    (load,) = ingest_source("clinic")
    assert (load.rows_deleted, len(api.asked)) == (0, 12)
    assert load.notice is not None
    assert "the list changed during each reading" in load.notice
    api.after = lambda asked: None
    (load,) = ingest_source("clinic")
    assert (load.rows_deleted, load.notice) == (3, None)
    assert landed(raw) == held(api)


def test_what_no_later_load_would_read_again_is_read_twice_unless_a_total_vouches_for_it(
    api: ApiServer, specs: Write, raw: Raw
) -> None:
    api.routes["/visits"] = offsets(api)
    specs(spec({"paging": OFFSET, "total_field": None}))
    api.after = once(api, lambda: drop(api))
    ingest_source("clinic")
    assert landed(raw) == held(api)


def test_repeated_rows_of_a_table_without_a_key_must_come_twice(
    api: ApiServer, specs: Write, raw: Raw
) -> None:
    def insert() -> None:
        api.put("a00", "before all others", "2025-12-31T08:00:00")

    api.routes["/visits"] = offsets(api)
    specs(spec({"paging": OFFSET, "total_field": None}, mode=SNAPSHOT, key=[]))
    api.after = once(api, insert)
    ingest_source("clinic")
    assert landed(raw) == held(api)
    api.rows.append(api.rows[-1])
    (load,) = ingest_source("clinic")
    assert landed(raw) == held(api)
    assert load.notice is None


# Lists that end too early --------------------------------------------------------------------------------


def by_cursor(api: ApiServer, **more: object) -> Callable[[Asked], object]:
    def answer(asked: Asked) -> object:
        start = int(asked.values.get("cursor", 0))
        is_last = start + 5 >= len(api.rows)
        return {
            "rows": api.rows[start : start + 5],
            "next_cursor": None if is_last else str(start + 5),
            "next": None if is_last else f"/visits?cursor={start + 5}",
            "more": not is_last,
        } | more

    return answer


@pytest.mark.parametrize(
    ("paging", "message"),
    [
        (
            {"type": "cursor", "field": "next_cursr"},
            "an answer of /visits has no 'next_cursr'.*absent_at_end",
        ),
        ({"type": "cursor", "field": "meta.next_cursor"}, "has no 'meta.next_cursor'"),
        ({"type": "cursor", "field": "cursr", "more": "more"}, "says there is more, but has no 'cursr'"),
        ({"type": "cursor", "more": "has_more"}, "has no true or false 'has_more'"),
        ({"type": "link", "field": "nxt"}, "an answer of /visits has no 'nxt'"),
    ],
)
def test_a_misspelt_field_never_ends_a_list_at_its_first_page(
    api: ApiServer, specs: Write, raw: Raw, paging: dict[str, Any], message: str
) -> None:
    api.routes["/visits"] = by_cursor(api)
    found = load_spec(specs(spec({"paging": paging, "total_field": None}, mode=SNAPSHOT)))
    with fatal(message):
        ingest_source("clinic")
    assert landed(raw) == []
    with pytest.raises(DataError, match=message):
        probe(found, found.tables[0])


def test_more_to_come_without_a_cursor_is_no_end(api: ApiServer, specs: Write) -> None:
    api.routes["/visits"] = by_cursor(api, next_cursor=None, more=True)
    specs(spec({"paging": {"type": "cursor", "more": "more"}, "total_field": None}, mode=SNAPSHOT))
    with fatal("says there is more, but has no 'next_cursor'"):
        ingest_source("clinic")


@pytest.mark.parametrize(
    "paging",
    [
        {"type": "cursor"},
        {"type": "cursor", "more": "more"},
        {"type": "cursor", "absent_at_end": True},
        {"type": "link", "field": "next"},
        {"type": "link", "field": "next", "absent_at_end": True},
    ],
)
def test_a_list_ends_by_its_own_word(api: ApiServer, specs: Write, raw: Raw, paging: dict[str, Any]) -> None:
    answer = by_cursor(api)

    def without_nulls(asked: Asked) -> object:
        content = answer(asked)
        assert isinstance(content, dict)
        return {name: value for name, value in content.items() if value is not None}

    api.routes["/visits"] = without_nulls if paging.get("absent_at_end") else answer
    specs(spec({"paging": paging, "total_field": None}, mode=SNAPSHOT))
    ingest_source("clinic")
    assert landed(raw) == held(api)


def test_a_total_that_was_reached_is_a_word_too(api: ApiServer, specs: Write, raw: Raw) -> None:
    def answer(asked: Asked) -> object:
        start = int(asked.values.get("cursor", 0))
        following = {"next_cursor": start + 5} if start < 20 else {}
        return {"rows": api.rows[start : start + 5], "total": len(api.rows)} | following

    api.routes["/visits"] = answer
    specs(spec({"paging": {"type": "cursor"}}, mode=SNAPSHOT))
    ingest_source("clinic")
    assert landed(raw) == held(api)


# Links ---------------------------------------------------------------------------------------------------

LINK = {"paging": {"type": "link", "field": "next"}, "total_field": None}


def linked(api: ApiServer, link: str) -> Callable[[Asked], object]:
    """Two pages; the first links to the second."""

    def answer(asked: Asked) -> object:
        if "p=2" in asked.query:
            return {"rows": api.rows[20:], "next": None}
        return {"rows": api.rows[:20], "next": link}

    return answer


@pytest.mark.parametrize(
    "link",
    [
        "/base/%2e%2e/admin",
        "/base/%252e%252e/admin",
        "/base/..%2fadmin",
        "/base/..;/admin",
        "/base/%5c..%5cadmin",
        "/base/../admin",
        "/admin",
        "/basement",
        "/base",
        "http://127.0.0.1:9/base/visits",
        "http://[bad/x",
        "/base/visits?x=\u0001",
        "/base/%00",
    ],
)
def test_a_link_that_leads_elsewhere_is_not_followed_with_our_credentials(
    api: ApiServer, specs: Write, monkeypatch: pytest.MonkeyPatch, link: str
) -> None:
    monkeypatch.setenv("HUILIU_URL_CLINIC_API", f"{api.url}/base")
    api.routes["/base/visits"] = linked(api, link)
    specs(spec(LINK))
    with fatal("the next page of /visits (lies|is no address)"):
        ingest_source("clinic")
    assert [asked.path for asked in api.asked] == ["/base/visits"]


@pytest.mark.parametrize("link", ["?p=2", "visits?p=2", "/base/visits?p=2", "/base/%76isits?p=2"])
def test_a_link_is_followed_from_where_it_stands(
    api: ApiServer, specs: Write, raw: Raw, monkeypatch: pytest.MonkeyPatch, link: str
) -> None:
    monkeypatch.setenv("HUILIU_URL_CLINIC_API", f"{api.url}/base/")
    api.routes["/base/visits"] = linked(api, link)
    specs(spec(LINK))
    ingest_source("clinic")
    assert landed(raw) == held(api)


def test_a_link_keeps_its_query_as_it_was_written(api: ApiServer, specs: Write, raw: Raw) -> None:
    query = "kind=a&kind=b&at=2026-01-01T00%3a00+08&empty=&p=2"
    api.routes["/visits"] = linked(api, f"/visits?{query}")
    specs(spec(LINK))
    ingest_source("clinic")
    assert api.asked[1].query == query
    assert landed(raw) == held(api)


def test_a_posted_list_is_posted_again_to_its_link(api: ApiServer, specs: Write, raw: Raw) -> None:
    api.routes["/visits"] = linked(api, "/visits?kind=a&kind=b&p=2")
    specs(spec(LINK | {"method": "POST", "parameters": {"org": "3702"}}))
    ingest_source("clinic")
    first, second = api.asked[:2]
    assert (second.method, second.query, second.body) == ("POST", "kind=a&kind=b&p=2", first.body)
    assert landed(raw) == held(api)


def test_a_link_s_parameters_are_signed_without_an_old_signature(
    api: ApiServer, specs: Write, raw: Raw
) -> None:
    def gateway(asked: Asked) -> object:
        pairs = parse_qsl(asked.query)
        signed = sorted(pair for pair in pairs if pair[0] != "sign")
        text = "&".join("=".join(pair) for pair in signed) + secret(SECRET)
        (given,) = [value for name, value in pairs if name == "sign"]
        assert given == hashlib.sha256(text.encode()).hexdigest()
        return linked(api, f"/visits?kind=a&kind=b&{asked.query}&p=2")(asked)

    api.routes["/visits"] = gateway
    auth = {
        "type": "signed",
        "app_id": "huiliu",
        "secret": SECRET,
        "place": "parameters",
        "algorithm": "sha256",
        "text": "{parameters}{secret}",
    }
    specs(spec(LINK | {"auth": auth}))
    ingest_source("clinic")
    assert landed(raw) == held(api)
    assert raw.log(VISIT, "visit_id")[0] == ("v00", "I")
