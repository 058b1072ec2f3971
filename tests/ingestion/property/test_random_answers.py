"""Sources that answer later: whatever is asked, repeated or killed, raw holds each answer exactly once."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from api_server import ApiServer, serving
from clinic import DAY, Raw, forget
from exchange_banks import ANSWER, PROMISE, Bank, FolderBank, HttpBank, Routes, ask, row, spec
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from killing import Killer

from huiliu import business_date
from huiliu.database import connect
from ingestion.run import ingest_source

EXAMPLES = int(os.environ.get("HUILIU_TEST_EXAMPLES", "5"))
LEDGERS = ("exchange_answer", "question", "exchange_request")


@dataclass(frozen=True)
class Day:
    """What is asked, which requests are answered, for how many of their questions, and when it is killed."""

    asked: int
    answered: tuple[tuple[int, int], ...]
    later: int  # days since the one before
    killed_after: int | None
    again: bool


DAYS = st.lists(
    st.builds(
        Day,
        st.integers(0, 3),
        st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=3).map(tuple),
        st.sampled_from([1, 1, 1, 4]),
        st.one_of(st.none(), st.integers(1, 90)),
        st.booleans(),
    ),
    min_size=2,
    max_size=6,
)


@dataclass
class Correspondence:
    """What was asked of a bank, and what it has answered."""

    bank: Bank
    specs: Path
    raw: Raw
    killer: Killer
    day: int = 0
    questions: int = 0
    answered: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # by request key

    def live(self, day: Day) -> None:
        self.day += day.later
        with connect("warehouse") as conn:
            business_date.set(conn, DAY + timedelta(days=self.day))
        ask(*(f"q{self.questions + n}" for n in range(day.asked)))
        self.questions += day.asked
        for which, count in day.answered:
            self._answer(which, count)
        if day.killed_after is not None:
            assert self.killer.load(self.specs.parent, day.killed_after) in ("killed", "done")
        ingest_source("clinic")
        self.compare()
        if day.again:
            (load,) = ingest_source("clinic")
            assert (load.rows_inserted, load.rows_updated, load.rows_deleted) == (0, 0, 0)

    def _answer(self, which: int, count: int) -> None:
        open_ = [key for key in self.bank.asked() if key not in self.answered]
        if open_:
            key = open_[which % len(open_)]
            asked = self.bank.asked()[key][: count + 1]
            # A question has one answer, however often it is asked.
            rows = [row(question["question_key"], account) for question in asked for account in ("1", "2")]
            self.answered[key] = rows
            self.bank.answer(key, rows)

    def compare(self) -> None:
        told = {tuple(each.values()) for rows in self.answered.values() for each in rows}
        held = self.raw.current(ANSWER, "question_key account_no balance")
        assert sorted(told) == held
        if self.raw.conn.execute(f"select exists (select from raw._current__{ANSWER})").fetchone() == (True,):  # noqa: S608 - a name of the tests
            assert self.raw.state_agrees(ANSWER)
        asked = self.raw.conn.execute("select question_key, status from ops.question_state").fetchall()
        assert len(asked) == self.questions
        assert {key for key, status in asked if status == "answered"} == {key for key, _, _ in held}


@pytest.mark.parametrize("transport", ["http", "files"])
def test_every_answer_lands_once(
    transport: str,
    specs: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    raw: Raw,
    killer: Killer,
) -> None:
    @seed(zlib.crc32(f"{transport} {EXAMPLES}".encode()))
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(DAYS)
    def live(life: list[Day]) -> None:
        bank = HttpBank()
        server.routes = Routes(bank)
        used: Bank = bank if transport == "http" else _folders(tmp_path)
        folders = {"outbox": str(tmp_path / "out"), "inbox": str(tmp_path / "in")}
        http = {"type": "http", "url": "bank", "attempts": 2, **PROMISE}
        path = specs(spec(http if transport == "http" else {"type": "files", **folders, **PROMISE}))
        try:
            correspondence = Correspondence(used, path, raw, killer)
            for day in life:
                correspondence.live(day)
        finally:
            _forget_questions()
            forget("clinic")

    with serving(ApiServer()) as server:
        monkeypatch.setenv("HUILIU_URL_BANK", server.url)
        live()


def _folders(base: Path) -> FolderBank:
    bank = FolderBank(base / "out", base / "in")
    for folder in (bank.outbox, bank.inbox):
        for path in folder.rglob("*.json"):
            path.unlink()
        (folder / "accounts").mkdir(parents=True, exist_ok=True)
    return bank


def _forget_questions() -> None:
    with connect("warehouse") as conn:
        for table in LEDGERS:
            conn.execute(f"delete from ops.{table}")  # noqa: S608 - names of our own
