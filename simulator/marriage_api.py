"""The marriage registry's HTTP API: a token, pages of registrations, and now and then "too many requests".

Run by uvicorn (``simulator.marriage_api:app``); reads the database source_marriage_registry. Client
``huiliu``, its
secret is Huiliu's secret ``marriage_registry_client``.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Form, Header, HTTPException, Query
from psycopg.rows import dict_row
from pydantic import BaseModel

from huiliu.connections import secret
from huiliu.database import connect

CLIENT_ID = "huiliu"
CLIENT_SECRET = "marriage_registry_client"  # noqa: S105 - the secret's name, not the secret
TOKEN_SECONDS = 600
BUSY_EVERY = 7  # every seventh request for rows is refused with 429
_KEEP = 200
MOST_ROWS = 2000
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - local time, as in the database


class _Desk:
    """Tokens given out and requests counted, by one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: dict[str, float] = {}
        self._requests = 0

    def issue(self) -> str:
        token = secrets.token_urlsafe(24)
        now = time.monotonic()
        with self._lock:
            alive = [(it, until) for it, until in self._tokens.items() if until > now]
            self._tokens = dict(alive[-_KEEP:])
            self._tokens[token] = now + TOKEN_SECONDS
        return token

    def admits(self, token: str) -> bool:
        with self._lock:
            return self._tokens.get(token, 0.0) > time.monotonic()

    def busy(self) -> bool:
        with self._lock:
            self._requests += 1
            return self._requests % BUSY_EVERY == 0


class Token(BaseModel):
    """A bearer token and for how many seconds it holds."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105 - the kind of token
    expires_in: int = TOKEN_SECONDS


class Page(BaseModel):
    """A page of rows; ``total`` counts the rows of all pages."""

    total: int
    page: int
    rows: list[dict[str, Any]]


app = FastAPI(title="婚姻登记接口（模拟）", docs_url=None, redoc_url=None)
_desk = _Desk()


@app.get("/health")
def health() -> dict[str, str]:
    """Say that the service answers."""
    return {"status": "ok"}


@app.post("/token")
def token(client_id: Annotated[str, Form()], client_secret: Annotated[str, Form()]) -> Token:
    """Exchange client credentials for a token."""
    right = hmac.compare_digest(client_secret.encode(), secret(CLIENT_SECRET).encode())
    if client_id != CLIENT_ID or not right:
        raise HTTPException(401, "invalid client")
    return Token(access_token=_desk.issue())


def _admitted(authorization: Annotated[str, Header()] = "") -> None:
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() != "bearer" or not _desk.admits(given):
        raise HTTPException(401, "token missing or expired", headers={"WWW-Authenticate": "Bearer"})
    if _desk.busy():
        raise HTTPException(429, "too many requests", headers={"Retry-After": "1"})


@app.get("/registrations", dependencies=[Depends(_admitted)])
def registrations(
    since: datetime | None = None,
    page: Annotated[int, Query(ge=1)] = 1,
    page_size: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 500,
) -> Page:
    """Return registrations changed since a time, oldest change first.

    Updated_at is ISO 8601 without a zone.
    """
    moment = since.replace(tzinfo=None) if since else EPOCH
    with connect("source:marriage_registry") as conn, conn.cursor(row_factory=dict_row) as cursor:
        counted = cursor.execute(
            "select count(*) as total from registration where updated_at >= %s", [moment]
        ).fetchone()
        cursor.execute(
            "select * from registration where updated_at >= %s"
            " order by updated_at, registration_no limit %s offset %s",
            [moment, page_size, (page - 1) * page_size],
        )
        rows = cursor.fetchall()
    return Page(total=counted["total"] if counted else 0, page=page, rows=rows)
