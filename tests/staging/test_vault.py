"""The identifier key is HMAC-SHA256, and its secret is out of reach of every role that uses it."""

from __future__ import annotations

import hashlib
import hmac
import uuid

import psycopg
import pytest

from huiliu.connections import secret
from huiliu.database import connect

IDENTIFIERS = ["11010519491231002X", "440524188001010014", "", "汉字"]


def test_the_key_is_hmac_sha256_of_the_secret(warehouse: psycopg.Connection) -> None:
    rows = warehouse.execute(
        "select vault.identifier_key(value)"
        " from unnest(%s::text[]) with ordinality as it (value, n) order by n",
        [IDENTIFIERS],
    )
    secret_key = secret("identifier_hash_key").encode()
    expected = [
        uuid.UUID(bytes=hmac.new(secret_key, value.encode(), hashlib.sha256).digest()[:16])
        for value in IDENTIFIERS
    ]
    assert [row[0] for row in rows] == expected


def test_nothing_has_no_key(warehouse: psycopg.Connection) -> None:
    assert warehouse.execute("select vault.identifier_key(null)").fetchone() == (None,)


def test_the_build_may_use_the_key_but_not_read_it(home: object) -> None:
    with connect("warehouse:build") as conn:
        assert conn.execute("select vault.identifier_key('1')").fetchone() is not None
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("select * from vault.hash_key")


@pytest.mark.parametrize("role", ["ingest", "score", "return"])
def test_other_roles_may_not_even_use_it(home: object, role: str) -> None:
    with connect(f"warehouse:{role}") as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("select vault.identifier_key('1')")


def test_a_caller_cannot_slip_in_functions_of_its_own(home: object) -> None:
    """SECURITY DEFINER with a fixed search path: a sha256 in the caller's own schema is never called."""
    with connect("warehouse:build") as conn:
        before = conn.execute("select vault.identifier_key('1')").fetchone()
        conn.execute(
            "create function staging.sha256(bytea) returns bytea language sql as 'select null::bytea'"
        )
        conn.execute("set local search_path = staging, pg_catalog")
        assert conn.execute("select vault.identifier_key('1')").fetchone() == before
        conn.rollback()
