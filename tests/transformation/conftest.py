"""A warehouse of its own for the toy city, so that its builds mix with nobody's."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql
from toy_city import ToyCity

from huiliu.connections import dsn, secret
from huiliu.database import connect, connect_to
from huiliu.settings import get_settings
from transformation.dbt_runner import DbtProject

DATABASE = "toy_warehouse"


@pytest.fixture(scope="session")
def toy_project(home: Path) -> DbtProject:
    """The toy dbt project, parsed once; it uses the real macros."""
    return DbtProject(Path(__file__).parent / "toy")


@pytest.fixture
def own_toy(toy: ToyCity, toy_project: DbtProject, tmp_path: Path) -> ToyCity:
    """The toy city with a copy of its project, for a test that changes models."""
    folder = tmp_path / "toy"
    shutil.copytree(toy_project.folder, folder)
    macros = get_settings().project_root / "dbt_project" / "macros"
    settings = folder / "dbt_project.yml"
    settings.write_text(settings.read_text().replace("../../../dbt_project/macros", str(macros)))
    toy.project = DbtProject(folder)
    return toy


@pytest.fixture
def toy(home: Path, toy_project: DbtProject, monkeypatch: pytest.MonkeyPatch) -> Iterator[ToyCity]:
    """An empty warehouse with the real ledgers and one source; `connect("warehouse")` leads to it."""
    with connect_to(dsn("admin"), "admin", autocommit=True) as admin:
        admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(DATABASE)))
        admin.execute(sql.SQL("create database {} owner huiliu_owner").format(sql.Identifier(DATABASE)))
        host, port = admin.info.host, admin.info.port
    monkeypatch.setenv(
        "HUILIU_DSN_WAREHOUSE", f"postgresql://huiliu_owner:{secret('huiliu_owner')}@{host}:{port}/{DATABASE}"
    )
    with connect("warehouse", autocommit=True) as conn:
        for file in sorted((get_settings().project_root / "huiliu" / "warehouse").glob("*.sql")):
            conn.execute(file.read_bytes())
        yield ToyCity(conn, toy_project)
