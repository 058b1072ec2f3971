"""Sources that answer later: one bad answer stops no other, and an answer counts only once it is complete."""

from __future__ import annotations

import json
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from api_server import failing
from clinic import DAY, Raw
from exchange_banks import Bank, FolderBank, HttpBank, ask, change, landed, load, row, spec, states
from fastapi import Response

from huiliu.errors import ConfigError
from ingestion.errors import IngestError, RetryableIngestError
from ingestion.extract import probe
from ingestion.spec import load_spec

pytest_plugins = ["exchange_fixtures"]

Write = Callable[..., Path]


def folder(inbox: Path) -> None:
    (inbox / "x.json").mkdir()
    (inbox / "x.json" / "y").write_text("")


def stray(inbox: Path) -> None:
    (inbox / "x.json").write_text("[1, 2]")


def broken(inbox: Path) -> None:
    (inbox / "x.json").write_text("{")


def large(inbox: Path) -> None:
    with (inbox / "x.json").open("wb") as file:
        file.truncate(2 * 2**20)


def dangling(inbox: Path) -> None:
    (inbox / "x.json").symlink_to(inbox / "nowhere")


def pipe(inbox: Path) -> None:
    os.mkfifo(inbox / "x.json")


def named_oddly(inbox: Path) -> None:
    Path(os.fsdecode(os.fsencode(inbox) + b"/\xd5\xc5.json")).write_text("[1, 2]")


def named_at_length(inbox: Path) -> None:
    (inbox / ("x" * 250 + ".json")).write_text("[1, 2]")


@pytest.mark.parametrize("put", [folder, stray, broken, large, dangling, pipe, named_oddly, named_at_length])
def test_whatever_lies_in_the_inbox_is_set_aside_and_the_answers_beside_it_land(
    folder_bank: FolderBank,
    raw: Raw,
    put: Callable[[Path], None],
) -> None:
    inbox = folder_bank.inbox / "accounts"
    change(container={"transport": {**_transport(folder_bank), "max_answer_mb": 1}})
    ask("a")
    load()
    (key,) = folder_bank.asked()
    put(inbox)
    for path in inbox.glob("*.json"):
        os.utime(path, (0, 0), follow_symlinks=False)  # not being written any more
    folder_bank.answer(key, [row("a")])
    done = load(1)
    assert (done.rows_inserted, done.rows_quarantined) == (1, 1)
    assert "1 answers could not be read and were set aside" in (done.notice or "")
    assert states(raw) == {"a": "answered"}
    assert load(2).rows_quarantined == 0
    assert list(inbox.glob("*.json")) == []
    assert len(list((inbox / ".taken").iterdir())) == 2
    put(inbox)
    load(3)


def _transport(bank: FolderBank) -> dict[str, object]:
    folders = {"outbox": str(bank.outbox), "inbox": str(bank.inbox)}
    return {"type": "files", "always_complete": True} | folders


def test_a_large_file_that_is_still_being_written_is_left_for_the_next_load(
    folder_bank: FolderBank,
    raw: Raw,
) -> None:
    change(container={"transport": {**_transport(folder_bank), "max_answer_mb": 1}})
    ask("a")
    load()
    large(folder_bank.inbox / "accounts")
    assert load(1).rows_quarantined == 0


@pytest.mark.parametrize(
    "answer",
    [
        failing(400),
        failing(403),
        failing(500),
        failing(503, Retry_After="0"),
        Response(b"nonsense"),
        Response(b"<html>"),
        Response(b'{"rows": [' + b"[" * 5000),
    ],
    ids=["400", "403", "500", "503", "nonsense", "a web page", "deep"],
)
def test_a_reference_that_answers_with_a_fault_stops_no_other(
    http_bank: HttpBank,
    raw: Raw,
    answer: Response,
) -> None:
    ask("a")
    load()
    (first,) = http_bank.received
    http_bank.answers[f"ref-{first}"] = answer
    ask("b")
    done = load(1)
    assert done.status == "landed"
    assert "1 answers could not be fetched; the first: clinic.account: " in (done.notice or "")
    second = list(http_bank.received)[-1]
    http_bank.answer(second, [row("b")])
    load(2)
    assert landed(raw) == [("b", "1", "10.00")]
    assert states(raw) == {"a": "pending", "b": "answered"}
    http_bank.answer(first, [row("a")])
    load(3)
    assert states(raw) == {"a": "answered", "b": "answered"}


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (503, RetryableIngestError, "unreachable or busy"),
        (403, IngestError, "refused /accounts"),
        (400, IngestError, "answered 400"),
    ],
)
def test_a_service_that_answers_nothing_else_fails_the_load(
    http_bank: HttpBank,
    raw: Raw,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    kind: type[Exception],
    message: str,
) -> None:
    ask("a")
    load()
    monkeypatch.setattr(http_bank, "get", lambda asked: failing(status, Retry_After="0"))
    with pytest.raises(kind, match=message):
        load(1)
    assert states(raw) == {"a": "pending"}


