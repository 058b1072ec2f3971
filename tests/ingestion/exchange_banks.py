"""Two banks that answer questions, by HTTP and by files, for the tests of sources that answer later."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import yaml
from api_server import Asked, failing
from clinic import DAY, RESOURCE, Raw, source
from fastapi.responses import JSONResponse

from huiliu import business_date
from huiliu.database import connect
from ingestion import spec as specs_of_test
from ingestion.run import TableLoad, ingest_source

Row = dict[str, Any]
ANSWER = "clinic__account"
PROMISE = {"always_complete": True}


class Bank(Protocol):
    """The other side: what it was asked (by request key), and how it answers."""

    def asked(self) -> dict[str, list[Row]]: ...
    def answer(self, key: str, rows: list[Any]) -> None: ...


@dataclass
class HttpBank:
    """A bank behind an HTTP service; a key it knows is not taken again."""

    received: dict[str, list[Row]] = field(default_factory=dict)
    posts: int = 0
    answers: dict[str, object] = field(default_factory=dict)
    at_once: Callable[[str, list[Row]], object] | None = None
    in_post: Callable[[], None] = lambda: None

    def asked(self) -> dict[str, list[Row]]:
        return self.received

    def answer(self, key: str, rows: list[Any]) -> None:
        self.answers[f"ref-{key}"] = {"rows": rows}

    def post(self, asked: Asked) -> object:
        key, self.posts = asked.headers["idempotency-key"], self.posts + 1
        if key not in self.received:
            self.received[key] = asked.values["questions"]
            if self.at_once:
                self.answers[f"ref-{key}"] = self.at_once(key, asked.values["questions"])
        self.in_post()
        return JSONResponse({"request_id": f"ref-{key}"}, status_code=202)

    def get(self, asked: Asked) -> object:
        return self.answers.get(asked.path.removeprefix("/accounts/"), failing(404))


class Routes(dict[str, Any]):
    """Every reference has an address of its own."""

    def __init__(self, bank: HttpBank) -> None:
        super().__init__()
        self.bank = bank

    def __contains__(self, path: object) -> bool:
        return str(path).startswith("/accounts")

    def __getitem__(self, path: str) -> Any:  # noqa: ANN401 - one of the bank's two answers
        return self.bank.post if path == "/accounts" else self.bank.get


@dataclass
class FolderBank:
    """A bank that takes files from one folder, at once, and puts files into another."""

    outbox: Path
    inbox: Path
    received: dict[str, list[Row]] = field(default_factory=dict)
    files: int = 0

    def asked(self) -> dict[str, list[Row]]:
        for path in (self.outbox / "accounts").glob("*.json"):
            self.received[path.stem] = json.loads(path.read_text())["questions"]
            self.files += 1
            path.unlink()
        return self.received

    def answer(self, key: str, rows: list[Any]) -> None:
        self.put(f"{key}.answer.json", json.dumps({"request_id": key, "rows": rows}))

    def put(self, name: str, text: str) -> None:
        path = self.inbox / "accounts" / name
        path.write_text(text)
        os.utime(path, (0, 0))  # not being written any more


def spec(transport: dict[str, Any], *, container: dict[str, Any] | None = None, **more: object) -> Row:
    table = {
        "name": "account",
        "title": "账户查询结果",
        "key": ["question_key", "account_no"],
        "columns": [{"name": name, "label": name} for name in ("question_key", "account_no", "balance")],
        "mode": {"type": "append"},
        "may_be_empty": True,
        "resource": RESOURCE,
        "at_source": "accounts" if transport["type"] == "files" else "/accounts",
    }
    whole = {"type": "exchange", "transport": transport, "answer_within_days": 3, "ask_again": 1}
    return source(whole | (container or {}), table | more)


def change(container: Row | None = None, table: Row | None = None) -> None:
    """Write the spec again with other settings."""
    path = specs_of_test.SOURCES / "clinic.yml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["container"] |= container or {}
    content["tables"][0] |= table or {}
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


def ask(*keys: str) -> None:
    with connect("warehouse:build") as conn:
        for key in keys:
            conn.execute(
                "insert into ops.question (source, table_name, question_key, payload, asked_on)"
                " values ('clinic', 'account', %s, %s, %s)",
                [key, json.dumps({"pid": f"id of {key}"}), DAY],
            )


def load(days: int = 0) -> TableLoad:
    """Load so many days after the first day."""
    with connect("warehouse") as conn:
        business_date.set(conn, DAY + timedelta(days=days))
    (done,) = ingest_source("clinic")
    return done


def row(question: str, account: str = "1", balance: str = "10.00") -> Row:
    return {"question_key": question, "account_no": account, "balance": balance}


def landed(raw: Raw) -> list[tuple[Any, ...]]:
    return raw.current(ANSWER, "question_key account_no balance")


def states(raw: Raw) -> dict[str, str]:
    rows = raw.conn.execute("select question_key, status from ops.question_state").fetchall()
    return dict(rows)


def requests(raw: Raw) -> list[tuple[Any, ...]]:
    return raw.conn.execute(
        "select status, attempts, questions, answers from ops.exchange_request order by sent_at"
    ).fetchall()
