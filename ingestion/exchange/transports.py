"""How requests travel and answers come back."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, Self

from ingestion.exchange.book import Json, SentRequest

Fate = Literal["rows", "garbage", "lost", "refused"]


@dataclass(frozen=True)
class Delivery:
    """What came back: rows, or text that is no answer, or word that the request is lost or refused.

    `request_id` is None if it doesn't say which request it answers; name and checksum tell whether it was
    taken before.
    """

    request_id: str | None
    fate: Fate
    name: str
    checksum: str = ""
    rows: Sequence[Json] = ()
    text: str = ""
    reason: str = ""


class RefusedError(Exception):
    """The source will not answer this request."""


class Transport(Protocol):
    """One way to a source. Prepared, then written down, then sent: sending may happen again under its key."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...

    def reach(self) -> None:
        """Find out whether the source can be reached at all; raises if not."""

    def forget(self, taken: Collection[tuple[str, str]], keys: Collection[str]) -> None:
        """Put away answers that were taken, and preparations of other keys than these."""

    def prepare(self, key: str, content: Mapping[str, Json]) -> None:
        """Make ready what `send` will send, so that a second sending can be told from the first."""

    def send(self, key: str, content: Mapping[str, Json]) -> str:
        """Send once under a key; return the reference of the answer. RefusedError if it is not accepted."""

    def answers(self, requests: Sequence[SentRequest]) -> Iterator[Delivery]:
        """Yield what came back for the requests."""
