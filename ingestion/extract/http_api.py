"""HTTP APIs that list rows in numbered pages: token, Retry-After, pages that move while being read."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import httpx
from psycopg import Copy
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential_jitter,
)

from huiliu.connections import secret, url
from huiliu.errors import ConfigError, DataError, HuiliuError, TransientError
from ingestion.records import Extracted, Rejects, check_columns
from ingestion.spec import HttpApiContainer, SourceSpec, TableSpec
from ingestion.stage import Stage

FROM_THE_START = "1900-01-01T00:00:00"
READINGS = 3  # of a list whose pages move
LONGEST_WAIT = 60.0  # seconds of Retry-After that are waited for here; longer is the scheduler's affair


class _BusyError(Exception):
    """The API answered 429 or 5xx, or the network failed; `after` is the wait it asked for, in seconds."""

    def __init__(self, what: str, after: float | None = None) -> None:
        super().__init__(what)
        self.after = after


def extract(
    spec: SourceSpec, container: HttpApiContainer, table: TableSpec, since: str | None, stage: Stage
) -> Extracted:
    """Stage the rows updated since a watermark (None: all); read again if the pages moved."""
    where = f"{spec.name}.{table.name}"
    notice = None
    with _Api(where, container) as api:
        for reading in range(1, READINGS + 1):
            pages = _Pages(api, table, where, since or FROM_THE_START)
            with stage.rows() as sink:
                pages.write_to(sink)
            distinct = stage.distinct_keys()
            if pages.steady and distinct + len(pages.rejects.kept) == pages.total:
                break
            if reading == READINGS:
                notice = _unsteady(where, pages)
                break
            stage.clear()
    pages.rejects.check_share(table, pages.rows)
    notices = "; ".join(filter(None, [pages.notice, notice]))
    return Extracted(
        pages.rows, complete=since is None, rejected=tuple(pages.rejects.kept), notice=notices or None
    )


def _unsteady(where: str, pages: _Pages) -> str:
    if not pages.steady:
        raise TransientError(
            f"{where}: the list changed during each of {READINGS} readings", fix="load it again later"
        )
    return "the list repeats some keys: the latest version of each was kept"


class _Pages:
    """One reading of the whole list."""

    def __init__(self, api: _Api, table: TableSpec, where: str, since: str) -> None:
        self.api = api
        self.table = table
        self.where = where
        self.since = since
        self.rejects = Rejects(where)
        self.rows = 0
        self.total = 0
        self.steady = True
        self.notice: str | None = None

    def write_to(self, sink: Copy) -> None:
        read = 0
        for number, (total, rows) in enumerate(self._pages(), start=1):
            if number == 1:
                self.total = total
            self.steady = self.steady and total == self.total
            for i, row in enumerate(rows):
                self._write(sink, row, f"page {number}, row {i + 1}")
            read += len(rows)
        self.steady = self.steady and read == self.total

    def _pages(self) -> Iterator[tuple[int, list[object]]]:
        page, seen = 1, 0
        while True:
            total, rows = self.api.page(self.table.relation, self.since, page)
            yield total, rows
            seen += len(rows)
            if not rows or seen >= total:
                return
            page += 1

    def _write(self, sink: Copy, row: object, position: str) -> None:
        if not isinstance(row, dict):
            self.rejects.add(position, json.dumps(row, ensure_ascii=False), "a row must be an object")
            return
        if not self.rows and not self.rejects.kept:
            self.notice = check_columns(self.where, self.table, row)
        missing = [column.at_source for column in self.table.columns if column.at_source not in row]
        values = tuple(_as_text(row.get(column.at_source)) for column in self.table.columns)
        if missing or any("\0" in value for value in values if value):
            reason = f"field {', '.join(missing)} is missing" if missing else "a value holds a NUL character"
            self.rejects.add(position, json.dumps(row, ensure_ascii=False), reason)
            return
        sink.write_row(values)
        self.rows += 1


def _as_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


class _Api:
    """The API behind its token: every call is retried while the API is busy, at the pace it asks for."""

    def __init__(self, where: str, container: HttpApiContainer) -> None:
        self.where = where
        self.container = container
        self.client = httpx.Client(base_url=url(container.url), timeout=container.timeout_seconds)
        self.token = ""
        self.expires_at = 0.0

    def __enter__(self) -> _Api:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def page(self, path: str, since: str, page: int) -> tuple[int, list[object]]:
        """Return (total, rows) of one page."""
        parameters = {"since": since, "page": str(page), "page_size": str(self.container.page_size)}
        answer = self._json(self._retrying(lambda: self._get(path, parameters)))
        total = answer.get(self.container.total_field)
        rows = answer.get(self.container.rows_field)
        if not isinstance(rows, list) or not isinstance(total, str | int) or not str(total).isdecimal():
            raise DataError(
                f"{self.where}: page {page} has no list {self.container.rows_field!r}"
                f" with a number {self.container.total_field!r}",
                fix="correct rows_field and total_field in the spec",
            )
        return int(total), rows

    def _get(self, path: str, parameters: dict[str, str]) -> httpx.Response:
        if time.monotonic() >= self.expires_at:
            self._fetch_token()
        answer = self._send("GET", path, params=parameters)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            # Expired earlier than promised, or revoked: one new token, once.
            self._fetch_token()
            answer = self._send("GET", path, params=parameters)
        if answer.is_success:
            return answer
        raise self._refused(path, answer)

    def _fetch_token(self) -> None:
        grant = self.container.token
        form = {"client_id": grant.client_id, "client_secret": secret(grant.client_secret)}
        answer = self._send("POST", grant.path, data=form)
        if not answer.is_success:
            raise ConfigError(
                f"{self.where}: the API refused a token ({answer.status_code})",
                fix=f"correct client_id in the spec and the secret {grant.client_secret}",
            )
        content = self._json(answer)
        if not isinstance(content.get("access_token"), str):
            raise DataError(
                f"{self.where}: {grant.path} returned no access_token", fix="correct token.path in the spec"
            )
        self.token = str(content["access_token"])
        lifetime = float(str(content.get("expires_in") or 60))
        self.expires_at = time.monotonic() + lifetime * 0.9

    def _send(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None = None,
        data: dict[str, str] | None = None,
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token and data is None else {}
        try:
            answer = self.client.request(method, path, params=params, data=data, headers=headers)
        except httpx.TransportError as error:
            raise _BusyError(f"{type(error).__name__} at {self.client.base_url}") from error
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error:
            raise _BusyError(f"{answer.status_code} from {path}", _retry_after(answer))
        return answer

    def _refused(self, path: str, answer: httpx.Response) -> HuiliuError:
        if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            return ConfigError(
                f"{self.where}: the API refused {path} ({answer.status_code}) with a new token",
                fix="ask the department for the right to read it",
            )
        return DataError(
            f"{self.where}: {path} answered {answer.status_code}",
            fix="correct at_source and the url in the spec",
        )

    def _retrying(self, call: object) -> httpx.Response:
        retrying = Retrying(
            retry=retry_if_exception_type(_BusyError),
            stop=stop_after_attempt(self.container.attempts),
            wait=_pause,
            reraise=True,
        )
        try:
            answer: httpx.Response = retrying(call)  # type: ignore[arg-type]  # tenacity types the wrapped call too narrowly
        except _BusyError as error:
            raise TransientError(
                f"{self.where}: the API is unreachable or busy after"
                f" {self.container.attempts} attempts: {error}",
                fix=f"see that {self.client.base_url} answers, then load again",
            ) from error
        return answer

    def _json(self, answer: httpx.Response) -> dict[str, object]:
        try:
            # Numbers as they were written: 1.10 must not become 1.1.
            content = json.loads(answer.content, parse_float=str, parse_int=str)
        except ValueError as error:
            raise DataError(
                f"{self.where}: {answer.url.path} answered something that is not JSON",
                fix="see that the url is the API's and not a login page",
            ) from error
        if not isinstance(content, dict):
            raise DataError(
                f"{self.where}: {answer.url.path} answered no object", fix="correct at_source in the spec"
            )
        return content


_back_off = wait_exponential_jitter(multiplier=0.5, max=15)


def _pause(state: RetryCallState) -> float:
    """Wait as long as the API asks, else a little longer each time."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, _BusyError) and error.after is not None:
        return min(error.after, LONGEST_WAIT)
    return _back_off(state)


def _retry_after(answer: httpx.Response) -> float | None:
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else None
