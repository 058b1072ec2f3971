"""Which programs an installation runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from huiliu.programs import AIRFLOW, POSTGRES, programs


def test_a_warehouse_elsewhere_leaves_the_other_databases_here(
    empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUILIU_DSN_WAREHOUSE", "postgresql://boss:x@db.example:6000/dw")
    assert next(iter(programs())) == POSTGRES


def test_an_administrator_elsewhere_needs_no_server_here(
    empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUILIU_DSN_ADMIN", "postgresql://boss:x@db.example:6000/postgres")
    assert POSTGRES not in programs()
    assert set(AIRFLOW) <= set(programs())