def test_a_reference_that_is_no_text_is_explained(
    http_bank: HttpBank,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask("a")
    odd = Response(b'{"request_id": {"a": 1, "a": 2}}', status_code=202)
    monkeypatch.setattr(http_bank, "post", lambda asked: odd)
    with pytest.raises(IngestError, match="what request_id says is not clear"):
        load()


# Complete answers ----------------------------------------------------------------------------------------


def test_a_question_is_answered_only_by_an_answer_that_says_it_is_complete(
    http_bank: HttpBank,
    raw: Raw,
) -> None:
    change(container={"transport": {"type": "http", "url": "bank", "complete_field": "meta.done"}})
    ask("a", "b")
    load()
    ((key, _),) = http_bank.received.items()
    http_bank.answers[f"ref-{key}"] = {"rows": [row("a")], "meta": {"done": False}}
    assert load(1).rows_inserted == 1
    assert states(raw) == {"a": "pending", "b": "pending"}
    whole = [row("a"), row("a", "2"), row("b")]
    http_bank.answers[f"ref-{key}"] = {"rows": whole, "meta": {"done": True}}
    assert load(2).rows_inserted == 2
    assert landed(raw) == [("a", "1", "10.00"), ("a", "2", "10.00"), ("b", "1", "10.00")]
    assert states(raw) == {"a": "answered", "b": "answered"}


def test_files_say_so_too(folder_bank: FolderBank, raw: Raw) -> None:
    transport = _transport(folder_bank) | {"always_complete": False, "complete_field": "done"}
    change(container={"transport": transport})
    ask("a")
    load()
    (key,) = folder_bank.asked()
    folder_bank.answer(key, [row("a")])  # says nothing
    load(1)
    assert states(raw) == {"a": "pending"}
    folder_bank.put(f"{key}.last.json", json.dumps({"rows": [row("a"), row("a", "2")], "done": True}))
    load(2)
    assert states(raw) == {"a": "answered"}
    assert [account for _, account, _ in landed(raw)] == ["1", "2"]


def test_a_table_of_several_rows_a_question_must_say_when_an_answer_is_complete(
    http_bank: HttpBank,
    specs: Write,
) -> None:
    transport = {"type": "http", "url": "bank"}
    found = load_spec(specs(spec(transport)))
    with pytest.raises(ConfigError, match=r"needs key: \[question_key\], or in transport .*complete_field"):
        probe(found, found.tables[0])
    one_row = load_spec(specs(spec(transport, key=["question_key"])))
    assert probe(one_row, one_row.tables[0]) == "no question is waiting"


# Who can read --------------------------------------------------------------------------------------------


def test_requests_can_be_read_by_the_folder_s_group_and_nobody_else(
    folder_bank: FolderBank,
    raw: Raw,
) -> None:
    ask("a")
    load()
    outbox, inbox = folder_bank.outbox / "accounts", folder_bank.inbox / "accounts"
    (request,) = outbox.glob("*.json")
    modes = [path.stat().st_mode & 0o777 for path in (request, outbox / ".prepared", inbox / ".taken")]
    assert [f"{mode:o}" for mode in modes] == ["640", "700", "700"]


def test_answers_taken_before_take_no_memory(bank: Bank, raw: Raw) -> None:
    raw.conn.execute(
        "insert into ops.exchange_answer (source, table_name, name, checksum, rows_read, taken_on)"
        " select 'clinic', 'account', 'answer ' || n, md5(n::text), 1, %s from generate_series(1, 50000) n",
        [DAY],
    )
    tracemalloc.start()
    load()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000
