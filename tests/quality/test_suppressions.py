"""Suppressions as operators decide on them: what is refused and why, overlaps, what an end brings back."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from own_warehouse import TODAY
from toy_source import ToySource, people, person, toy_contract
from typer.testing import CliRunner

from huiliu import business_date
from huiliu.cli import app
from huiliu.errors import ConfigError, DataError
from soda_checks.corrections import suppressions
from soda_checks.score import score

TABLE = "staging.stg_toy__person"


@pytest.fixture
def nameless(toy: ToySource, monkeypatch: pytest.MonkeyPatch) -> ToySource:
    """Nine people of whom one has no name; the commands know the toy's contract only."""
    monkeypatch.setattr(suppressions, "load_contracts", lambda: toy.contracts)
    toy.connection.execute("create table base.toy_person (pid text)")
    toy.connection.execute("grant select on base.toy_person to huiliu_score")
    toy.land([*people(2, 8), person(1, name=None)])
    toy.merge()
    toy.connection.execute("insert into base.toy_person select pid from staging.stg_toy__person")
    return toy


def _huiliu(*words: str) -> str:
    """Run a command; its error is raised as it is."""
    return CliRunner().invoke(app, list(words), catch_exceptions=False).stdout


def _suppress(
    rule: str = "C01", *more: str, table: str = TABLE, until: date = TODAY + timedelta(days=9)
) -> None:
    _huiliu("suppress", table, rule, "--reason", "系统改造", "--by", "王工", "--until", f"{until}", *more)


def _scored(toy: ToySource, day: date) -> list[tuple[Any, ...]]:
    """Score on a day; return what is open, and whether it was closed before."""
    business_date.set(toy.connection, day)
    score(toy.contracts)
    return toy.connection.execute(
        "select rule_id, column_name, reopened_from is not null from quality.correction"
        " where closed_at is null"
    ).fetchall()


def _states() -> dict[int, tuple[str, int | None]]:
    told = json.loads(_huiliu("suppressions", "--json"))
    return {it["suppression_id"]: (it["state"], it["rows_last_time"]) for it in told}


def test_where_suppressions_overlap_the_fault_is_back_when_the_last_has_ended(nameless: ToySource) -> None:
    assert _scored(nameless, TODAY) == [("C01", "name", False)]
    _suppress(until=TODAY + timedelta(days=2))
    _suppress("C01", "--column", "name", "--from", f"{TODAY + timedelta(days=1)}")
    assert _scored(nameless, TODAY) == []
    second, first = _states()
    assert _states() == {second: ("coming", None), first: ("in force", 1)}
    assert _scored(nameless, TODAY + timedelta(days=2)) == []
    assert _states() == {second: ("in force", 1), first: ("in force", 1)}
    assert _scored(nameless, TODAY + timedelta(days=3)) == []
    assert _states() == {second: ("in force", 1), first: ("ended", 1)}
    assert _scored(nameless, TODAY + timedelta(days=10)) == [("C01", "name", True)]
    with pytest.raises(DataError, match=f"no suppression {first} to withdraw"):
        _huiliu("suppressions", "--withdraw", f"{first}", "--by", "李工")


def test_what_still_fails_is_back_once_its_suppression_is_withdrawn(nameless: ToySource) -> None:
    _scored(nameless, TODAY)
    _suppress()
    assert _scored(nameless, TODAY) == []
    (number,) = _states()
    _huiliu("suppressions", "--withdraw", f"{number}", "--by", "李工")
    assert _states()[number][0] == "withdrawn"
    assert _scored(nameless, TODAY) == [("C01", "name", True)]


@pytest.mark.parametrize(
    ("ask", "message", "fix"),
    [
        (lambda: _suppress(table="staging.stg_toy__house"), "is no staging table", "huiliu corrections"),
        (lambda: _suppress("S05"), "No contract binds S05", "bound there: A01, "),
        (lambda: _suppress("C01", "--column", "nmae"), "No contract binds C01", "C01 is bound to name, "),
        (lambda: _suppress(until=TODAY - timedelta(days=1)), "2026-01-14 has passed", "--until"),
        (
            lambda: _suppress("C01", "--from", "2025-12-01", until=TODAY - timedelta(days=1)),
            "2026-01-14 has passed",
            "--until",
        ),
        (lambda: _suppress("C01", "--from", "2025-12-01"), "2025-12-01 has passed", "leave --from out"),
        (lambda: _suppress("C01", "--from", "2026-01-25"), "2026-01-24 is before 2026-01-25", "--from or"),
        (
            # Each less than a year, both decided at once.
            lambda: _suppress("C01", "--from", "2027-01-15", until=date(2027, 12, 31)),
            "2027-12-31 is more than a year away",
            "until 2027-01-15",
        ),
        (lambda: _suppress("C01", "--row", "编号 1"), "never had a row 编号 1", "--json"),
        (lambda: _suppress("C01", "--row", str(UUID(int=1))), "never had a row 0000", "--json"),
    ],
)
def test_what_cannot_be_let_off_is_refused_with_the_way_out(
    nameless: ToySource, ask: Callable[[], None], message: str, fix: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        ask()
    assert message in str(refused.value)
    assert fix in str(refused.value)
    assert _states() == {}


def test_one_row_can_be_let_off_for_one_day(nameless: ToySource) -> None:
    assert _scored(nameless, TODAY) == [("C01", "name", False)]
    ((row_key,),) = nameless.connection.execute("select row_key from quality.correction").fetchall()
    _suppress("C01", "--row", row_key.upper(), until=TODAY)
    assert _scored(nameless, TODAY) == []
    assert _scored(nameless, TODAY + timedelta(days=1)) == [("C01", "name", True)]


def test_what_is_ours_to_mend_cannot_be_let_off(nameless: ToySource) -> None:
    base = toy_contract().model_copy(update={"dataset": "huiliu/base/toy_person"})
    asked = suppressions.Asked(base.table_name, "C01", None, None, "理由", "王工", TODAY + timedelta(days=9))
    with pytest.raises(ConfigError, match="nothing of it is sent back"):
        suppressions.suppress(asked, {base.table_name: base})
