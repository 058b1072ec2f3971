"""Requests by HTTP: posted under a key, answered at an address of their own when the source is ready."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Self
from urllib.parse import quote

from huiliu.errors import HuiliuError, TransientError
from ingestion.containers.exchange import HttpPost
from ingestion.exchange.book import Json, SentRequest
from ingestion.exchange.transports import MOST_KEPT, Delivery, IsTaken, RefusedError, says_complete
from ingestion.http.answers import at, original
from ingestion.http.auth import Request
from ingestion.http.client import Answer, Client

ACCEPTED, NOT_FOUND, CONFLICT, GONE, REFUSED = 202, 404, 409, 410, 422
_NOBODY = "00000000-0000-0000-0000-000000000000"


class HttpTransport:
    """An HTTP service that takes requests."""

    def __init__(self, where: str, service: HttpPost, path: str) -> None:
        self.service = service
        self.path = path.rstrip("/")
        self.client = Client(where, service)
        self.answered = False  # about some reference, in this load

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.client.__exit__(*error)

    def reach(self) -> None:
        self._ask_for(_NOBODY)

    def forget(self, is_taken: IsTaken, keys: Collection[str]) -> None:
        """Nothing is kept on our side."""

    def prepare(self, key: str, content: Mapping[str, Json]) -> None:
        """Nothing to prepare: the service itself takes a key only once."""

    def send(self, key: str, content: Mapping[str, Json]) -> str:
        request = Request("POST", self.path, content, "json", {self.service.key_header: key})
        # 409: some services say so when they have the key already.
        answer = self.client.ask(request, expected=frozenset({CONFLICT, REFUSED}))
        if answer.status == REFUSED:
            raise RefusedError
        return self.client.told(self.path, answer.content, self.service.reference_field) or key

    def answers(self, requests: Sequence[SentRequest]) -> Iterator[Delivery]:
        for request in requests:
            # An earlier attempt may be answered late, at its own address.
            for reference in request.refs:
                yield from self._answer(request.request_id, reference, last=reference == request.refs[-1])

    def _answer(self, request_id: str, reference: str, *, last: bool) -> Iterator[Delivery]:
        try:
            answer = self._ask_for(reference)
        except HuiliuError as error:
            self._check_alive(error)
            yield Delivery(request_id, "fault", reference, reason=error.message)
            return
        self.answered = True
        if answer.status in (GONE, REFUSED):
            # What became of an earlier attempt says nothing of the last one.
            if last:
                yield Delivery(request_id, "lost" if answer.status == GONE else "refused", reference)
        elif answer.status not in (ACCEPTED, NOT_FOUND):
            yield self._delivery(request_id, reference, answer)

    def _delivery(self, request_id: str, reference: str, answer: Answer) -> Delivery:
        rows, service = at(answer.content, self.service.rows_field), self.service
        if isinstance(rows, list):
            complete = says_complete(service, answer.content)
            return Delivery(request_id, "rows", reference, answer.checksum, rows, complete)
        text, reason = original(answer.content)[:MOST_KEPT], f"the answer has no list {service.rows_field!r}"
        return Delivery(request_id, "garbage", reference, answer.checksum, text=text, reason=reason)

    def _check_alive(self, fault: HuiliuError) -> None:
        """Raise the fault of a reference if it is the whole service's."""
        try:
            self.reach()
        except HuiliuError as error:
            if isinstance(error, TransientError) or not self.answered:
                raise fault from error

    def _ask_for(self, reference: str) -> Answer:
        path = f"{self.path}/{quote(reference, safe='')}"
        return self.client.ask(Request("GET", path), expected=frozenset({ACCEPTED, NOT_FOUND, GONE, REFUSED}))
