"""HTTP APIs, against a real server: ways of being let in, of paging, and all that breaks on the way."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from api_server import ApiServer, Asked, failing, serving, visits
from clinic import DAY, RESOURCE, Raw, source
from fastapi import Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, StreamingResponse

from huiliu import business_date
from huiliu.database import connect
from ingestion import spec as specs_of_test
from ingestion.errors import IngestError, RetryableIngestError
from ingestion.records import Days
from ingestion.run import ingest_source

Write = Callable[..., Path]
VISIT = "clinic__visit"
WATERMARK = {"type": "watermark", "column": "updated_at", "overlap": 1}


@pytest.fixture
def api(specs: Write, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    """A server holding 25 visits, in pages of 10, for everybody."""
    with serving(visits()) as server:
        monkeypatch.setenv("HUILIU_URL_CLINIC_API", server.url)
        specs(spec())
        yield server


def spec(container: dict[str, Any] | None = None, **more: object) -> dict[str, Any]:
    whole = {
        "type": "http_api",
        "url": "clinic_api",
        "paging": {"type": "pages", "page_size": 10},
        "attempts": 3,
    }
    visit = {
        "name": "visit",
        "title": "就诊",
        "key": ["visit_id"],
        "columns": [{"name": name, "label": name} for name in ("visit_id", "note", "updated_at")],
        "mode": WATERMARK,
        "resource": RESOURCE,
        "at_source": "/visits",
    }
    return source(whole | (container or {}), visit | more)


def held(api: ApiServer) -> list[tuple[str, str]]:
    return sorted((row["visit_id"], str(row["note"])) for row in api.rows)


def landed(raw: Raw) -> list[tuple[Any, ...]]:
    return raw.current(VISIT, "visit_id note")


def fatal(match: str) -> pytest.RaisesExc[IngestError]:
    """The load fails, and no repetition would help."""
    return pytest.raises(
        IngestError, match=match, check=lambda error: not isinstance(error, RetryableIngestError)
    )


def rejected(raw: Raw) -> list[tuple[Any, ...]]:
    return raw.conn.execute(
        "select position, reason from ops.rejected_row where source = 'clinic' order by position"
    ).fetchall()


# What is asked for ---------------------------------------------------------------------------------------


def test_pages_land_and_the_next_load_asks_only_for_what_is_new(api: ApiServer, raw: Raw) -> None:
    ingest_source("clinic")
    assert raw.runs() == [("visit", "landed", 25, 0, 0)]
    assert api.seen("since", "page") == [(None, "1"), (None, "2"), (None, "3")]
    api.put("v03", "changed", "2026-01-10T09:00:00")
    api.put("v99", None, "2026-01-10T09:00:00")
    api.asked.clear()
    ingest_source("clinic")
    assert api.seen("since", "page") == [("2026-01-08T08:00:00", "1")]
    assert raw.runs()[-1] == ("visit", "landed", 1, 1, 0)
    assert landed(raw)[-1] == ("v99", None)


@pytest.mark.parametrize(
    ("form", "asked"),
    [
        ("%Y%m%d%H%M%S", "20260108080000"),
        ("seconds", "1767830400"),  # 08:00 in China is midnight in Greenwich
        ("milliseconds", "1767830400000"),
    ],
)
def test_the_moment_is_written_as_the_api_wants_it(
    api: ApiServer, specs: Write, form: str, asked: str
) -> None:
    api.routes["/visits"] = lambda request: {"total": len(api.rows), "rows": api.rows}
    since = {"parameter": "changed_after", "format": form, "beginning": "0"}
    specs(spec({"since": since, "paging": {"type": "none"}}))
    ingest_source("clinic")
    ingest_source("clinic")
    assert api.seen("changed_after") == ["0", asked]


def test_a_growing_number_is_asked_from_the_last_one(api: ApiServer, specs: Write, raw: Raw) -> None:
    def after(asked: Asked) -> object:
        rows = [row for row in api.rows if row["note"] > int(asked.values.get("since", -1))]
        return {"total": len(rows), "rows": rows}

    api.routes["/visits"] = after
    specs(spec({"paging": {"type": "none"}}, mode={"type": "append", "column": "note"}))
    ingest_source("clinic")
    api.put("v99", 100, "2026-01-10T09:00:00")
    ingest_source("clinic")
    assert api.seen("since") == [None, "24"]
    assert [run[2:] for run in raw.runs()] == [(25, 0, 0), (1, 0, 0)]


def test_deletes_are_found_by_reading_everything_now_and_then(api: ApiServer, specs: Write, raw: Raw) -> None:
    specs(spec(mode=WATERMARK | {"reconcile_every_days": 7}))
    ingest_source("clinic")
    del api.rows[0]
    ingest_source("clinic")
    assert len(landed(raw)) == 25
    with connect("warehouse") as conn:
        business_date.set(conn, DAY + timedelta(days=7))
    ingest_source("clinic")
    assert landed(raw) == held(api)


def test_a_post_with_a_json_body_reads_nested_lists(api: ApiServer, specs: Write, raw: Raw) -> None:
    api.routes["/visits"] = lambda asked: {"code": 200, "data": {"n": {"all": 25}, "list": api.rows[:25]}}
    specs(
        spec(
            {
                "method": "POST",
                "parameters": {"org": "3702", "deep": True},
                "rows_field": "data.list",
                "total_field": "data.n.all",
                "success_field": "code",
                "paging": {"type": "pages", "page": "pageNo", "size": "pageSize", "first": 0},
            }
        )
    )
    ingest_source("clinic")
    assert json.loads(api.asked[0].body) == {"org": "3702", "deep": True, "pageNo": 0, "pageSize": 500}
    assert landed(raw) == held(api)


# Ways of paging ------------------------------------------------------------------------------------------


def by_offset(api: ApiServer) -> Callable[[Asked], object]:
    def answer(asked: Asked) -> object:
        start = int(asked.values["offset"])
        return {"rows": api.rows[start : start + min(7, int(asked.values["limit"]))]}  # gives less than asked

    return answer


def by_cursor(api: ApiServer) -> Callable[[Asked], object]:
    def answer(asked: Asked) -> object:
        start = int(asked.values.get("cursor", 0))
        following = start + 10 if start + 10 < len(api.rows) else None
        return {"rows": api.rows[start : start + 10], "next_cursor": following}

    return answer


def by_header(api: ApiServer) -> Callable[[Asked], object]:
    def answer(asked: Asked) -> Response:
        start = int(asked.values.get("from", 0))
        more = {"Link": f'</visits?from={start + 10}&org=1>; rel="next"'} if start < 20 else {}
        return JSONResponse({"rows": api.rows[start : start + 10]}, headers=more)

    return answer


def by_address(api: ApiServer) -> Callable[[Asked], object]:
    def answer(asked: Asked) -> object:
        start = int(asked.values.get("from", 0))
        return {
            "rows": api.rows[start : start + 10],
            "next": f"{api.url}/visits?from={start + 10}" if start < 20 else "",
        }

    return answer


@pytest.mark.parametrize(
    ("paging", "way"),
    [
        ({"type": "offset", "page_size": 10}, by_offset),
        ({"type": "cursor"}, by_cursor),
        ({"type": "link"}, by_header),
        ({"type": "link", "field": "next"}, by_address),
        ({"type": "none"}, lambda api: lambda asked: {"rows": api.rows}),
    ],
)
def test_each_way_of_paging_reads_every_row_once(
    api: ApiServer, specs: Write, raw: Raw, paging: dict[str, Any], way: Callable[..., Any]
) -> None:
    api.routes["/visits"] = way(api)
    specs(spec({"paging": paging, "total_field": None}, mode={"type": "snapshot"}))
    (load,) = ingest_source("clinic")
    assert (load.rows_read, load.notice) == (25, None)
    assert landed(raw) == held(api)


def windowed(api: ApiServer) -> Callable[[Asked], object]:
    def answer(asked: Asked) -> object:
        first, last = asked.values["start_date"], asked.values["end_date"]
        rows = [row for row in api.rows if first <= row["updated_at"][:10] <= last]
        page = int(asked.values["page"])
        return {"total": len(rows), "rows": rows[(page - 1) * 2 : page * 2]}

    return answer


WINDOW = {"paging": {"type": "pages", "page_size": 2}, "window": {"first_day": "2026-01-01", "days": 6}}


def test_windows_of_days_reach_from_the_first_day_to_the_business_date(
    api: ApiServer, specs: Write, raw: Raw
) -> None:
    api.routes["/visits"] = windowed(api)
    specs(spec(WINDOW))
    ingest_source("clinic")
    assert landed(raw) == held(api)
    assert sorted(set(api.seen("start_date", "end_date"))) == [
        ("2026-01-01", "2026-01-06"),
        ("2026-01-07", "2026-01-12"),
        ("2026-01-13", "2026-01-15"),
    ]
    api.asked.clear()
    ingest_source("clinic")
    assert api.seen("start_date")[0] == "2026-01-08"


def test_a_range_of_days_is_read_again(api: ApiServer, specs: Write, raw: Raw) -> None:
    api.routes["/visits"] = windowed(api)
    specs(spec(WINDOW))
    ingest_source("clinic")
    api.rows[0]["note"] = "corrected without a trace"
    ingest_source("clinic")
    assert landed(raw) != held(api)
    api.asked.clear()
    ingest_source("clinic", days=days("2026-01-01", "2026-01-02"))
    assert set(api.seen("start_date", "end_date")) == {("2026-01-01", "2026-01-02")}
    assert landed(raw) == held(api)


def days(first: str, last: str) -> Days:
    return Days(date.fromisoformat(first), date.fromisoformat(last))


def test_an_api_without_windows_cannot_be_asked_for_days(api: ApiServer) -> None:
    ingest_source("clinic")
    with fatal("cannot be asked for a range of days"):
        ingest_source("clinic", days=days("2026-01-01", "2026-01-02"))


def test_a_half_open_window_ends_where_the_next_begins(api: ApiServer, specs: Write) -> None:
    api.routes["/visits"] = lambda asked: {"total": 0, "rows": []}
    window = {"first_day": "2026-01-08", "days": 7, "format": "%Y-%m-%d %H:%M:%S", "inclusive": False}
    specs(spec({"window": window}, may_be_empty=True))
    ingest_source("clinic")
    assert api.seen("start_date", "end_date") == [
        ("2026-01-08 00:00:00", "2026-01-15 00:00:00"),
        ("2026-01-15 00:00:00", "2026-01-16 00:00:00"),
    ]


# Passing faults ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dated", [False, True], ids=["seconds", "date"])
def test_a_busy_api_is_waited_for_as_long_as_it_asks(api: ApiServer, raw: Raw, dated: bool) -> None:
    def busy(asked: Asked) -> Response:
        until = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True) if dated else "1"
        return failing(429, Retry_After=until)

    api.trouble = {2: busy, 4: failing(503)}
    begun = time.monotonic()
    ingest_source("clinic")
    assert time.monotonic() - begun >= 1
    assert landed(raw) == held(api)
    assert len(api.asked) == 5


def test_a_wish_for_an_hour_ends_the_load_at_once(api: ApiServer) -> None:
    api.trouble = {1: failing(429, Retry_After="3600")}
    with pytest.raises(RetryableIngestError, match="after 1 attempts: 429 from /visits"):
        ingest_source("clinic")


def test_airbyte_12821_a_failed_attempt_moves_no_watermark_and_the_retry_lands_every_row(
    api: ApiServer, raw: Raw
) -> None:
    ingest_source("clinic")
    for n in range(30, 55):
        api.put(f"v{n}", n, f"2026-01-11T08:{n}:00")
    api.asked.clear()
    api.trouble = {n: failing(500, Retry_After="0") for n in (3, 4, 5)}  # the third page, three times
    with pytest.raises(RetryableIngestError, match="unreachable or busy after 3 attempts: 500 from /visits"):
        ingest_source("clinic")
    assert api.seen("page") == ["1", "2", "3", "3", "3"]
    assert raw.runs()[-1] == ("visit", "failed", None, None, None)
    assert len(landed(raw)) == 25
    api.asked.clear()
    ingest_source("clinic")
    assert api.seen("since")[0] == "2026-01-08T08:00:00"
    assert landed(raw) == held(api)


def test_a_load_killed_in_mid_page_lands_nothing_and_the_next_one_everything(
    api: ApiServer, raw: Raw
) -> None:
    code = (
        "import pathlib\n"
        "from ingestion import run, spec\n"
        f"spec.SOURCES = pathlib.Path({str(specs_of_test.SOURCES)!r})\n"
        "run.ingest_source('clinic')\n"
    )
    loads: list[subprocess.Popen[bytes]] = []

    def kill(asked: Asked) -> object:
        loads[0].kill()
        loads[0].wait()
        return failing(503)

    api.trouble = {2: kill}
    loads.append(subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL))
    assert loads[0].wait(60) == -9
    assert landed(raw) == []
    _until_free(raw)
    ingest_source("clinic")
    assert landed(raw) == held(api)
    assert [run[1] for run in raw.runs()] == ["abandoned", "landed"]


def _until_free(raw: Raw) -> None:
    """Wait until the server has noticed that the killed load is gone."""
    for _ in range(100):
        rows = raw.conn.execute("select 1 from pg_locks where locktype = 'advisory'").fetchall()
        if not rows:
            return
        time.sleep(0.1)


def test_an_api_that_is_away_is_worth_a_retry(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUILIU_URL_CLINIC_API", "http://127.0.0.1:1")
    with pytest.raises(RetryableIngestError, match="unreachable or busy after 3 attempts: ConnectError"):
        ingest_source("clinic")


def test_an_api_that_falls_silent_is_left_after_its_time(api: ApiServer, specs: Write, raw: Raw) -> None:
    api.trouble = {1: lambda asked: time.sleep(1)}
    specs(spec({"timeout_seconds": 0.3}))
    ingest_source("clinic")
    assert landed(raw) == held(api)


def test_an_answer_that_trickles_for_ever_is_left_after_the_table_s_time(
    api: ApiServer, specs: Write
) -> None:
    def trickle() -> Iterator[bytes]:
        for _ in range(40):
            yield b" "
            time.sleep(0.1)

    api.routes["/visits"] = lambda asked: StreamingResponse(trickle())
    specs(spec({"total_seconds": 0.5}))
    with pytest.raises(RetryableIngestError, match=r"took longer than 0\.5 seconds"):
        ingest_source("clinic")


@pytest.mark.parametrize(
    "cut",
    [
        Response(b'{"total": 25, "rows": [', headers={"Content-Length": "400"}),
        Response(b'{"total": 25, "rows": [{"visit_id": "v0'),
        Response(gzip.compress(b'{"total": 25, "rows": []}')[:-9], headers={"Content-Encoding": "gzip"}),
    ],
    ids=["shorter than said", "half a text", "half a gzip"],
)
def test_an_answer_cut_off_on_its_way_is_asked_for_again(api: ApiServer, raw: Raw, cut: Response) -> None:
    api.trouble = {2: cut}
    (load,) = ingest_source("clinic")
    assert (load.rows_read, len(api.asked)) == (25, 4)
    assert landed(raw) == held(api)


def test_the_api_is_asked_no_faster_than_it_allows(api: ApiServer, specs: Write) -> None:
    specs(spec({"requests_per_second": 5}))
    begun = time.monotonic()
    ingest_source("clinic")
    assert time.monotonic() - begun >= 0.4  # three requests


# Lasting faults ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (HTMLResponse("<html>请登录</html>"), "not JSON but a web page.*login page"),
        (RedirectResponse("/login"), "/visits answered 307"),
        (Response(b"nonsense"), "answered something unreadable: it is not JSON"),
        (Response(b"[" * 100_000), "answered something unreadable: it is not JSON"),
        (JSONResponse({"rows": []}), "has no number 'total'.*total_field: null"),
        (JSONResponse({"total": 1, "data": []}), "has no list 'rows'.*rows_field"),
        (failing(404), "/visits answered 404.*correct at_source"),
        (failing(403), r"refused /visits .403."),
    ],
)
def test_an_answer_that_is_no_list_is_explained(api: ApiServer, answer: Response, message: str) -> None:
    api.routes["/visits"] = lambda asked: answer
    with fatal(message):
        ingest_source("clinic")


def test_a_gzip_answer_is_read(api: ApiServer, raw: Raw) -> None:
    api.routes["/visits"] = lambda asked: Response(
        gzip.compress(json.dumps(api.pages(asked)).encode()), headers={"Content-Encoding": "gzip"}
    )
    ingest_source("clinic")
    assert landed(raw) == held(api)


def test_a_gzip_bomb_is_refused_before_it_fills_the_memory(api: ApiServer, specs: Write) -> None:
    bomb = gzip.compress(b'{"total": 1, "rows": ["' + b"x" * 50_000_000 + b'"]}')
    assert len(bomb) < 100_000
    api.routes["/visits"] = lambda asked: Response(bomb, headers={"Content-Encoding": "gzip"})
    specs(spec({"max_answer_mb": 1}))
    with fatal(r"answered more than 1 MB.*page_size"):
        ingest_source("clinic")


def test_a_gateway_that_says_200_to_everything_is_not_believed(
    api: ApiServer, specs: Write, raw: Raw
) -> None:
    specs(spec({"success_field": "code", "busy_values": [1001]}))
    good = api.pages
    api.routes["/visits"] = lambda asked: good(asked) | {"code": 0}  # type: ignore[operator]  # it is a dict
    api.trouble = {2: {"code": 1001}}
    ingest_source("clinic")
    assert landed(raw) == held(api)
    api.trouble = {len(api.asked) + 1: {"code": 40003, "msg": "张三无权限"}}
    with fatal("/visits answered code 40003"):
        ingest_source("clinic")
    assert "张三" not in raw.error()


# A list that moves while being read ----------------------------------------------------------------------


def test_a_list_that_moves_while_being_read_is_read_again(api: ApiServer, raw: Raw) -> None:
    def move(asked: Asked) -> None:
        if len(api.asked) == 1:
            # A row of page 1 moves to the end: page 2 begins one row later, and one row would be missed.
            api.put("v00", "moved", "2026-01-12T08:00:00")

    api.after = move
    (load,) = ingest_source("clinic")
    assert landed(raw) == held(api)
    assert (load.rows_read, load.notice, len(api.asked)) == (25, None, 6)


def test_a_row_shown_again_by_an_api_without_a_total_is_noticed(
    api: ApiServer, specs: Write, raw: Raw
) -> None:
    def insert(asked: Asked) -> None:
        if len(api.asked) == 1:
            api.put("a00", "before all others", "2025-12-31T08:00:00")

    api.after = insert
    specs(spec({"total_field": None}, mode={"type": "snapshot"}))
    (load,) = ingest_source("clinic")
    assert (load.rows_read, load.notice) == (26, None)
    assert landed(raw) == held(api)


def test_an_empty_page_in_the_middle_is_no_end(api: ApiServer, raw: Raw) -> None:
    api.trouble = {2: {"total": 25, "rows": []}}
    ingest_source("clinic")
    assert landed(raw) == held(api)


def test_a_list_that_grows_at_its_end_is_read_in_one_go(api: ApiServer, raw: Raw) -> None:
    api.after = lambda asked: api.put(f"w{len(api.asked)}", 0, "2026-01-12T08:00:00")
    ingest_source("clinic")
    assert len(api.asked) == 3
    assert landed(raw) == held(api)[:-1]  # the last came after the last page


def test_a_row_deleted_while_the_list_is_read_does_not_hide_another(api: ApiServer, raw: Raw) -> None:
    def delete(asked: Asked) -> None:
        if len(api.asked) == 1:
            del api.rows[0]

    api.after = delete
    ingest_source("clinic")
    assert landed(raw) == held(api)


def test_a_list_that_never_stands_still_is_left_for_later(api: ApiServer) -> None:
    api.after = lambda asked: api.put(f"w{len(api.asked)}", 0, "2025-12-31T08:00:00")
    with pytest.raises(RetryableIngestError, match="changed during each of 3 readings"):
        ingest_source("clinic")


def test_a_list_that_is_never_as_long_as_its_total_is_refused(api: ApiServer) -> None:
    api.routes["/visits"] = lambda asked: api.pages(asked) | {"total": 30}  # type: ignore[operator]  # a dict
    with fatal("another number of rows than its total, twice the same"):
        ingest_source("clinic")


def test_a_key_listed_twice_keeps_its_later_version(api: ApiServer, raw: Raw) -> None:
    api.rows.append({"visit_id": "v01", "note": "later", "updated_at": "2026-01-09T09:00:00"})
    (load,) = ingest_source("clinic")
    assert (load.rows_inserted, load.rows_read) == (25, 26)
    assert load.notice == "the list repeats some keys: 26 rows hold 25 keys"
    assert ("v01", "later") in landed(raw)


def test_an_api_that_takes_no_notice_of_the_page_is_found_out(api: ApiServer) -> None:
    api.routes["/visits"] = lambda asked: {"total": 20, "rows": api.rows[:10]}
    with fatal("page 2 holds the same rows as the page before"):
        ingest_source("clinic")


def test_a_cursor_that_goes_in_circles_is_found_out(api: ApiServer, specs: Write) -> None:
    api.routes["/visits"] = lambda asked: {
        "rows": [api.rows[len(api.asked) % 25]],
        "next_cursor": f"c{len(api.asked) % 4}",
    }
    specs(spec({"paging": {"type": "cursor"}, "total_field": None}))
    with fatal("has no end: the same cursor came twice"):
        ingest_source("clinic")


def test_a_cursor_that_never_ends_is_left(api: ApiServer, specs: Write) -> None:
    api.routes["/visits"] = lambda asked: {"rows": [], "next_cursor": f"c{len(api.asked)}"}
    specs(spec({"paging": {"type": "cursor"}, "total_field": None, "max_pages": 20}))
    with fatal("has no end: there are more than 20 pages"):
        ingest_source("clinic")
    assert len(api.asked) == 21


def test_a_next_page_on_another_server_is_not_asked(api: ApiServer, specs: Write) -> None:
    api.routes["/visits"] = lambda asked: {"rows": api.rows[:1], "next": "http://127.0.0.2:9/visits"}
    specs(spec({"paging": {"type": "link", "field": "next"}, "total_field": None}))
    with fatal("the next page of /visits lies on another server"):
        ingest_source("clinic")


# Rows and fields -----------------------------------------------------------------------------------------


def test_a_missing_field_everywhere_fails_the_table(api: ApiServer) -> None:
    for row in api.rows:
        row["remark"] = row.pop("note")
    with fatal(r"column note is missing; the source has remark.*source_name: remark"):
        ingest_source("clinic")


def test_a_row_without_a_field_is_rejected_alone(api: ApiServer, raw: Raw) -> None:
    del api.rows[7]["note"]
    (load,) = ingest_source("clinic")
    assert (load.rows_read, load.rows_inserted, load.rows_quarantined) == (25, 24, 1)
    assert rejected(raw) == [("page 1, row 8", "field note is missing")]


def test_an_absent_field_can_mean_null_but_a_missing_column_is_still_found(
    api: ApiServer, specs: Write, raw: Raw
) -> None:
    specs(spec({"absent_fields": "allow"}))
    for row in api.rows[:20]:
        del row["note"]
    ingest_source("clinic")
    assert [note for _, note in landed(raw)].count(None) == 20
    for row in api.rows:
        row.pop("note", None)
    specs(spec({"absent_fields": "allow"}, mode={"type": "snapshot"}))
    with fatal("column note is missing"):
        ingest_source("clinic")


def test_a_new_field_is_kept_and_reported(api: ApiServer, raw: Raw) -> None:
    api.rows[20]["ward"] = {"no": 1.50}
    (load,) = ingest_source("clinic")
    assert load.notice == "columns the spec does not know were kept in _extra: ward"
    extras = [extra for _, extra in raw.current(VISIT, "visit_id _extra") if extra]
    assert extras == ['{"ward": "{\\"no\\": 1.5}"}']


BROKEN = [
    (b'"just a text"', "a row must be an object"),
    (b'{"visit_id": "x", "note": 1, "note": 2, "updated_at": "2026-01-01"}', "a key is written twice"),
    (b'{"visit_id": "x", "note": {"a": 1, "a": 2}, "updated_at": "2026-01-01"}', "a key is written twice"),
    (b'{"visit_id": "x", "note": "a\\u0000b", "updated_at": "2026-01-01"}', "the row holds a NUL character"),
    (b'{"visit_id": "x", "note": "\\ud800", "updated_at": ""}', "the row has no text that can be stored"),
]


@pytest.mark.parametrize(("broken", "reason"), BROKEN)
def test_a_broken_row_is_rejected_alone(api: ApiServer, raw: Raw, broken: bytes, reason: str) -> None:
    good = json.dumps(api.rows).encode()
    body = b'{"total": 26, "rows": ' + good[:-1] + b", " + broken + b"]}"
    api.routes["/visits"] = lambda asked: Response(body)
    ingest_source("clinic")
    assert rejected(raw) == [("page 1, row 26", reason)]
    assert landed(raw) == held(api)


def test_too_many_broken_rows_refuse_the_batch(api: ApiServer, raw: Raw) -> None:
    for row in api.rows[:3]:
        del row["note"]
    with fatal("3 of 25 records are broken, more than the allowed 5.0%"):
        ingest_source("clinic")
    assert landed(raw) == []


def test_values_keep_the_form_they_were_written_in(api: ApiServer, raw: Raw) -> None:
    notes = [
        b"1.50",
        b"true",
        b'{"a": [1.0, "\xe4\xba\x8c"]}',
        b'"text"',
        b'""',
        b"1e400",
        b"12345678901234567890",
    ]
    rows = b", ".join(
        b'{"visit_id": "v%d", "note": %s, "updated_at": "2026-01-01"}' % pair for pair in enumerate(notes)
    )
    api.routes["/visits"] = lambda asked: Response(b'{"total": 7, "rows": [' + rows + b"]}")
    ingest_source("clinic")
    assert [note for _, note in landed(raw)] == [
        *("1.50", "true", '{"a": [1.0, "二"]}', "text", "", "1e400", "12345678901234567890")
    ]


def test_a_dotted_source_name_looks_into_objects(api: ApiServer, specs: Write, raw: Raw) -> None:
    api.rows = [
        {"id": "v1", "patient": {"name": "甲", "age": 3}, "updated_at": "2026-01-01"},
        {"id": "v2", "patient": None, "updated_at": "2026-01-01"},
    ]
    columns = [
        {"name": "visit_id", "label": "编号", "source_name": "id"},
        {"name": "note", "label": "姓名", "source_name": "patient.name"},
        {"name": "updated_at", "label": "时间"},
    ]
    specs(spec(columns=columns))
    (load,) = ingest_source("clinic")
    assert landed(raw) == [("v1", "甲"), ("v2", None)]
    assert load.notice == "columns the spec does not know were kept in _extra: patient.age"


def test_an_answer_in_gb18030_is_read(api: ApiServer, raw: Raw) -> None:
    api.put("v00", "𠮷林", "2026-01-01")
    api.routes["/visits"] = lambda asked: Response(
        json.dumps(api.pages(asked), ensure_ascii=False).encode("gb18030"),
        headers={"Content-Type": "application/json; charset=GBK"},
    )
    ingest_source("clinic")
    assert landed(raw) == held(api)


def test_an_empty_list_is_an_error_at_the_first_load_only(api: ApiServer, raw: Raw) -> None:
    api.rows, rows = [], api.rows
    with fatal(r"clinic\.visit: the source has no row"):
        ingest_source("clinic")
    api.rows = rows
    ingest_source("clinic")
    api.rows = []  # nothing changed since
    ingest_source("clinic")
    assert [run[1:3] for run in raw.runs()] == [("failed", None), ("landed", 25), ("landed", 0)]


def test_an_empty_list_lands_where_the_spec_allows_it(api: ApiServer, specs: Write, raw: Raw) -> None:
    specs(spec(may_be_empty=True))
    api.rows = []
    ingest_source("clinic")
    assert raw.runs() == [("visit", "landed", 0, 0, 0)]


def test_a_manifest_that_disagrees_refuses_the_batch(api: ApiServer, specs: Write, raw: Raw) -> None:
    api.routes["/visits/count"] = lambda asked: {"data": {"rows": 26}}
    specs(spec(manifest={"type": "api", "path": "/visits/count", "rows_field": "data.rows"}))
    with fatal("/visits/count says 26 rows, there are 25"):
        ingest_source("clinic")
    assert landed(raw) == []
    api.put("v99", "the missing one", "2026-01-12T08:00:00")
    ingest_source("clinic")
    assert landed(raw) == held(api)
