"""The banks as fixtures: a plugin of the test modules that name it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from api_server import ApiServer, serving
from exchange_banks import PROMISE, Bank, FolderBank, HttpBank, Routes, spec
from psycopg import sql

from huiliu.database import connect

Write = Callable[..., Path]


@pytest.fixture
def http_bank(specs: Write, monkeypatch: pytest.MonkeyPatch, book: None) -> Iterator[HttpBank]:
    bank = HttpBank()
    with serving(ApiServer(routes=Routes(bank))) as server:
        monkeypatch.setenv("HUILIU_URL_BANK", server.url)
        specs(spec({"type": "http", "url": "bank", "attempts": 2} | PROMISE))
        yield bank


@pytest.fixture
def folder_bank(specs: Write, tmp_path: Path, book: None) -> FolderBank:
    bank = FolderBank(tmp_path / "out", tmp_path / "in")
    bank.outbox.mkdir()
    bank.inbox.mkdir()
    specs(spec({"type": "files", "outbox": str(bank.outbox), "inbox": str(bank.inbox)} | PROMISE))
    return bank


@pytest.fixture(params=["http", "files"])
def bank(request: pytest.FixtureRequest) -> Bank:
    name = "http_bank" if request.param == "http" else "folder_bank"
    chosen: Bank = request.getfixturevalue(name)
    return chosen


@pytest.fixture
def book(home: Path) -> Iterator[None]:
    """The ledgers of questions, empty afterwards."""
    yield
    with connect("warehouse") as conn:
        for table in ("exchange_answer", "question", "exchange_request"):
            conn.execute(sql.SQL("delete from {}").format(sql.Identifier("ops", table)))
