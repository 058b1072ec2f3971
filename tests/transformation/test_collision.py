"""Collisions equal a comparison in Python, hold keys alone, and every call is in the log."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner

from huiliu.cli import app
from huiliu.database import connect
from huiliu.errors import ConfigError, TransientError
from transformation.collision import collide

A, B = "base.collide_a", "theme.collide_b"
dice = random.Random(7)  # noqa: S311 - keys of a test
KEYS = [UUID(int=dice.getrandbits(128)) for _ in range(300)]


@pytest.fixture
def log(home: object) -> Iterator[psycopg.Connection[Any]]:
    """Two tables with repeated and missing keys; the log as the owner sees it."""
    with connect("warehouse:build", autocommit=True) as conn:
        for schema, name in (("base", "collide_a"), ("theme", "collide_b")):
            conn.execute(
                sql.SQL(
                    "create table {} (identifier_key uuid, uscc text, name text, person_key text)"
                ).format(sql.Identifier(schema, name))
            )
        for table, keys in ((("base", "collide_a"), KEYS[:200]), (("theme", "collide_b"), KEYS[100:])):
            rows = [
                (key, key and str(key)[:18], "王小明", key and str(key)) for key in [*keys, *keys[:20], None]
            ]
            with conn.cursor() as cursor:
                cursor.executemany(
                    sql.SQL("insert into {} values (%s, %s, %s, %s)").format(sql.Identifier(*table)), rows
                )
        conn.execute("alter table theme.collide_b alter person_key type uuid using person_key::uuid")
    with connect("warehouse", autocommit=True) as conn:
        conn.execute("delete from ops.collision_run")
        yield conn
        for (name,) in conn.execute(
            "select tablename from pg_tables where schemaname = 'collision'"
        ).fetchall():
            conn.execute(sql.SQL("drop table {}").format(sql.Identifier("collision", name)))
    with connect("warehouse:build", autocommit=True) as conn:
        conn.execute("drop table base.collide_a, theme.collide_b")


def found(conn: psycopg.Connection[Any], result: str) -> list[tuple[Any, ...]]:
    return conn.execute(sql.SQL("select * from {}").format(sql.Identifier(*result.split(".")))).fetchall()


@pytest.mark.parametrize(("mode", "expected"), [("both", set(KEYS[100:200])), ("only_a", set(KEYS[:100]))])
def test_it_finds_what_a_comparison_in_python_finds(
    log: psycopg.Connection[Any], mode: str, expected: set[UUID]
) -> None:
    done = collide(A, B, on="identifier_key", mode=mode, by="张三")
    assert (done.rows_a, done.rows_b, done.rows_out) == (200, 200, 100)
    rows = found(log, done.result)
    assert len(rows) == len(expected)
    assert {key for (key,) in rows} == expected, "keys only, each once"


def test_organisations_are_collided_on_their_credit_code(log: psycopg.Connection[Any]) -> None:
    assert collide(A, B, on="uscc", by="张三").rows_out == 100


def test_the_log_counts_every_call_refused_and_failed_ones_too(log: psycopg.Connection[Any]) -> None:
    collide(A, B, on="identifier_key", by="张三")
    refused = [
        (A, "theme.nothing", "identifier_key", "both"),
        (A, B, "nothing", "both"),
        (A, B, "name", "both"),
        (A, B, "person_key", "both"),
        (A, B, "identifier_key", "neither"),
        ("vault.hash_key", B, "identifier_key", "both"),
        ('base.collide_a" where 1=1; drop table base.collide_a; --', B, "identifier_key", "both"),
    ]
    for a, b, on, mode in refused:
        with pytest.raises(ConfigError):
            collide(a, b, on=on, mode=mode, by="李四")
    rows = log.execute(
        "select called_by, status, count(*), count(finished_at), count(error) from ops.collision_run"
        " group by 1, 2 order by 1, 2"
    ).fetchall()
    assert rows == [
        ("张三", "succeeded", 1, 1, 0),
        ("李四", "failed", len(refused), len(refused), len(refused)),
    ]
    assert log.execute("select count(*) from pg_tables where schemaname = 'collision'").fetchone() == (1,)


def test_a_call_without_a_name_is_refused_and_logged(log: psycopg.Connection[Any]) -> None:
    with pytest.raises(ConfigError, match="who calls"):
        collide(A, B, on="identifier_key", by=" ")
    assert log.execute("select called_by, status, error from ops.collision_run").fetchall() == [
        ("", "failed", "a collision needs the name of who calls it. Fix: give --by")
    ]


def test_a_missing_right_is_no_passing_fault(log: psycopg.Connection[Any]) -> None:
    log.execute("revoke create on schema collision from huiliu_collide")
    try:
        with pytest.raises(ConfigError, match=r"permission denied.*huiliu prepare"):
            collide(A, B, on="identifier_key", by="张三")
    finally:
        log.execute("grant create on schema collision to huiliu_collide")


def test_a_table_in_use_is_a_passing_fault(
    log: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c lock_timeout=100ms")
    with connect("warehouse:build") as conn:
        conn.execute("lock table base.collide_a in access exclusive mode")
        with pytest.raises(TransientError, match="lock timeout"):
            collide(A, B, on="identifier_key", by="张三")


def test_a_table_that_is_not_there_is_answered_with_those_that_are(log: psycopg.Connection[Any]) -> None:
    with pytest.raises(ConfigError, match=r"base\.collide_a.*theme\.collide_b"):
        collide(A, "theme.nothing", on="identifier_key", by="张三")


def test_the_log_cannot_be_taken_back(log: psycopg.Connection[Any]) -> None:
    collide(A, B, on="identifier_key", by="张三")
    for statement in ("delete from ops.collision_run", "update ops.collision_run set called_by = '李四'"):
        with connect("warehouse:collide") as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(statement)  # type: ignore[call-overload]  # the statements are constants of this file


def test_the_command_names_result_and_caller(log: psycopg.Connection[Any]) -> None:
    done = CliRunner().invoke(app, ["collide", A, B, "--on", "identifier_key", "--by", "王五", "--json"])
    assert done.exit_code == 0, done.output
    assert '"rows_out": 100' in done.stdout
    assert log.execute("select called_by from ops.collision_run").fetchall() == [("王五",)]
    assert CliRunner().invoke(app, ["collide", A, B, "--on", "name", "--by", "王五"]).exit_code != 0
    assert log.execute("select count(*) from ops.collision_run").fetchone() == (2,)
