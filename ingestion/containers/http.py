"""HTTP services that answer JSON: how to be let in, how lists are paged, what is asked for."""

from __future__ import annotations

from datetime import date
from string import Formatter
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from ingestion.containers.capabilities import Capabilities, ContainerModel
from ingestion.strict import Strict

FieldPath = Annotated[str, Field(min_length=1)]  # the place of a value in an answer; dots lead into objects
Moments = Annotated[str, Field(pattern=r"^(as_is|seconds|milliseconds|.*%.*)$")]  # or strftime


class Open(Strict):
    """A service that lets everybody in."""

    type: Literal["none"] = "none"


class ApiKey(Strict):
    """A fixed key in a header; `key` names a secret."""

    type: Literal["api_key"]
    key: str
    header: str = "X-Api-Key"
    prefix: str = ""


class Token(Strict):
    """Client credentials exchanged for a token with an expiry; `client_secret` names a secret."""

    type: Literal["token"]
    path: str
    client_id: str
    client_secret: str
    body: Literal["form", "json"] = "form"
    parameters: dict[str, str] = Field(
        default_factory=dict
    )  # sent beside the credentials, such as grant_type
    token_field: FieldPath = "access_token"  # noqa: S105 - where the token stands, not the token
    lifetime_field: FieldPath = "expires_in"  # seconds
    header: str = "Authorization"
    prefix: str = "Bearer "


class Signature(Strict):
    """Every request signed, as Chinese government gateways ask: a digest of the `text` made of the parts
    {app_id}, {secret}, {timestamp}, {nonce}, {method}, {path}, {parameters} (sorted a=1&b=2) and {body}.

    Placed among the parameters, app_id, timestamp and nonce are themselves part of {parameters}. An hmac is
    keyed with the secret; the other digests need {secret} in the text. `secret` names a secret.
    """

    type: Literal["signed"]
    app_id: str
    secret: str
    text: str = "{app_id}{timestamp}{nonce}{parameters}{secret}"
    algorithm: Literal["hmac-sha256", "hmac-sm3", "sha256", "sm3", "md5"] = "hmac-sha256"
    encoding: Literal["hex", "upper_hex", "base64"] = "hex"
    timestamp: Moments = "milliseconds"
    place: Literal["headers", "parameters"] = "headers"
    app_id_name: str = "appId"
    timestamp_name: str = "timestamp"
    nonce_name: str = "nonce"
    signature_name: str = "sign"

    PARTS: ClassVar = {"app_id", "secret", "timestamp", "nonce", "method", "path", "parameters", "body"}

    @model_validator(mode="after")
    def _parts_are_known(self) -> Self:
        named = {name for _, name, _, _ in Formatter().parse(self.text) if name is not None}
        if named - self.PARTS:
            raise ValueError(f"text names {', '.join(sorted(named - self.PARTS))}, which is no part of it")
        if not self.algorithm.startswith("hmac") and "secret" not in named:
            raise ValueError(f"a text signed with {self.algorithm} must hold {{secret}}")
        return self


Auth = Annotated[Open | ApiKey | Token | Signature, Field(discriminator="type")]


class HttpService(Strict):
    """How an HTTP service is reached, and how much patience and care it gets."""

    url: str  # name for huiliu.connections.url
    auth: Auth = Open()
    success_field: str | None = None  # gateways that answer 200 to everything say here how it went
    success_values: tuple[str, ...] = ("0", "200")
    busy_values: tuple[str, ...] = ()  # worth another attempt
    attempts: int = Field(default=6, ge=1, le=20)
    connect_seconds: float = Field(default=10, gt=0)
    timeout_seconds: float = Field(default=30, gt=0)  # between two pieces of an answer
    total_seconds: float = Field(default=4 * 3600, gt=0)  # for one table
    requests_per_second: float | None = Field(default=None, gt=0)
    max_answer_mb: int = Field(default=16, ge=1, le=1024)  # once decompressed; reading takes 9 times as much

    @field_validator("success_values", "busy_values", mode="before")
    @classmethod
    def _as_texts(cls, values: object) -> object:
        return tuple(str(value) for value in values) if isinstance(values, list) else values


class Paged(Strict):
    """What all ways of paging share; `size: null` sends no page size."""

    size: str | None = "page_size"
    page_size: int = Field(default=500, ge=1, le=100_000)


class Pages(Paged):
    """Numbered pages, until all rows of the total, or without a total an empty page, were met."""

    type: Literal["pages"] = "pages"
    page: str = "page"
    first: int = Field(default=1, ge=0, le=1)


class Offset(Paged):
    """Pages by the number of rows before them."""

    type: Literal["offset"]
    offset: str = "offset"
    size: str | None = "limit"


class Cursor(Paged):
    """Each answer says the cursor of the next page, or null; or `more` says whether there is one.

    Only with `absent_at_end` may the last answer leave the field out: a field that is misspelt here looks the
    same.
    """

    type: Literal["cursor"]
    field: FieldPath = "next_cursor"
    cursor: str = "cursor"
    more: FieldPath | None = None
    absent_at_end: bool = False
    size: str | None = "limit"


class Link(Paged):
    """Each answer says the address of the next page: in a field, or else in the Link header (RFC 8288).

    Only with `absent_at_end` may the last answer leave the field out.
    """

    type: Literal["link"]
    field: FieldPath | None = None
    absent_at_end: bool = False
    size: str | None = None


class OnePage(Paged):
    """The whole list in one answer."""

    type: Literal["none"]
    size: str | None = None


Paging = Annotated[Pages | Offset | Cursor | Link | OnePage, Field(discriminator="type")]


class Since(Strict):
    """How to ask for what changed since a moment (or a number); `beginning` is sent when all is wanted."""

    parameter: str = "since"
    format: Moments = "as_is"
    beginning: str | None = None


class Window(Strict):
    """Lists that are asked for by days: `days` at a time, from `first_day` or the watermark to the business
    date, each with its own pages. Without `inclusive`, `to` is the beginning of the next window.
    """

    start: str = "start_date"
    to: str = "end_date"
    format: Moments = "%Y-%m-%d"
    days: int = Field(default=30, ge=1, le=3660)
    first_day: date
    inclusive: bool = True


class HttpApiContainer(HttpService, ContainerModel):
    """A JSON API that lists rows; each table's `at_source` is the path of its list."""

    can: ClassVar[Capabilities] = Capabilities(changes=True, days=True, reconciles=True, manifest="api")

    type: Literal["http_api"]
    method: Literal["GET", "POST"] = "GET"
    send: Literal["query", "json", "form"] | None = None  # parameters; default: GET query, POST json
    parameters: dict[str, str | int | bool] = Field(default_factory=dict)  # sent with every request
    rows_field: str | None = "rows"  # null: the answer itself is the list
    total_field: str | None = "total"  # null: the API says no total
    absent_fields: Literal["reject", "allow"] = "reject"  # what a row without a field of the spec means
    paging: Paging = Pages()
    max_pages: int = Field(default=100_000, ge=1)
    since: Since = Since()
    window: Window | None = None

    @property
    def place(self) -> Literal["query", "json", "form"]:
        return self.send or ("query" if self.method == "GET" else "json")

    @model_validator(mode="after")
    def _answers_are_objects(self) -> Self:
        in_body = (self.total_field, self.success_field, getattr(self.paging, "field", None))
        if self.rows_field is None and any(in_body):
            raise ValueError("without rows_field the answer is a list: no total, success or next field")
        if self.method == "GET" and self.place != "query":
            raise ValueError("a GET request has its parameters in the query; leave out send, or use POST")
        return self
