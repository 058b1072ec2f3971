"""A real HTTP server on loopback for the tests: it remembers what it was asked and misbehaves on demand."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

Row = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A request as the server saw it; `values` are its parameters, wherever they stood."""

    method: str
    path: str
    query: str
    values: dict[str, Any]
    body: bytes
    headers: dict[str, str]


Answer = Callable[[Asked], object]


@dataclass
class ApiServer:
    """Rows, and what is answered at each path; `trouble` answers the n-th request for rows instead."""

    rows: list[Row] = field(default_factory=list)
    routes: dict[str, Answer] = field(default_factory=dict)
    trouble: dict[int, object] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    after: Callable[[Asked], None] = lambda asked: None
    url: str = ""

    def answer(self, asked: Asked) -> object:
        if asked.path not in self.routes:
            return Response(status_code=404)
        if asked.path == "/token":
            return self.routes[asked.path](asked)
        self.asked.append(asked)
        odd = self.trouble.pop(len(self.asked), None)
        if odd is not None:
            return odd(asked) if callable(odd) and not isinstance(odd, Response) else odd
        answer = self.routes[asked.path](asked)
        self.after(asked)
        return answer

    def seen(self, *names: str) -> list[Any]:
        """What the requests for rows said of these parameters."""
        found = [tuple(asked.values.get(name) for name in names) for asked in self.asked]
        return [each[0] for each in found] if len(names) == 1 else found

    def put(self, key: str, note: object, updated_at: str) -> None:
        self.rows = [row for row in self.rows if row["visit_id"] != key]
        self.rows.append({"visit_id": key, "note": note, "updated_at": updated_at})
        self.rows.sort(key=lambda row: (row["updated_at"], row["visit_id"]))

    def pages(self, asked: Asked) -> object:
        """Numbered pages with a total."""
        found = [row for row in self.rows if row["updated_at"] >= asked.values.get("since", "")]
        page, size = int(asked.values["page"]), int(asked.values["page_size"])
        return {"total": len(found), "rows": found[(page - 1) * size : page * size]}


def visits() -> ApiServer:
    """A server of 25 visits, in numbered pages."""
    server = ApiServer()
    server.routes["/visits"] = server.pages
    for n in range(25):
        server.put(f"v{n:02}", n, f"2026-01-{n % 9 + 1:02}T08:00:00")
    return server


def failing(status: int, **headers: str) -> Response:
    return Response(status_code=status, headers={k.replace("_", "-"): v for k, v in headers.items()})


def _parameters(request: Request, body: bytes) -> dict[str, Any]:
    values: dict[str, Any] = dict(request.query_params)
    kind = request.headers.get("content-type", "")
    if "json" in kind:
        values |= json.loads(body)
    elif "form" in kind:
        values |= dict(parse_qsl(body.decode(), keep_blank_values=True))
    return values


class _Web:
    """A web server that answers for one ApiServer after the other: to start and stop one takes a while."""

    def __init__(self) -> None:
        self.answers_for: ApiServer | None = None
        web = uvicorn.Server(uvicorn.Config(_app(self), host="127.0.0.1", port=0, log_level="critical"))
        threading.Thread(target=web.run, daemon=True).start()
        while not web.started:
            time.sleep(0.02)
        self.url = f"http://127.0.0.1:{web.servers[0].sockets[0].getsockname()[1]}"


_IDLE: list[_Web] = []


def _app(web: _Web) -> FastAPI:
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def everything(request: Request) -> Response:
        body = await request.body()
        asked = Asked(
            request.method,
            request.url.path,
            request.url.query,
            _parameters(request, body),
            body,
            dict(request.headers),
        )
        if web.answers_for is None:
            return Response(status_code=503)
        answer = await run_in_threadpool(web.answers_for.answer, asked)
        return answer if isinstance(answer, Response) else JSONResponse(answer)

    return app


@contextmanager
def serving(server: ApiServer) -> Iterator[ApiServer]:
    """Serve on a free port of loopback until the block ends."""
    web = _IDLE.pop() if _IDLE else _Web()
    web.answers_for, server.url = server, web.url
    try:
        yield server
    finally:
        web.answers_for = None
        _IDLE.append(web)
