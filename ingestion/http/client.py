"""One connection to an HTTP service: let in, at its pace, again after passing faults, within bounds."""

from __future__ import annotations

import hashlib
import logging
import time
from dataclasses import dataclass

import httpx
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential_jitter,
)

from huiliu.connections import url
from huiliu.errors import ConfigError, DataError, HuiliuError, TransientError
from ingestion.containers.http import HttpService
from ingestion.http.answers import BodyTooLargeError, BrokenBodyError, Json, parse, read_body, told
from ingestion.http.auth import Request, doorkeeper
from ingestion.http.pauses import wished_pause

LONGEST_WAIT = 60.0  # seconds a service may ask us to wait here; longer waits are the scheduler's affair

# It logs each address with its parameters: names, numbers of persons, signatures.
logging.getLogger("httpx").setLevel(logging.WARNING)


class _PassingError(Exception):
    """Worth another attempt; `after` is the wait the service asked for, in seconds."""

    def __init__(self, what: str, after: float | None = None) -> None:
        super().__init__(what)
        self.after = after


class _BrokenAnswerError(_PassingError):
    """An answer that could not be read: cut off on its way, or always like that."""


@dataclass(frozen=True)
class Answer:
    """What came back: content is None for an answer that is no success. `next_url` is the Link header's,
    `checksum` tells two bodies apart."""

    status: int
    content: Json
    next_url: str | None = None
    checksum: str = ""


