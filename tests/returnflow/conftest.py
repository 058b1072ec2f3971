"""Fixtures of the return flow: empty return models, and a small city over three front-end databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from returnflow_city import DISTRICTS, TOWNSHIPS, City, clear_destinations, clear_ledgers, make_models

from huiliu import business_date
from huiliu.database import connect
from huiliu.settings import forget_settings, get_settings
from returnflow.spec import load_packages


@pytest.fixture
def models(home: Path) -> Iterator[psycopg.Connection]:
    """Empty return models; gone afterwards, as a build makes its own."""
    with connect("warehouse:build") as conn:
        make_models(conn, load_packages())
        yield conn
        conn.rollback()
        for package in load_packages().values():
            conn.execute(sql.SQL("drop table {}").format(sql.Identifier("return", package.model)))


@pytest.fixture
def city(
    models: psycopg.Connection,
    warehouse: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[City]:
    """Three districts and four townships, scored 1, nothing delivered yet."""
    wanted = {code.ljust(12, "0") for code in ("3706", *DISTRICTS, *TOWNSHIPS)}
    header, *lines = get_settings().regions.read_text(encoding="utf-8-sig").splitlines()
    regions = tmp_path / "regions.csv"
    regions.write_text(
        "\n".join([header, *(line for line in lines if line[:12] in wanted)]), encoding="utf-8"
    )
    monkeypatch.setenv("HUILIU_REGIONS", str(regions))
    forget_settings()
    clear_destinations(TOWNSHIPS + DISTRICTS)
    clear_ledgers(warehouse)
    business_date.set(warehouse, date(2026, 1, 15))
    warehouse.commit()
    small = City(warehouse)
    small.build("2026-01-15")
    small.score(1)
    yield small
    # First what the test broke in the environment, then what it delivered.
    monkeypatch.undo()
    forget_settings()
    warehouse.rollback()
    clear_destinations(TOWNSHIPS + DISTRICTS)
    clear_ledgers(warehouse)
