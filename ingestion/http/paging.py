"""Lists in pages: numbered, by offset, by cursor, by links, or whole; within windows of days if so asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import count

from huiliu.errors import DataError
from ingestion.containers.http import Cursor, HttpApiContainer, Link, Offset, Pages, Window
from ingestion.http.answers import Json, at, number_of_rows
from ingestion.http.auth import Request
from ingestion.http.client import Client
from ingestion.http.links import StrayLinkError, resolve
from ingestion.http.signing import moment

_MORE = {"true": True, "1": True, "false": False, "0": False}
_ABSENT = object()


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
        return self._read(Request(container.method, self.path, self._sized(parameters), container.place))

    def follow(self, link: str, parameters: Mapping[str, Json]) -> Page:
        """Read the page a link leads to; only the service itself is asked, as it gets our credentials.

        The query is the link's own; a body is the same for all pages.
        """
        container = self.container
        try:
            path, query = resolve(self.client.http.base_url, self.path, link)
        except StrayLinkError as error:
            raise DataError(
                f"{self.client.where}: the next page of {self.path} {error}",
                fix="ask the department about its API",
            ) from error
        body = {} if container.place == "query" else self._sized(parameters)
        return self._read(Request(container.method, path, body, container.place, link=query))

    def _sized(self, parameters: Mapping[str, Json]) -> Mapping[str, Json]:
        paging = self.container.paging
        return {**parameters, paging.size: paging.page_size} if paging.size else parameters

    def told(self, page: Page, field: str) -> str | None:
        """Return the text of what a page says in a field."""
        return self.client.told(self.path, page.content, field)

    def following(self, page: Page, seen: int, paging: Cursor | Link) -> str | None:
        """Return where the next page is, by the page's own word; None after the last.

        Raises DataError for a page without that field, unless as many rows as its total were seen: where the
        field is misspelt in the spec, a list would end at its first page.
        """
        if paging.field is None:
            return page.next_url
        whole = page.total is not None and seen >= page.total
        if at(page.content, paging.field, _ABSENT) is _ABSENT and not (whole or paging.absent_at_end):
            raise self._unclear(
                f"has no {paging.field!r}",
                "correct paging.field in the spec; if the last answer has none, write absent_at_end: true",
            )
        return self.told(page, paging.field)

    def next_cursor(self, page: Page, seen: int, paging: Cursor) -> str | None:
        """Return the cursor of the next page; None after the last."""
        if paging.more is None:
            return self.following(page, seen, paging)
        more = _MORE.get((self.told(page, paging.more) or "").lower())
        if more is None:
            raise self._unclear(f"has no true or false {paging.more!r}", "correct paging.more in the spec")
        cursor = self.told(page, paging.field) if more else None
        if more and not cursor:
            raise self._unclear(
                f"says there is more, but has no {paging.field!r}", "correct paging.field in the spec"
            )
        return cursor

    def _unclear(self, what: str, fix: str) -> DataError:
        return DataError(f"{self.client.where}: an answer of {self.path} {what}", fix=fix)

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
        total = number_of_rows(self.client.told(self.path, content, field))
        if total is None:
            raise DataError(
                f"{self.client.where}: the answer of {self.path} has no number {field!r}",
                fix="correct total_field in the spec; write total_field: null if the API says no total",
            )
        return total

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
    met: set[str] = set()
    seen, placed = 0, dict(parameters)
    while True:
        page = lister.read(placed)
        seen += len(page.rows)
        cursor = lister.next_cursor(page, seen, paging)
        yield page
        if not cursor:
            return
        lister.check_new(cursor, met)
        placed[paging.cursor] = cursor


def _by_link(lister: Lister, parameters: Mapping[str, Json], paging: Link) -> Iterator[Page]:
    met: set[str] = set()
    seen, page = 0, lister.read(parameters)
    while True:
        seen += len(page.rows)
        link = lister.following(page, seen, paging)
        yield page
        if not link:
            return
        lister.check_new(link, met)
        page = lister.follow(link, parameters)


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
