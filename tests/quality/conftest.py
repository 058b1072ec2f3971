"""Warehouses of their own for quality tests: of a toy source `toy.person`, or of the real staging views."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from own_warehouse import own_warehouse
from toy_source import ToySource, empty_toy

from huiliu.database import connect
from ingestion.raw_table import ensure_raw_tables
from transformation.checks import ensure_typed_views


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--write-proof` writes what the plants found into docs/quality_proof.md."""
    parser.addoption("--write-proof", action="store_true", help="write docs/quality_proof.md anew")


@pytest.fixture(scope="session")
def staging_views(home: Path) -> Iterator[str]:
    """Name of a warehouse to copy: raw tables of the specs, typed views of the models, no rows."""
    database = "quality_staging_views"
    with own_warehouse(database) as owner:
        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setenv("HUILIU_DSN_WAREHOUSE", owner)
            with connect("warehouse", autocommit=True) as connection:
                connection.execute(
                    "insert into vault.hash_key (inner_pad, outer_pad)"
                    " values (decode(repeat('36', 64), 'hex'), decode(repeat('5c', 64), 'hex'))"
                )
            ensure_raw_tables()
            ensure_typed_views()
        yield database


@pytest.fixture(scope="module")
def toy_warehouse(home: Path) -> Iterator[str]:
    """The owner's connection string of a warehouse for the toy source, gone with its module."""
    with own_warehouse("quality_toy") as owner:
        yield owner


@pytest.fixture
def toy(toy_warehouse: str) -> Iterator[ToySource]:
    """Empty ledgers, an empty raw table and its typed view; `connect("warehouse…")` leads there."""
    with empty_toy(toy_warehouse) as made:
        yield made