class Client:
    """The service of a spec, for the time of loading one table."""

    def __init__(self, where: str, service: HttpService) -> None:
        self.where = where
        self.service = service
        base = _address(where, service.url)
        self.host = base.netloc.decode()
        self.http = httpx.Client(
            base_url=base,
            timeout=httpx.Timeout(service.timeout_seconds, connect=service.connect_seconds),
            limits=httpx.Limits(max_connections=1),
            headers={"Accept": "application/json", "Accept-Encoding": "gzip"},
        )
        self.doorkeeper = doorkeeper(where, service.auth, base.path.rstrip("/"), self._admission)
        self.deadline = time.monotonic() + service.total_seconds
        self.not_before = 0.0

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def ask(self, request: Request, *, expected: frozenset[int] = frozenset()) -> Answer:
        """Return the answer to a request: a success, or one of the `expected` statuses.

        Raises TransientError if the service is away or busy after all attempts, ConfigError if it lets
        nobody in, DataError for any other answer.
        """
        retrying = Retrying(
            retry=retry_if_exception_type(_PassingError),
            stop=self._is_over,
            wait=_pause,
            reraise=True,
        )
        try:
            answer = retrying(self._ask_once, request, expected)
        except _BrokenAnswerError as error:
            raise DataError(
                f"{self.where}: {request.path} answered something unreadable: {error}",
                fix="see that the url is the API's and not a login page",
            ) from error
        except _PassingError as error:
            raise TransientError(
                f"{self.where}: the API is unreachable or busy after"
                f" {retrying.statistics['attempt_number']} attempts: {error}",
                fix=f"see that {self.host} answers, then load again",
            ) from error
        if answer.status in expected or 200 <= answer.status < 300:
            return answer
        raise self._refused(request.path, answer.status)

    def _ask_once(self, request: Request, expected: frozenset[int]) -> Answer:
        answer = self._send(self.doorkeeper.admit(request), expected)
        # Expired earlier than promised, or revoked: new credentials, once.
        if answer.status == httpx.codes.UNAUTHORIZED and self.doorkeeper.renew():
            answer = self._send(self.doorkeeper.admit(request), expected)
        if 200 <= answer.status < 300:
            self._check_success(request.path, answer.content)
        return answer

    def _admission(self, request: Request) -> tuple[int, Json]:
        answer = self._send(request, frozenset())
        return answer.status, answer.content

    def _send(self, request: Request, expected: frozenset[int]) -> Answer:
        self._keep_pace()
        headers, query = dict(request.headers), request.query
        if request.place != "query":
            kind = "application/json" if request.place == "json" else "application/x-www-form-urlencoded"
            headers["Content-Type"] = kind
        try:
            with self.http.stream(
                request.method,
                f"{request.path}?{query}" if query else request.path,
                content=request.body.encode() if request.place != "query" else None,
                headers=headers,
            ) as response:
                return self._read(response, expected)
        except (httpx.LocalProtocolError, UnicodeEncodeError) as error:
            # Not the error's own text, which quotes the header.
            raise ConfigError(
                f"{self.where}: a header of the request for {request.path} cannot be sent",
                fix="write the names and values of headers in the spec in ASCII",
            ) from error
        except httpx.TransportError as error:
            raise _PassingError(f"{type(error).__name__} at {self.host}") from error

    def _read(self, response: httpx.Response, expected: frozenset[int]) -> Answer:
        status, path = response.status_code, response.url.path
        if status not in expected and (
            status == httpx.codes.TOO_MANY_REQUESTS or status >= httpx.codes.INTERNAL_SERVER_ERROR
        ):
            raise _PassingError(f"{status} from {path}", wished_pause(response))
        if not response.is_success:
            return Answer(status, None)
        try:
            body = read_body(response, self.service.max_answer_mb * 2**20, self._check_deadline)
            if body[:200].lstrip().startswith(b"<"):
                raise DataError(
                    f"{self.where}: {path} answered something that is not JSON but a web page",
                    fix="see that the url is the API's and not a login page",
                )
            content = parse(body, response.charset_encoding) if body or not expected else None
        except BodyTooLargeError as error:
            raise DataError(
                f"{self.where}: {path} answered more than {self.service.max_answer_mb} MB",
                fix="ask for smaller pages (page_size), or raise max_answer_mb in the spec",
            ) from error
        except BrokenBodyError as error:
            raise _BrokenAnswerError(str(error)) from error
        checksum = hashlib.sha256(body).hexdigest()
        return Answer(status, content, response.links.get("next", {}).get("url"), checksum)

    def told(self, path: str, content: Json, field: str) -> str | None:
        """Return the text of what the answer of a path says in a field; DataError if it is none."""
        try:
            return told(content, field)
        except BrokenBodyError as error:
            raise DataError(
                f"{self.where}: {path} answered something unreadable: {error}",
                fix="ask the department about its API",
            ) from error

    def _check_success(self, path: str, content: Json) -> None:
        service = self.service
        if service.success_field is None:
            return
        value = self.told(path, content, service.success_field)
        said = f"{path} answered {service.success_field} {(value or 'nothing')[:20]}"
        if value in service.busy_values:
            raise _PassingError(said)
        if value not in service.success_values:
            raise DataError(
                f"{self.where}: {said}", fix="look it up in the API's manual; success_values are in the spec"
            )

    def _refused(self, path: str, status: int) -> HuiliuError:
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            return ConfigError(
                f"{self.where}: the API refused {path} ({status}), though asked with new credentials",
                fix="correct auth in the spec and its secret, or ask the department for the right to read",
            )
        return DataError(
            f"{self.where}: {path} answered {status}",
            fix="correct at_source and the url in the spec",
        )

    def _keep_pace(self) -> None:
        """Wait until the next request is due."""
        self._check_deadline()
        rate = self.service.requests_per_second
        if rate is not None:
            time.sleep(max(0.0, self.not_before - time.monotonic()))
            self.not_before = time.monotonic() + 1 / rate

    def _check_deadline(self) -> None:
        if time.monotonic() > self.deadline:
            raise TransientError(
                f"{self.where}: the API took longer than {self.service.total_seconds:g} seconds",
                fix="load again; if it always takes longer, raise total_seconds in the spec",
            )

    def _is_over(self, state: RetryCallState) -> bool:
        wished = _wish(state)
        return stop_after_attempt(self.service.attempts)(state) or (wished or 0) > LONGEST_WAIT


def _address(where: str, name: str) -> httpx.URL:
    try:
        base = httpx.URL(url(name))
    except httpx.InvalidURL:
        base = httpx.URL()
    if base.scheme not in ("http", "https") or not base.host:
        raise ConfigError(f"{where}: the url of {name} is no HTTP address", fix="write https://host/path")
    return base


_back_off = wait_exponential_jitter(multiplier=0.5, max=15)


def _pause(state: RetryCallState) -> float:
    """Wait as long as the service asks, else a little longer each time."""
    wished = _wish(state)
    return _back_off(state) if wished is None else wished


def _wish(state: RetryCallState) -> float | None:
    error = state.outcome.exception() if state.outcome else None
    return error.after if isinstance(error, _PassingError) else None
