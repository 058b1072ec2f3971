"""Sources that answer later or never, by HTTP and by files: asked, taken, asked again, given up."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from api_server import failing
from clinic import DAY, Raw
from exchange_banks import (
    ANSWER,
    Bank,
    FolderBank,
    HttpBank,
    ask,
    change,
    landed,
    load,
    requests,
    row,
    spec,
    states,
)

from huiliu.database import connect
from huiliu.errors import ConfigError
from ingestion import spec as specs_of_test
from ingestion.errors import IngestError, RetryableIngestError
from ingestion.extract import probe
from ingestion.records import Days
from ingestion.run import ingest_source
from ingestion.spec import load_spec

pytest_plugins = ["exchange_fixtures"]

Write = Callable[..., Path]


def test_open_questions_are_sent_as_one_request_and_its_answer_lands_with_a_later_load(
    bank: Bank, raw: Raw
) -> None:
    ask("b", "a")
    done = load()
    assert (done.status, done.rows_read) == ("landed", 0)
    assert done.notice == "questions without an answer: 2 pending"
    ((key, questions),) = bank.asked().items()
    assert questions == [
        {"question_key": "a", "pid": "id of a"},
        {"question_key": "b", "pid": "id of b"},
    ]
    bank.answer(key, [row("a"), row("a", "2"), row("b")])
    done = load(1)
    assert (done.rows_inserted, done.notice) == (3, None)
    assert landed(raw) == [("a", "1", "10.00"), ("a", "2", "10.00"), ("b", "1", "10.00")]
    assert requests(raw) == [("answered", 1, 2, 2)]
    load(2)
    assert len(bank.asked()) == 1


def test_an_answer_that_comes_at_once_lands_with_the_same_load(http_bank: HttpBank, raw: Raw) -> None:
    http_bank.at_once = lambda key, questions: {"rows": [row(q["question_key"]) for q in questions]}
    ask("a")
    assert load().rows_inserted == 1
    assert states(raw) == {"a": "answered"}


def test_without_questions_nothing_is_sent(bank: Bank, raw: Raw) -> None:
    assert load().notice is None
    assert bank.asked() == {}


def test_a_part_of_an_answer_lands_and_only_the_rest_is_asked_again(bank: Bank, raw: Raw) -> None:
    ask("a", "b")
    load()
    (key,) = bank.asked()
    bank.answer(key, [row("a")])
    assert load(1).rows_inserted == 1
    assert requests(raw) == [("partly_answered", 1, 2, 1)]
    load(3)
    assert len(bank.asked()) == 1
    load(4)
    assert [len(questions) for questions in bank.asked().values()] == [2, 1]
    assert states(raw) == {"a": "answered", "b": "overdue"}
    bank.answer(list(bank.asked())[-1], [row("b")])
    load(5)
    assert requests(raw) == [("answered", 2, 2, 2)]


def test_silence_is_asked_again_then_given_up_and_stays_visible(bank: Bank, raw: Raw) -> None:
    ask("a")
    load()
    (first,) = bank.asked()
    assert load(4).notice == "questions without an answer: 1 overdue"
    assert list(bank.asked()) == [first, first[:-1] + "2"]
    assert load(8).notice == "questions without an answer: 1 given up"
    assert load(12).status == "landed"
    assert len(bank.asked()) == 2
    counts = raw.conn.execute("select status, questions from ops.question_count").fetchall()
    assert counts == [("given_up", 1)]
    assert landed(raw) == []


def test_an_answer_to_the_first_attempt_is_taken_even_after_giving_up(bank: Bank, raw: Raw) -> None:
    ask("a")
    load()
    (first,) = bank.asked()
    load(4)
    load(8)
    assert states(raw) == {"a": "given_up"}
    bank.answer(first, [row("a")])
    assert load(9).rows_inserted == 1
    assert requests(raw) == [("answered", 2, 1, 1)]


def test_the_same_answer_twice_changes_nothing_and_a_correction_is_an_update(
    folder_bank: FolderBank, raw: Raw
) -> None:
    ask("a")
    load()
    (key,) = folder_bank.asked()
    folder_bank.answer(key, [row("a"), row("a")])
    assert load(1).rows_inserted == 1
    folder_bank.answer(key, [row("a"), row("a")])
    folder_bank.put(f"{key}-again.json", json.dumps({"rows": [row("a")]}))
    done = load(2)
    assert (done.rows_read, done.rows_inserted, done.rows_updated) == (1, 0, 0)
    folder_bank.answer(key, [row("a", balance="11.00")])
    assert load(3).rows_updated == 1
    assert landed(raw) == [("a", "1", "11.00")]
    load(4)
    assert list((folder_bank.inbox / "accounts").glob("*.json")) == []


def test_garbage_in_an_answer_is_rejected_and_is_no_answer(bank: Bank, raw: Raw) -> None:
    change(table={"max_reject_share": 1})
    ask("a", "b")
    load()
    (key,) = bank.asked()
    bank.answer(key, [row("a"), "nothing found", row("c"), {"question_key": "b"}])
    done = load(1)
    assert (done.rows_inserted, done.rows_quarantined) == (1, 3)
    reasons = raw.conn.execute("select reason from ops.rejected_row where source = 'clinic'").fetchall()
    assert sorted(reason for (reason,) in reasons) == [
        "a row must be an object",
        "field account_no, balance is missing",
        "it names no question of its request",
    ]
    assert states(raw) == {"a": "answered", "b": "pending"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("half an ans", "it is not JSON"),
        ('{"rows": []}', "the answer names no request"),
        ('{"request_id": "%s", "accounts": []}', "the answer has no list 'rows'"),
        ('{"request_id": {"a": 1, "a": 2}, "rows": []}', "what request_id says is not clear"),
        ('{"request_id": "\\ud800", "rows": []}', "what request_id says is no text"),
        ('{"request_id": "%s", "accounts": ' + "[" * 5000, "it is not JSON"),
        ('{"request_id": "00000000-0000-0000-0000-000000000000-1", "rows": []}', "names no request of this"),
    ],
)
def test_a_file_that_is_no_answer_is_rejected_once(
    folder_bank: FolderBank, raw: Raw, text: str, reason: str
) -> None:
    ask("a")
    load()
    (key,) = folder_bank.asked()
    folder_bank.put("odd.json", text.replace("%s", key))
    done = load(1)
    assert done.rows_quarantined == 1
    assert "1 answers could not be read and were set aside" in (done.notice or "")
    rows = raw.conn.execute(
        "select position, reason from ops.rejected_row where source = 'clinic'"
    ).fetchall()
    assert rows[0][0] == "answer odd.json"
    assert reason in rows[0][1]
    assert load(2).rows_quarantined == 0
    assert states(raw) == {"a": "pending"}


def test_a_file_that_is_still_being_written_is_left_for_the_next_load(
    folder_bank: FolderBank, raw: Raw
) -> None:
    ask("a")
    load()
    (key,) = folder_bank.asked()
    half = folder_bank.inbox / "accounts" / f"{key}.json"
    half.write_text('{"rows": [')
    assert load(1).rows_quarantined == 0
    half.write_text(json.dumps({"rows": [row("a")]}))
    assert load(2).rows_inserted == 1


def test_too_much_garbage_refuses_the_batch_and_no_question_counts_as_answered(bank: Bank, raw: Raw) -> None:
    ask("a")
    load()
    (key,) = bank.asked()
    bank.answer(key, [row("a"), "garbage"])
    with pytest.raises(IngestError, match="1 of 2 records are broken"):
        load(1)
    assert states(raw) == {"a": "pending"}
    assert landed(raw) == []


def test_a_lost_request_is_asked_again_and_a_refused_one_is_not(http_bank: HttpBank, raw: Raw) -> None:
    ask("a")
    load()
    (key,) = http_bank.received
    http_bank.answers[f"ref-{key}"] = failing(410)
    load(1)
    assert len(http_bank.received) == 2
    http_bank.answers[f"ref-{list(http_bank.received)[-1]}"] = failing(422)
    assert load(2).notice == "questions without an answer: 1 refused by the source"
    load(9)
    assert len(http_bank.received) == 2


def test_many_questions_are_spread_over_requests(bank: Bank, raw: Raw) -> None:
    ask(*"abcde")
    change(container={"max_questions_per_request": 2})
    load()
    assert sorted(len(questions) for questions in bank.asked().values()) == [1, 2, 2]


def test_a_broken_way_fails_the_load_and_loses_no_question(
    http_bank: HttpBank, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask("a")
    with monkeypatch.context() as away:
        away.setenv("HUILIU_URL_BANK", "http://127.0.0.1:1")
        with pytest.raises(RetryableIngestError, match="unreachable or busy"):
            load()
    assert load().notice == "questions without an answer: 1 pending"
    assert len(http_bank.received) == 1


def test_a_folder_that_is_not_mounted_fails_the_load(folder_bank: FolderBank) -> None:
    ask("a")
    folder_bank.outbox.rename(folder_bank.outbox.with_name("away"))
    with pytest.raises(RetryableIngestError, match=r"there is no folder .*see that it is mounted"):
        load()


KILLS = {
    "before sending": "{way}.send = die",
    "between sending and writing it down": "book.Book.sent = die",
    "before landing": "exchange._notices = die",
}


@pytest.mark.parametrize("moment", KILLS)
def test_killed_anywhere_a_question_is_asked_once_and_an_answer_lands_once(
    bank: Bank, raw: Raw, moment: str
) -> None:
    way = "http_post.HttpTransport" if isinstance(bank, HttpBank) else "folders.FolderTransport"
    ask("a")
    load()
    (first,) = bank.asked()
    bank.answer(first, [row("a")])
    ask("b")
    _killed(KILLS[moment].format(way=way))
    bank.asked()  # a file is taken away as soon as it is there
    load(1)
    assert landed(raw) == [("a", "1", "10.00")]
    assert [[q["question_key"] for q in questions] for questions in bank.asked().values()] == [["a"], ["b"]]
    assert not isinstance(bank, FolderBank) or bank.files == 2
    assert states(raw) == {"a": "answered", "b": "pending"}
    assert raw.log(ANSWER, "question_key") == [("a", "I")]


def _killed(patch: str) -> None:
    """Load in a process of its own that kills itself at a moment."""
    code = (
        "import os, pathlib\n"
        "from ingestion import spec, run\n"
        "from ingestion.exchange import book, folders, http_post\n"
        "from ingestion.extract import exchange\n"
        "def die(*_): os.kill(os.getpid(), 9)\n"
        f"{patch}\n"
        f"spec.SOURCES = pathlib.Path({str(specs_of_test.SOURCES)!r})\n"
        "run.ingest_source('clinic')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def test_of_two_loads_at_once_one_asks_and_the_other_leaves(http_bank: HttpBank, raw: Raw) -> None:
    ask("a")
    inside, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        inside.set()
        go_on.wait(20)

    http_bank.in_post = wait
    first = threading.Thread(target=load)
    first.start()
    assert inside.wait(20)
    with pytest.raises(RetryableIngestError, match="being worked on by another"):
        ingest_source("clinic")
    go_on.set()
    first.join()
    assert http_bank.posts == 1
    assert states(raw) == {"a": "pending"}


def test_a_range_of_days_cannot_be_asked_for(http_bank: HttpBank) -> None:
    with pytest.raises(IngestError, match="has no days to be read again"):
        ingest_source("clinic", days=Days(DAY, DAY))


def test_a_table_that_cannot_hold_answers_is_refused(specs: Write, http_bank: HttpBank) -> None:
    found = load_spec(
        specs(spec({"type": "http", "url": "bank"}, may_be_empty=False, mode={"type": "snapshot"}))
    )
    with pytest.raises(ConfigError, match=r"needs mode: {type: append}.*may_be_empty: true"):
        probe(found, found.tables[0])


def test_a_probe_asks_nothing(bank: Bank, raw: Raw) -> None:
    found = load_spec(specs_of_test.SOURCES / "clinic.yml")
    assert probe(found, found.tables[0]) == "no question is waiting"
    ask("a")
    assert probe(found, found.tables[0]) == "questions without an answer: 1 not asked yet"
    assert bank.asked() == {}


def test_who_asks_cannot_read_what_others_asked(home: Path, book: None) -> None:
    ask("a")
    with connect("warehouse:build") as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("select payload from ops.question")
