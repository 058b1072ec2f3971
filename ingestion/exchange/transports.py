"""How requests travel and answers come back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, Self

from ingestion.containers.exchange import Answering
from ingestion.exchange.book import Json, SentRequest
from ingestion.http.answers import at

Fate = Literal["rows", "garbage", "fault", "lost", "refused"]
IsTaken = Callable[[str, str], bool]  # of an answer's name and checksum
MOST_KEPT = 10_000  # characters of an answer that is none


@dataclass(frozen=True)
class Delivery:
    """What came back: rows, or text that is no answer, or word that the request is lost or refused; or what
    could not be had this time (`fault`).

    `request_id` is None if it doesn't say which request it answers; name and checksum tell whether it was
    taken before; `complete`: it holds all rows of the questions it names.
    """

    request_id: str | None
    fate: Fate
    name: str
    checksum: str = ""
    rows: Sequence[Json] = ()
    complete: bool = False
    text: str = ""
    reason: str = ""


def says_complete(answering: Answering, content: Json) -> bool:
    """Say whether an answer holds all rows of the questions it names, by its own word or the source's."""
    if answering.complete_field is None:
        return True
    return at(content, answering.complete_field) in (True, "true", "1")


class RefusedError(Exception):
    """The source will not answer this request."""


class Transport(Protocol):
    """One way to a source. Prepared, then written down, then sent: sending may happen again under its key."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...

    def reach(self) -> None:
        """Find out whether the source can be reached at all; raises if not."""

    def forget(self, is_taken: IsTaken, keys: Collection[str]) -> None:
        """Put away answers that were taken, and preparations of other keys than these."""

    def prepare(self, key: str, content: Mapping[str, Json]) -> None:
        """Make ready what `send` will send, so that a second sending can be told from the first."""

    def send(self, key: str, content: Mapping[str, Json]) -> str:
        """Send once under a key; return the reference of the answer. RefusedError if it is not accepted."""

    def answers(self, requests: Sequence[SentRequest]) -> Iterator[Delivery]:
        """Yield what came back for the requests; raises only if the source itself cannot be reached."""
