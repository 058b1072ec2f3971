"""A source of the tests' own (`clinic`): its database, its specs, and what raw holds of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from clinic import DAY, Raw, forget
from mariadb_server import mariadb  # noqa: F401 - a fixture, found by its name here
from psycopg import sql
from psycopg.conninfo import make_conninfo
from tenacity import wait_fixed

from huiliu import business_date
from huiliu.connections import dsn
from huiliu.database import connect
from huiliu.settings import forget_settings
from ingestion import spec
from ingestion.http import client

SOURCE_DATABASE = "test_ingestion_clinic"


@pytest.fixture(autouse=True)
def _no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask a failing service again soon; how long it wishes to be left alone still counts."""
    monkeypatch.setattr(client, "_back_off", wait_fixed(0.01))


@pytest.fixture
def specs(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Write a spec; `ingest` sees only those written here. What they landed is gone after the test."""
    folder = tmp_path / "specs"
    folder.mkdir()
    monkeypatch.setattr(spec, "SOURCES", folder)
    monkeypatch.setenv("HUILIU_DSN_SOURCE__CLINIC", _source_dsn())
    forget_settings()
    with connect("warehouse") as conn:
        business_date.set(conn, DAY)

    def write(content: dict[str, Any]) -> Path:
        path = folder / f"{content['name']}.yml"
        path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
        return path

    yield write
    forget("clinic")
    forget("surgery")
    forget_settings()


def _source_dsn() -> str:
    return make_url(dsn("admin"), SOURCE_DATABASE)


def make_url(conninfo: str, database: str) -> str:
    parts = psycopg.conninfo.conninfo_to_dict(make_conninfo(conninfo))
    return f"postgresql://{parts['user']}:{parts['password']}@{parts['host']}:{parts['port']}/{database}"


@pytest.fixture(scope="session")
def source_database(home: Path) -> Iterator[str]:
    """An empty source database on the session's server."""
    with connect("admin", autocommit=True) as conn:
        conn.execute(sql.SQL("create database {}").format(sql.Identifier(SOURCE_DATABASE)))
    yield _source_dsn()
    with connect("admin", autocommit=True) as conn:
        conn.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(SOURCE_DATABASE)))


@pytest.fixture
def clinic(source_database: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection to the source database, with the table `patient` of 40 rows."""
    with psycopg.connect(source_database, autocommit=True) as conn:
        conn.execute("drop schema public cascade")
        conn.execute("create schema public")
        conn.execute(
            "create table patient (id bigint primary key, name text, born date, updated_at timestamp)"
        )
        conn.execute(
            "insert into patient select n, 'p' || n, date '1980-01-01' + n, timestamp '2026-01-01' +"
            " n * interval '1 hour'"
            " from generate_series(1, 40) n"
        )
        yield conn


@pytest.fixture
def raw(home: Path) -> Iterator[Raw]:
    with connect("warehouse", autocommit=True) as conn:
        yield Raw(conn)
