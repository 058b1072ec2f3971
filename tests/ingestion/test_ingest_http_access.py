"""How an HTTP API lets us in: tokens that expire, keys, signed requests; and what a probe finds."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from api_server import ApiServer, Asked, failing, serving
from clinic import Raw
from test_ingest_http_api import fatal, held, landed, spec

from huiliu import connections
from huiliu.connections import secret
from huiliu.errors import ConfigError, DataError
from ingestion.extract import probe
from ingestion.http.signing import digest
from ingestion.run import ingest_source
from ingestion.spec import load_spec

Write = Callable[..., Path]
SECRET = "test_clinic_client"  # noqa: S105 - the secret's name
TOKEN = {"type": "token", "path": "/token", "client_id": "clinic-reader", "client_secret": SECRET}


class Office:
    """Gives out tokens and admits only the latest."""

    def __init__(self, api: ApiServer, lifetime: float = 3600) -> None:
        self.api = api
        self.lifetime = lifetime
        self.tokens: list[str] = []
        self.secret = secret(SECRET)
        api.routes |= {"/token": self.token, "/visits": self.visits}

    def token(self, asked: Asked) -> object:
        if (asked.values["client_id"], asked.values["client_secret"]) != ("clinic-reader", self.secret):
            return failing(401)
        self.tokens.append(f"token{len(self.tokens)}")
        return {"access_token": self.tokens[-1], "expires_in": self.lifetime}

    def visits(self, asked: Asked) -> object:
        if not self.tokens or asked.headers.get("authorization") != f"Bearer {self.tokens[-1]}":
            return failing(401)
        return self.api.pages(asked)


@pytest.fixture
def api(specs: Write, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    server = ApiServer()
    server.routes["/visits"] = server.pages
    for n in range(25):
        server.put(f"v{n:02}", n, f"2026-01-{n % 9 + 1:02}T08:00:00")
    with serving(server):
        monkeypatch.setenv("HUILIU_URL_CLINIC_API", server.url)
        yield server


def test_an_expired_token_is_renewed_in_mid_list(api: ApiServer, specs: Write, raw: Raw) -> None:
    office = Office(api)
    specs(spec({"auth": TOKEN}))
    api.after = lambda asked: office.tokens.append("expired") if len(api.asked) == 1 else None
    ingest_source("clinic")
    assert office.tokens == ["token0", "expired", "token2"]
    assert landed(raw) == held(api)


def test_a_token_is_renewed_before_it_expires(api: ApiServer, specs: Write, raw: Raw) -> None:
    office = Office(api, lifetime=0.2)
    specs(spec({"auth": TOKEN | {"body": "json", "parameters": {"grant_type": "client_credentials"}}}))
    api.after = lambda asked: time.sleep(0.19)
    ingest_source("clinic")
    assert len(office.tokens) == len(api.asked) == 3  # no request was refused
    assert landed(raw) == held(api)


def test_a_token_refused_again_and_again_ends_the_load(api: ApiServer, specs: Write) -> None:
    office = Office(api)
    specs(spec({"auth": TOKEN}))
    api.routes["/visits"] = lambda asked: failing(401)
    with fatal(r"refused /visits .401., though asked with new credentials"):
        ingest_source("clinic")
    assert len(office.tokens) == 2


def test_a_wrong_secret_is_named_but_not_shown(api: ApiServer, specs: Write, raw: Raw) -> None:
    Office(api).secret = connections.secret("test_another_client")
    specs(spec({"auth": TOKEN}))
    with fatal(r"refused a token .401..*the secret test_clinic_client"):
        ingest_source("clinic")


def test_a_secret_never_shows_in_an_error(api: ApiServer, specs: Write, raw: Raw) -> None:
    Office(api).secret = connections.secret("test_another_client")
    specs(spec({"auth": TOKEN}))
    with fatal("refused a token"):
        ingest_source("clinic")
    assert secret(SECRET) not in raw.error()


def test_an_api_key_stands_in_its_header(api: ApiServer, specs: Write, raw: Raw) -> None:
    api.routes["/visits"] = lambda asked: (
        api.pages(asked) if asked.headers.get("x-gw-key") == f"key {secret(SECRET)}" else failing(403)
    )
    specs(spec({"auth": {"type": "api_key", "key": SECRET, "header": "X-Gw-Key", "prefix": "key "}}))
    ingest_source("clinic")
    assert landed(raw) == held(api)


def test_a_gateway_checks_an_hmac_over_method_path_and_body(api: ApiServer, specs: Write, raw: Raw) -> None:
    nonces = set()

    def gateway(asked: Asked) -> object:
        given = asked.headers
        nonces.add(given["x-nonce"])
        text = f"POST\n/visits\n{given['x-time']}\n{given['x-nonce']}\n{asked.body.decode()}"
        right = hmac.new(secret(SECRET).encode(), text.encode(), hashlib.sha256).hexdigest()
        fresh = abs(time.time() - int(given["x-time"])) < 60
        return api.pages(asked) if given["x-sign"] == right and fresh else failing(401)

    api.routes["/visits"] = gateway
    auth = {
        "type": "signed",
        "app_id": "huiliu",
        "secret": SECRET,
        "text": "{method}\n{path}\n{timestamp}\n{nonce}\n{body}",
        "timestamp": "seconds",
        "app_id_name": "X-App",
        "timestamp_name": "X-Time",
        "nonce_name": "X-Nonce",
        "signature_name": "X-Sign",
    }
    specs(spec({"auth": auth, "method": "POST"}))
    ingest_source("clinic")
    assert len(nonces) == len(api.asked) == 3
    assert landed(raw) == held(api)


@pytest.mark.parametrize("algorithm", ["md5", "sm3", "sha256"])
def test_a_gateway_checks_a_digest_of_its_sorted_parameters(
    api: ApiServer, specs: Write, raw: Raw, algorithm: str
) -> None:
    def gateway(asked: Asked) -> object:
        values = {name: value for name, value in asked.values.items() if name != "sign" and value != ""}
        text = "&".join(f"{name}={values[name]}" for name in sorted(values)) + f"&key={secret(SECRET)}"
        right = hashlib.new(algorithm, text.encode()).hexdigest().upper()
        return api.pages(asked) if asked.values["sign"] == right else failing(401)

    api.routes["/visits"] = gateway
    auth = {
        "type": "signed",
        "app_id": "huiliu",
        "secret": SECRET,
        "place": "parameters",
        "text": "{parameters}&key={secret}",
        "algorithm": algorithm,
        "encoding": "upper_hex",
        "timestamp": "%Y%m%d%H%M%S",
    }
    specs(spec({"auth": auth, "parameters": {"district": "芝罘区", "empty": "", "deep": True}}))
    ingest_source("clinic")
    assert landed(raw) == held(api)


def test_a_refused_signature_is_a_matter_of_settings(api: ApiServer, specs: Write) -> None:
    api.routes["/visits"] = lambda asked: failing(401)
    specs(spec({"auth": {"type": "signed", "app_id": "a", "secret": SECRET}}))
    with fatal(r"refused /visits .401..*correct auth in the spec"):
        ingest_source("clinic")
    assert len(api.asked) == 1


def test_sm3_is_that_of_the_standard() -> None:
    # GB/T 32905-2016, appendix A.1
    assert digest("sm3", "hex", "", "abc") == (
        "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    )


@pytest.mark.parametrize(
    ("auth", "message"),
    [
        ({"text": "{app}{secret}"}, "text names app"),
        ({"text": "{app_id}", "algorithm": "md5"}, "must hold {secret}"),
    ],
)
def test_a_signature_that_cannot_work_is_refused_in_the_spec(
    specs: Write, auth: dict[str, Any], message: str
) -> None:
    path = specs(spec({"auth": {"type": "signed", "app_id": "a", "secret": SECRET} | auth}))
    with pytest.raises(ConfigError, match=message):
        load_spec(path)


def test_a_probe_reads_one_small_page(api: ApiServer, specs: Write) -> None:
    Office(api)
    found = load_spec(specs(spec({"auth": TOKEN})))
    assert probe(found, found.tables[0]) == "3 fields, 25 rows"
    assert api.seen("page", "page_size") == [("1", "10")]
    for row in api.rows:
        row["remark"] = row.pop("note")
    with pytest.raises(DataError, match="column note is missing"):
        probe(found, found.tables[0])
