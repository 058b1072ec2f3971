"""Being let in: what each request carries so that the service knows who asks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol
from urllib.parse import parse_qsl, urlencode

from huiliu.connections import secret
from huiliu.errors import ConfigError, DataError
from ingestion.containers.http import ApiKey, Auth, Open, Signature, Token
from ingestion.http.answers import BrokenBodyError, Json, told
from ingestion.http.links import without
from ingestion.http.signing import plain, signed

_EARLY = 0.9  # of a token's life, after which it is renewed
_SHORT_LIFE = 60.0  # seconds, of a token that says nothing about itself


@dataclass(frozen=True)
class Request:
    """What is asked. `link` is the query of a link that is followed, sent as it was written."""

    method: str
    path: str
    parameters: Mapping[str, Json] = field(default_factory=dict)
    place: Literal["query", "json", "form"] = "query"
    headers: Mapping[str, str] = field(default_factory=dict)
    link: str = ""

    @property
    def query(self) -> str:
        return "&".join(filter(None, (self.link, self._encoded * (self.place == "query"))))

    @property
    def body(self) -> str:
        """The text of the body; empty if the parameters go into the query."""
        if self.place == "json":
            return json.dumps(self.parameters, ensure_ascii=False, separators=(",", ":"))
        return self._encoded * (self.place == "form")

    @property
    def _encoded(self) -> str:
        return urlencode({name: plain(value) for name, value in self.parameters.items()})

    def with_headers(self, headers: Mapping[str, str]) -> Request:
        return replace(self, headers={**self.headers, **headers})


class Doorkeeper(Protocol):
    """One way of being let in."""

    def admit(self, request: Request) -> Request:
        """Return the request with what lets it in."""

    def renew(self) -> bool:
        """After a refusal: get new credentials; False if there are no others to try."""


Send = Callable[[Request], tuple[int, Json]]


def doorkeeper(where: str, auth: Auth, base_path: str, send: Send) -> Doorkeeper:
    """Return the way in that the spec describes; `send` asks the service without being let in."""
    if isinstance(auth, Token):
        return _TokenHolder(where, auth, send)
    if isinstance(auth, Signature):
        return _Signer(where, auth, base_path)
    return _Fixed(where, auth)


def _key(where: str, name: str) -> str:
    """Return a secret; ConfigError for one with a line break or the like, which is never part of it."""
    value = secret(name)
    if not value.isprintable():
        raise ConfigError(
            f"{where}: the secret {name} holds a line break or another control character",
            fix=f"set HUILIU_SECRET_{name.upper()} to the secret alone",
        )
    return value


def _fits_header(value: str) -> bool:
    return value.isascii() and value.isprintable() and value == value.strip()


class _Fixed:
    """A key in a header, or nothing."""

    def __init__(self, where: str, auth: Open | ApiKey) -> None:
        self.headers: dict[str, str] = {}
        if isinstance(auth, ApiKey):
            value = auth.prefix + _key(where, auth.key)
            if not _fits_header(value):
                raise ConfigError(
                    f"{where}: the secret {auth.key} (or auth.prefix) has characters no header can hold",
                    fix="only ASCII can be sent; ask the department for the right key",
                )
            self.headers[auth.header] = value

    def admit(self, request: Request) -> Request:
        return request.with_headers(self.headers)

    def renew(self) -> bool:
        return False


class _Signer:
    """A signature of its own for each request."""

    def __init__(self, where: str, auth: Signature, base_path: str) -> None:
        self.auth = auth
        self.base_path = base_path
        self.secret = _key(where, auth.secret)
        self.names = {auth.app_id_name, auth.timestamp_name, auth.nonce_name, auth.signature_name}

    def admit(self, request: Request) -> Request:
        if self.auth.place == "parameters":
            # Many APIs repeat in the link what they were asked with, old signature and all.
            request = replace(request, link=without(request.link, self.names))
        path = self.base_path + request.path
        listed = [*parse_qsl(request.link, keep_blank_values=True), *request.parameters.items()]
        proof = signed(self.auth, self.secret, request.method, path, listed, request.body)
        if self.auth.place == "headers":
            return request.with_headers(proof)
        return replace(request, parameters={**request.parameters, **proof})

    def renew(self) -> bool:
        return False


class _TokenHolder:
    """A token, exchanged for a new one a little before it expires, and once when it is refused."""

    def __init__(self, where: str, auth: Token, send: Send) -> None:
        self.where = where
        self.auth = auth
        self.send = send
        self.token = ""
        self.good_until = 0.0

    def admit(self, request: Request) -> Request:
        if time.monotonic() >= self.good_until:
            self.renew()
        return request.with_headers({self.auth.header: self.auth.prefix + self.token})

    def renew(self) -> bool:
        auth = self.auth
        credentials = {"client_id": auth.client_id, "client_secret": _key(self.where, auth.client_secret)}
        asked_at = time.monotonic()
        status, content = self.send(
            Request("POST", auth.path, {**auth.parameters, **credentials}, place=auth.body)
        )
        if not 200 <= status < 300:
            raise ConfigError(
                f"{self.where}: the API refused a token ({status})",
                fix=f"correct client_id in the spec and the secret {auth.client_secret}",
            )
        self.token = self._told(content, auth.token_field)
        if not self.token or not _fits_header(self.token):
            raise DataError(
                f"{self.where}: {auth.path} returned no {auth.token_field} that a header can hold",
                fix="correct auth.path or auth.token_field in the spec",
            )
        self.good_until = asked_at + _EARLY * self._lifetime(content)
        return True

    def _lifetime(self, content: Json) -> float:
        try:
            return float(self._told(content, self.auth.lifetime_field) or _SHORT_LIFE)
        except ValueError:
            return _SHORT_LIFE

    def _told(self, content: Json, field: str) -> str:
        try:
            return told(content, field) or ""
        except BrokenBodyError as error:
            raise DataError(
                f"{self.where}: {self.auth.path} answered something unreadable: {error}",
                fix="ask the department about its API",
            ) from error
