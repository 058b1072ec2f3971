"""Corrections of what the gate holds: the worst batches go home too, and stay open until they are mended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from own_warehouse import TODAY
from toy_source import Row, ToySource, people, person

from huiliu import business_date
from soda_checks import decisions, ledger
from soda_checks.corrections import suppressions
from soda_checks.corrections.suppressions import Asked
from soda_checks.gate import gate_staging
from soda_checks.score import score

TABLE = "staging.stg_toy__person"


@pytest.fixture
def merged(toy: ToySource) -> ToySource:
    """Fifty people without fault, in staging and known to the population base."""
    toy.connection.execute(
        "create table base.toy_person (pid text); grant select on base.toy_person to huiliu_score"
    )
    _day(toy, people(1, 50))
    return toy


def _day(toy: ToySource, rows: Sequence[Row], op: str = "I") -> int:
    """Land a batch and go on as a day does: gate, a build of what passed, scoring; return the batch."""
    batch = toy.land(rows, op)
    _gate_and_build(toy)
    return batch


def _gate_and_build(toy: ToySource) -> None:
    gate_staging(toy.contracts)
    _build(toy)
    score(toy.contracts)


def _build(toy: ToySource) -> None:
    toy.connection.execute(
        "truncate staging.stg_toy__person, base.toy_person;"
        " insert into staging.stg_toy__person select distinct on (_row_key) typed.*"
        " from staging.stg_toy__person_typed as typed"
        " inner join ops.batch_gate as gate on typed._batch_id = gate.batch_id and gate.status <> 'held'"
        " order by _row_key, _batch_id desc;"
        " delete from staging.stg_toy__person where _op = 'D';"
        " insert into base.toy_person select pid from staging.stg_toy__person"
    )


def _found(toy: ToySource, what: str = "status, count(*)") -> list[tuple[Any, ...]]:
    """The list by status, without the rules that are about a number's form."""
    rows = toy.connection.execute(
        f"select {what} from quality.correction_list as listed"  # noqa: S608 - of this test
        " inner join quality.correction using (correction_id) where rule_id = 'C01' and column_name = 'pid'"
        " group by 1"
    ).fetchall()
    return sorted(rows, key=str)


def test_every_failing_row_of_a_held_batch_is_on_the_list(
    merged: ToySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "FAILED_ROWS_KEPT", 10)
    held = _day(merged, people(100, 40, pid=None))
    assert _found(merged) == [("待更正（批次被扣留）", 40)]
    assert _found(merged, "correction.batch_id, count(distinct correction.value)") == [(held, 0)]
    before = merged.connection.execute("select * from quality.correction order by 1").fetchall()
    _gate_and_build(merged)
    assert merged.connection.execute("select * from quality.correction order by 1").fetchall() == before
    business_date.set(merged.connection, TODAY.replace(day=30))
    assert _found(merged) == [("逾期未更正（批次被扣留）", 40)]


def test_what_a_correcting_batch_mends_closes_once_it_has_come_through(merged: ToySource) -> None:
    # 1 to 40 were right before, and are in staging as they were.
    _day(merged, people(1, 40, pid=None) + people(100, 10, pid=None))
    assert _found(merged) == [("待更正（批次被扣留）", 50)]
    # Bad itself, so all of it waits.
    _day(merged, people(1, 40) + people(200, 60, pid=None), op="U")
    assert _found(merged) == [("待更正（批次被扣留）", 50)]
    merged.land(people(200, 60) + people(100, 9), op="U")
    gate_staging(merged.contracts)
    # Passed, and not built yet: staging still has the versions of before.
    score(merged.contracts)
    assert _found(merged) == [("待更正", 50)]
    _build(merged)
    score(merged.contracts)
    assert _found(merged) == [("已更正", 49), ("待更正", 1)]
    assert _found(merged, "closed_as, count(*), max(closed_because)") == [
        ("mended", 49, "reloaded"), (None, 1, None),
    ]  # fmt: skip


def test_a_released_batch_goes_on_with_the_same_corrections(merged: ToySource) -> None:
    held = _day(merged, people(100, 40, pid=None))
    opened = _found(merged, "listed.correction_id")
    decisions.release(held, by="王工", reason="情况如实")
    _gate_and_build(merged)
    assert _found(merged) == [("待更正", 40)]
    assert _found(merged, "listed.correction_id") == opened
    # The next batch is held again, with some of the same rows.
    again = _day(merged, people(100, 30, pid=" ") + people(300, 5), op="U")
    assert merged.gate_status()[again] == "held"
    assert _found(merged) == [("待更正", 10), ("待更正（批次被扣留）", 30)]
    assert _found(merged, "listed.correction_id") == opened


def test_a_replaced_batch_is_mended_by_those_that_hold_its_rows(merged: ToySource) -> None:
    held = _day(merged, people(100, 40, pid=None))
    merged.land(people(100, 39) + people(300, 60, pid="x"), op="U")
    merged.land([person(139, pid="")], op="U")
    decisions.replace(held, by="王工", reason="整表重采")
    for batch in sorted(set(_batches(merged)) - {held}):
        gate_staging(merged.contracts)
        if merged.gate_status().get(batch) == "held":
            decisions.release(batch, by="王工", reason="情况如实")
    _gate_and_build(merged)
    assert _found(merged) == [("已更正", 39), ("待更正", 1)]


def _batches(toy: ToySource) -> list[int]:
    return [it for (it,) in toy.connection.execute("select batch_id from ops.load_run").fetchall()]


def test_a_held_row_that_the_source_deletes_is_gone_and_not_opened_again(merged: ToySource) -> None:
    _day(merged, people(100, 40, pid=None))
    _day(merged, people(100, 10), op="D")
    for _ in range(2):
        assert _found(merged) == [("待更正（批次被扣留）", 30), ("来源已删除", 10)]
        _gate_and_build(merged)


def test_what_is_suppressed_opens_nothing_in_a_held_batch(merged: ToySource) -> None:
    asked = Asked(TABLE, "C01", "pid", None, "系统改造", "王工", TODAY)
    suppressions.suppress(asked, merged.contracts)
    _day(merged, people(100, 40, pid=None))
    assert _found(merged) == []


def test_an_emptied_staging_table_has_no_row_deleted_at_the_source(merged: ToySource) -> None:
    _day(merged, [person(1, pid=None), person(2, pid=None), *people(3, 5)], op="U")
    merged.connection.execute("truncate staging.stg_toy__person")
    score(merged.contracts)
    assert _found(merged) == [("待更正", 2)]
    _day(merged, [person(2)], op="D")
    assert _found(merged) == [("待更正", 1), ("来源已删除", 1)]
