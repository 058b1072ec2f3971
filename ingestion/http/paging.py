"""Lists in pages: numbered, by offset, by cursor, by links, or whole; within windows of days if so asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import count
from urllib.parse import urljoin

import httpx

from huiliu.errors import DataError
from ingestion.containers.http import Cursor, HttpApiContainer, Link, Offset, Pages, Window
from ingestion.http.answers import Json, as_text, at
from ingestion.http.auth import Request
from ingestion.http.client import Client
from ingestion.http.signing import moment


@dataclass(frozen=True)
class Page:
    """The rows of one answer; `total` counts the list's rows, if the API says it."""

    rows: list[Json]
    total: int | None
    content: Json
    next_url: str | None


@dataclass(frozen=True)
class Lister:
    """Reads the pages of one path."""

    client: Client
    container: HttpApiContainer
    path: str

    def pages(self, parameters: Mapping[str, Json]) -> Iterator[Page]:
        """Yield the pages of a list in order, to its end.

        Raises DataError for a list without an end: a cursor or page that comes again.
        """
        walk = _walk(self, {**self.container.parameters, **parameters})
        for number, page in enumerate(walk, start=1):
            if number > self.container.max_pages:
                raise self._endless(f"there are more than {self.container.max_pages} pages")
            yield page

    def first(self, parameters: Mapping[str, Json], size: int) -> Page:
        """Read the first page, of at most `size` rows if the API lets us say so."""
        paging = self.container.paging
        smaller = paging.model_copy(update={"page_size": min(size, paging.page_size)})
        lister = Lister(self.client, self.container.model_copy(update={"paging": smaller}), self.path)
        return next(lister.pages(parameters))

    def read(self, parameters: Mapping[str, Json]) -> Page:
        """Read one page."""
        container = self.container
        sized = {container.paging.size: container.paging.page_size} if container.paging.size else {}
        return self._read(Request(container.method, self.path, {**parameters, **sized}, container.place))

    def follow(self, link: str) -> Page:
        """Read the page a link leads to; only the service itself is asked, as it gets our credentials."""
        base = self.client.http.base_url
        address = httpx.URL(urljoin(str(base.join(base.path.rstrip("/") + self.path)), link))
        root = base.path.rstrip("/") + "/"
        if (address.scheme, address.netloc) != (base.scheme, base.netloc) or not address.path.startswith(
            root
        ):
            raise DataError(
                f"{self.client.where}: the next page of {self.path} lies on another server",
                fix="ask the department about its API",
            )
        return self._read(Request("GET", "/" + address.path.removeprefix(root), dict(address.params)))

    def _read(self, request: Request) -> Page:
        answer, field = self.client.ask(request), self.container.rows_field
        rows = answer.content if field is None else at(answer.content, field)
        if not isinstance(rows, list):
            raise DataError(
                f"{self.client.where}: the answer of {self.path} has no list {field or 'at its top'!r}",
                fix="correct rows_field in the spec",
            )
        return Page(rows, self._total(answer.content), answer.content, answer.next_url)

    def _total(self, content: Json) -> int | None:
        field = self.container.total_field
        if field is None or self.container.rows_field is None:
            return None
        text = as_text(at(content, field))
        if text is None or not text.isdecimal():
            raise DataError(
                f"{self.client.where}: the answer of {self.path} has no number {field!r}",
                fix="correct total_field in the spec; write total_field: null if the API says no total",
            )
        return int(text)

    def check_new(self, token: str, seen: set[str]) -> None:
        if token in seen:
            raise self._endless("the same cursor came twice")
        seen.add(token)

    def _endless(self, why: str) -> DataError:
        return DataError(
            f"{self.client.where}: the list of {self.path} has no end: {why}",
            fix="correct paging in the spec, or ask the department about its API",
        )


def _walk(lister: Lister, parameters: Mapping[str, Json]) -> Iterator[Page]:
    paging = lister.container.paging
    if isinstance(paging, Pages):
        first = paging.first
        return _by_place(lister, parameters, paging.page, lambda number, _: first + number)
    if isinstance(paging, Offset):
        return _by_place(lister, parameters, paging.offset, lambda _, seen: seen)
    if isinstance(paging, Cursor):
        return _by_cursor(lister, parameters, paging)
    if isinstance(paging, Link):
        return _by_link(lister, parameters, paging)
    return iter([lister.read(parameters)])


def _by_place(
    lister: Lister, parameters: Mapping[str, Json], name: str, place: Callable[[int, int], int]
) -> Iterator[Page]:
    """Walk until the total was met, or an empty page; `place` is made of the pages and the rows before."""
    seen = 0
    for number in count():
        page = lister.read({**parameters, name: place(number, seen)})
        yield page
        seen += len(page.rows)
        if not page.rows or (page.total is not None and seen >= page.total):
            return


def _by_cursor(lister: Lister, parameters: Mapping[str, Json], paging: Cursor) -> Iterator[Page]:
    seen: set[str] = set()
    placed = dict(parameters)
    while True:
        page = lister.read(placed)
        yield page
        cursor = as_text(at(page.content, paging.field))
        ended = paging.more is not None and as_text(at(page.content, paging.more)) not in ("true", "1")
        if not cursor or ended:
            return
        lister.check_new(cursor, seen)
        placed[paging.cursor] = cursor


def _by_link(lister: Lister, parameters: Mapping[str, Json], paging: Link) -> Iterator[Page]:
    seen: set[str] = set()
    page = lister.read(parameters)
    while True:
        yield page
        found = as_text(at(page.content, paging.field)) if paging.field else page.next_url
        if not found:
            return
        lister.check_new(found, seen)
        page = lister.follow(found)


def windows(window: Window, first: date, last: date) -> Iterator[dict[str, str]]:
    """Yield the parameters of each window of days from `first` to `last`, both included."""
    begin = first
    while begin <= last:
        following = min(begin + timedelta(days=window.days), last + timedelta(days=1))
        until = datetime.combine(following, time.min)
        if window.inclusive:
            until -= timedelta(microseconds=1)
        yield {
            window.start: moment(window.format, datetime.combine(begin, time.min)),
            window.to: moment(window.format, until),
        }
        begin = following
