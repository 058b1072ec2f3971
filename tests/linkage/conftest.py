"""A warehouse of its own for linkage, with the two tables that dbt describes people and records in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql

from huiliu.connections import dsn, secret
from huiliu.database import connect, connect_to
from huiliu.settings import get_settings
from tests.linkage.toy_people import ToyPeople

DATABASE = "toy_linkage_warehouse"


@pytest.fixture
def toy_people(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ToyPeople]:
    """An empty warehouse as the build sees it; `connect("warehouse:build")` leads to it."""
    with connect_to(dsn("admin"), "admin", autocommit=True) as admin:
        admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(DATABASE)))
        admin.execute(sql.SQL("create database {} owner huiliu_owner").format(sql.Identifier(DATABASE)))
        host, port = admin.info.host, admin.info.port
    roles = {
        "WAREHOUSE": "huiliu_owner",
        "WAREHOUSE__BUILD": "huiliu_build",
        "WAREHOUSE__DECIDE": "huiliu_decide",
    }
    for name, role in roles.items():
        monkeypatch.setenv(
            f"HUILIU_DSN_{name}", f"postgresql://{role}:{secret(role)}@{host}:{port}/{DATABASE}"
        )
    with connect("warehouse", autocommit=True) as owner:
        for file in sorted((get_settings().project_root / "huiliu" / "warehouse").glob("*.sql")):
            owner.execute(file.read_bytes())
    with connect("warehouse:build", autocommit=True) as conn:
        yield ToyPeople(conn)
