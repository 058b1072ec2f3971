"""Signatures of requests: a digest of a text made of the request, the moment and a shared secret."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Sequence
from datetime import datetime
from operator import itemgetter
from zoneinfo import ZoneInfo

from huiliu.errors import ConfigError
from ingestion.containers.http import Signature

CHINA = ZoneInfo("Asia/Shanghai")


def moment(form: str, at: datetime) -> str:
    """Write a moment as `seconds`, `milliseconds`, `as_is` (ISO 8601) or in a strftime form."""
    if form == "as_is":
        return at.isoformat()
    aware = at if at.tzinfo else at.replace(tzinfo=CHINA)
    if form == "seconds":
        return str(int(aware.timestamp()))
    if form == "milliseconds":
        return str(int(aware.timestamp() * 1000))
    return aware.strftime(form)


def plain(value: object) -> str:
    """Write a parameter as it stands in a query, a form or a signed text."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def signed(
    scheme: Signature,
    secret: str,
    method: str,
    path: str,
    parameters: Sequence[tuple[str, object]],
    body: str,
) -> dict[str, str]:
    """Return what proves a request to be ours: app id, moment, nonce and signature, by their names."""
    proof = {
        scheme.app_id_name: scheme.app_id,
        scheme.timestamp_name: moment(scheme.timestamp, datetime.fromtimestamp(time.time(), CHINA)),
        scheme.nonce_name: secrets.token_hex(16),
    }
    listed = [*parameters, *(proof.items() if scheme.place == "parameters" else ())]
    text = scheme.text.format(
        app_id=scheme.app_id,
        secret=secret,
        timestamp=proof[scheme.timestamp_name],
        nonce=proof[scheme.nonce_name],
        method=method,
        path=path,
        # Gateways leave empty parameters out of what is signed.
        parameters="&".join(
            f"{name}={plain(value)}" for name, value in sorted(listed, key=itemgetter(0)) if value != ""
        ),
        body=body,
    )
    return {**proof, scheme.signature_name: digest(scheme.algorithm, scheme.encoding, secret, text)}


def digest(algorithm: str, encoding: str, secret: str, text: str) -> str:
    """Return the digest of a text, keyed if the algorithm is an hmac. SM3 is GB/T 32905, by OpenSSL."""
    name = algorithm.removeprefix("hmac-")
    if name not in hashlib.algorithms_available:
        raise ConfigError(
            f"this machine's OpenSSL has no {name}", fix="use a Python with OpenSSL 1.1.1 or later"
        )
    if algorithm.startswith("hmac-"):
        raw = hmac.new(secret.encode(), text.encode(), name).digest()
    else:
        raw = hashlib.new(name, text.encode()).digest()
    if encoding == "base64":
        return base64.b64encode(raw).decode()
    return raw.hex().upper() if encoding == "upper_hex" else raw.hex()
