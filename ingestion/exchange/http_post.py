"""Requests by HTTP: posted under a key, answered at an address of their own when the source is ready."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Self
from urllib.parse import quote

from ingestion.containers.exchange import HttpPost
from ingestion.exchange.book import Json, SentRequest
from ingestion.exchange.transports import Delivery, RefusedError
from ingestion.http.answers import as_text, at, original
from ingestion.http.auth import Request
from ingestion.http.client import Client

ACCEPTED, NOT_FOUND, CONFLICT, GONE, REFUSED = 202, 404, 409, 410, 422
_NOBODY = "00000000-0000-0000-0000-000000000000"


class HttpTransport:
    """An HTTP service that takes requests."""

    def __init__(self, where: str, service: HttpPost, path: str) -> None:
        self.service = service
        self.path = path.rstrip("/")
        self.client = Client(where, service)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.client.__exit__(*error)

    def reach(self) -> None:
        self._ask_for(_NOBODY)

    def forget(self, taken: Collection[tuple[str, str]], keys: Collection[str]) -> None:
        """Nothing is kept on our side."""

    def prepare(self, key: str, content: Mapping[str, Json]) -> None:
        """Nothing to prepare: the service itself takes a key only once."""

    def send(self, key: str, content: Mapping[str, Json]) -> str:
        request = Request("POST", self.path, content, "json", {self.service.key_header: key})
        # 409: some services say so when they have the key already.
        answer = self.client.ask(request, expected=frozenset({CONFLICT, REFUSED}))
        if answer.status == REFUSED:
            raise RefusedError
        return as_text(at(answer.content, self.service.reference_field)) or key

    def answers(self, requests: Sequence[SentRequest]) -> Iterator[Delivery]:
        for request in requests:
            # An earlier attempt may be answered late, at its own address.
            for reference in request.refs:
                yield from self._answer(request.request_id, reference, last=reference == request.refs[-1])

    def _answer(self, request_id: str, reference: str, *, last: bool) -> Iterator[Delivery]:
        status, content = self._ask_for(reference)
        if status in (GONE, REFUSED):
            # What became of an earlier attempt says nothing of the last one.
            if last:
                yield Delivery(request_id, "lost" if status == GONE else "refused", reference)
        elif status not in (ACCEPTED, NOT_FOUND):
            rows, text = at(content, self.service.rows_field), original(content)
            checksum = hashlib.sha256(text.encode()).hexdigest()
            if isinstance(rows, list):
                yield Delivery(request_id, "rows", reference, checksum, rows)
            else:
                reason = f"the answer has no list {self.service.rows_field!r}"
                yield Delivery(request_id, "garbage", reference, checksum, text=text, reason=reason)

    def _ask_for(self, reference: str) -> tuple[int, Json]:
        path = f"{self.path}/{quote(reference, safe='')}"
        answer = self.client.ask(
            Request("GET", path), expected=frozenset({ACCEPTED, NOT_FOUND, GONE, REFUSED})
        )
        return answer.status, answer.content
