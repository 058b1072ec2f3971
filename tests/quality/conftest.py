"""A warehouse of its own for quality tests, with a toy source `toy.person`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from own_warehouse import TODAY, own_warehouse
from toy_source import ToySource

from huiliu import business_date
from huiliu.database import connect


@pytest.fixture(scope="module")
def toy_warehouse(home: Path) -> Iterator[str]:
    """The owner's connection string of a warehouse for the toy source, gone with its module."""
    with own_warehouse("quality_toy") as owner:
        yield owner


@pytest.fixture
def toy(toy_warehouse: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ToySource]:
    """Empty ledgers, an empty raw table and its typed view; `connect("warehouse…")` leads there."""
    monkeypatch.setenv("HUILIU_DSN_WAREHOUSE", toy_warehouse)
    with connect("warehouse", autocommit=True) as connection:
        connection.execute(
            "truncate ops.load_run, quality.check_result, quality.score, quality.score_run,"
            " quality.failed_row, quality.correction, quality.suppression, quality.correction_delivery,"
            " quality.profile_batch, quality.drift_alarm"
            " cascade;"
            " drop table if exists raw.toy__person, staging.stg_toy__person, base.toy_person cascade"
        )
        business_date.set(connection, TODAY)
        yield ToySource(connection)
