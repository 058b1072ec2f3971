"""The HTTP APIs of the simulated sources that are no open databases: one server, a path prefix a source.

Run by uvicorn (``simulator.source_api:create_app``, a factory). Each API stands before the source's own
database, gives tokens to its one client (``huiliu``; the secret is Huiliu's ``<source>_client``), lists what
changed since a time, oldest change first, and says "too many requests" now and then.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Form, Header, HTTPException, Query
from psycopg import sql
from psycopg.rows import dict_row
from pydantic import BaseModel

from huiliu.connections import secret
from huiliu.database import connect

CLIENT_ID = "huiliu"
TOKEN_SECONDS = 600
MOST_ROWS = 2000
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - local time, as in the database
_KEEP = 200


@dataclass(frozen=True)
class Listing:
    """A table that a source lists, and how: in numbered pages, or from cursor to cursor.

    Every ``busy_every``-th request for rows is refused with 429.
    """

    source: str
    path: str
    table: str
    key: str
    busy_every: int
    cursors: bool = False


LISTINGS = (
    Listing("marriage_registry", "/registrations", "registration", "registration_no", busy_every=7),
    Listing("disabled_federation", "/certificates", "certificate", "certificate_no", busy_every=11),
    Listing("licence_register", "/licences", "licence", "licence_id", busy_every=13, cursors=True),
)


class Desk:
    """Who is let into one source's API: tokens given out and requests counted, by one process."""

    def __init__(self, listing: Listing) -> None:
        """Open the desk of the listing's source."""
        self._listing = listing
        self._lock = threading.Lock()
        self._tokens: dict[str, float] = {}
        self._requests = 0

    def token(self, client_id: Annotated[str, Form()], client_secret: Annotated[str, Form()]) -> Token:
        """Exchange client credentials for a token."""
        right = secret(f"{self._listing.source}_client").encode()
        if client_id != CLIENT_ID or not hmac.compare_digest(client_secret.encode(), right):
            raise HTTPException(401, "invalid client")
        return Token(access_token=self._issue(), expires_in=TOKEN_SECONDS)

    def admit(self, authorization: Annotated[str, Header()] = "") -> None:
        """Refuse those without a token, and now and then everybody."""
        scheme, _, given = authorization.partition(" ")
        if scheme.lower() != "bearer" or not self._knows(given):
            raise HTTPException(401, "token missing or expired", headers={"WWW-Authenticate": "Bearer"})
        if self._busy():
            raise HTTPException(429, "too many requests", headers={"Retry-After": "1"})

    def _issue(self) -> str:
        token = secrets.token_urlsafe(24)
        now = time.monotonic()
        with self._lock:
            alive = [(it, until) for it, until in self._tokens.items() if until > now]
            self._tokens = dict(alive[-_KEEP:])
            self._tokens[token] = now + TOKEN_SECONDS
        return token

    def _knows(self, token: str) -> bool:
        with self._lock:
            return self._tokens.get(token, 0.0) > time.monotonic()

    def _busy(self) -> bool:
        with self._lock:
            self._requests += 1
            return self._requests % self._listing.busy_every == 0


class Token(BaseModel):
    """A bearer token and for how many seconds it holds."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105 - the kind of token
    expires_in: int


class Page(BaseModel):
    """A page of rows; ``total`` counts the rows of all pages."""

    total: int
    page: int
    rows: list[dict[str, Any]]


class Stretch(BaseModel):
    """Rows from a cursor on, without a total; ``next_cursor`` leads to the rest, null in the last answer."""

    next_cursor: str | None
    rows: list[dict[str, Any]]


def create_app() -> FastAPI:
    """Return the server of all APIs, with desks of its own."""
    app = FastAPI(title="数源系统接口（模拟）", docs_url=None, redoc_url=None)

    @app.get("/health")
    def health() -> dict[str, str]:
        """Say that the server answers."""
        return {"status": "ok"}

    for listing in LISTINGS:
        app.include_router(_router(listing))
    return app


def _router(listing: Listing) -> APIRouter:
    desk = Desk(listing)
    router = APIRouter(prefix=f"/{listing.source}")
    router.add_api_route("/token", desk.token, methods=["POST"])
    rows = _in_stretches(listing) if listing.cursors else _in_pages(listing)
    router.add_api_route(listing.path, rows, methods=["GET"], dependencies=[Depends(desk.admit)])
    return router


def _in_pages(listing: Listing) -> Callable[..., Page]:
    def pages(
        since: datetime | None = None,
        page: Annotated[int, Query(ge=1)] = 1,
        page_size: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 500,
    ) -> Page:
        """Return rows changed since a time (ISO 8601 without a zone)."""
        moment = since or EPOCH
        rows = _read(listing, moment, None, page_size, (page - 1) * page_size)
        return Page(total=_count(listing, moment), page=page, rows=rows)

    return pages


def _in_stretches(listing: Listing) -> Callable[..., Stretch]:
    def stretches(
        since: datetime | None = None,
        cursor: str | None = None,
        limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 500,
    ) -> Stretch:
        """Return rows changed since a time, from a cursor on: a place in the order, which no change moves."""
        rows = _read(listing, since or EPOCH, _place(cursor) if cursor else None, limit)
        last = rows[-1] if len(rows) == limit else None
        return Stretch(next_cursor=_cursor(listing, last) if last else None, rows=rows)

    return stretches


def _cursor(listing: Listing, row: dict[str, Any]) -> str:
    place = json.dumps([row["updated_at"].isoformat(), row[listing.key]])
    return base64.urlsafe_b64encode(place.encode()).decode()


def _place(cursor: str) -> tuple[datetime, Any]:
    try:
        moment, key = json.loads(base64.urlsafe_b64decode(cursor))
        return datetime.fromisoformat(moment), key
    except (binascii.Error, ValueError, TypeError) as error:
        raise HTTPException(400, "no such cursor") from error


def _count(listing: Listing, since: datetime) -> int:
    """Return how many rows changed since a time."""
    counting = sql.SQL("select count(*) from {} where updated_at >= %s").format(sql.Identifier(listing.table))
    with connect(f"source:{listing.source}") as conn:
        counted = conn.execute(counting, [since.replace(tzinfo=None)]).fetchone()
    return int(counted[0]) if counted else 0


def _read(
    listing: Listing, since: datetime, after: tuple[datetime, Any] | None, limit: int, offset: int = 0
) -> list[dict[str, Any]]:
    """Return rows that changed since a time, oldest change first, behind a place in that order."""
    names = {"table": sql.Identifier(listing.table), "key": sql.Identifier(listing.key)}
    beyond = sql.SQL("and (updated_at, {key}) > (%s, %s)").format(**names) if after else sql.SQL("")
    listed = sql.SQL(
        "select * from {table} where updated_at >= %s {beyond} order by updated_at, {key} limit %s offset %s"
    ).format(**names, beyond=beyond)
    with connect(f"source:{listing.source}") as conn, conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(listed, [since.replace(tzinfo=None), *(after or ()), limit, offset]).fetchall()
