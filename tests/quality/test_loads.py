"""Rows between source, landing and staging: C04 and S06 of a toy source, from ledgers to corrections."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from toy_source import CONTRACTS, MODELS, ToySource, people, person

from soda_checks.contract import Contract, load_contract
from soda_checks.gate import gate_staging
from soda_checks.score import score

MODEL = "stg_toy__person"
TABLE = f"staging.{MODEL}"
Contracts = dict[str, Contract]


@pytest.fixture
def contracts() -> Contracts:
    """The toy's contract, as of a table that a source lands in."""
    landing = MODELS | {MODEL: replace(MODELS[MODEL], lands=True)}
    return {TABLE: load_contract(CONTRACTS / "staging" / f"{MODEL}.yml", landing)}


@pytest.fixture
def landed(toy: ToySource) -> ToySource:
    """Forty people without fault, landed, claimed and in staging."""
    toy.connection.execute(
        "delete from ops.model_state;"
        " create table base.toy_person (pid text); grant select on base.toy_person to huiliu_score"
    )
    toy.land(people(1, 40))
    _build(toy)
    return toy


def _build(toy: ToySource) -> None:
    """Claim every landed batch and merge it."""
    toy.connection.execute(
        "with build as (insert into ops.build (as_of, full_refresh, status)"
        " values ('2026-01-15', false, 'succeeded') returning build_id)"
        " insert into ops.build_batch select batch_id, build_id from ops.load_run, build"
        " where load_run.status = 'landed' and batch_id not in (select batch_id from ops.build_batch)"
    )
    toy.merge()
    toy.connection.execute(
        "truncate base.toy_person; insert into base.toy_person select pid from staging.stg_toy__person"
    )


def _manifest(toy: ToySource, batch: int, expected: int, actual: int) -> None:
    toy.connection.execute(
        "insert into ops.manifest (batch_id, what, expected_rows, actual_rows, matches)"
        " values (%s, 'person_0115.csv.json', %s, %s, %s)",
        (batch, expected, actual, expected == actual),
    )


def _refused(toy: ToySource, expected: int, actual: int) -> int:
    """A load that ingestion refused: nothing of it landed."""
    batch = toy.land([])
    toy.connection.execute("update ops.load_run set status = 'failed' where batch_id = %s", (batch,))
    _manifest(toy, batch, expected, actual)
    return batch


def _counted(toy: ToySource, rule: str) -> tuple[Any, ...] | None:
    return toy.connection.execute(
        "select tested, failed from quality.check_result where rule_id = %s order by batch_id desc limit 1",
        (rule,),
    ).fetchone()


def _corrections(toy: ToySource, rule: str) -> list[tuple[Any, ...]]:
    return toy.connection.execute(
        "select department, value, batch_id, closed_as, closed_because from quality.correction"
        " where rule_id = %s order by correction_id",
        (rule,),
    ).fetchall()


def test_a_file_that_its_manifest_contradicts_fails_until_it_comes_whole(
    landed: ToySource, contracts: Contracts
) -> None:
    score(contracts)
    assert _counted(landed, "C04") == (0, 0)
    refused = _refused(landed, 100, 98)
    said = "person_0115.csv.json：清单 100 行，实收 98 行"
    for _ in range(2):
        (table,) = score(contracts).tables
        assert _counted(landed, "C04") == (1, 1)
        assert _corrections(landed, "C04") == [("市公安局", said, refused, None, None)]
        # What was refused is not in the table: its rows count as ever, and its score is capped by nothing.
        assert (table.rows, table.blocked_by) == (40, [])
    kept = landed.connection.execute("select value from quality.failed_row where rule_id = 'C04'").fetchall()
    assert kept == [(said,)] * 2
    whole = landed.land(people(41, 2))
    _manifest(landed, whole, 100, 100)
    _build(landed)
    score(contracts)
    assert _counted(landed, "C04") == (1, 0)
    assert _corrections(landed, "C04") == [("市公安局", said, refused, "mended", "reloaded")]


def test_only_a_load_of_the_days_own_makes_a_refused_file_good(
    landed: ToySource, contracts: Contracts
) -> None:
    _refused(landed, 100, 98)
    back_fill = landed.land([])
    landed.connection.execute(
        "update ops.load_run set first_day = '2026-01-01', last_day = '2026-01-02' where batch_id = %s",
        (back_fill,),
    )
    _refused(landed, 100, 99)
    score(contracts)
    assert _counted(landed, "C04") == (1, 1)
    ((_, value, *_),) = _corrections(landed, "C04")
    assert value.endswith("清单 100 行，实收 99 行")
    # Another file comes with the mended one, and the manifest of both says so under another name.
    landed.land([])
    score(contracts)
    assert _counted(landed, "C04") == (1, 0)


@pytest.mark.parametrize("op", ["none", "D"])
def test_a_batch_without_rows_is_held_against_its_manifest(
    landed: ToySource, contracts: Contracts, op: str
) -> None:
    assert [it.status for it in gate_staging(contracts).batches] == ["passed"]
    batch = landed.land(people(1, 3) if op == "D" else [], "D")
    _manifest(landed, batch, 100, 3)
    (held,) = gate_staging(contracts).held
    assert (held.batch_id, held.rows, held.reason) == (batch, 0, "C04 批次行数与清单不符：1 行中 1 行不合格")
    assert [it[1:3] for it in _corrections(landed, "C04")] == [
        ("person_0115.csv.json：清单 100 行，实收 3 行", batch)
    ]
    landed.connection.execute("update ops.manifest set expected_rows = 3")
    assert [it.batch_id for it in gate_staging(contracts).passed] == [batch]


def test_rows_lost_too_many_undeleted_or_stale_are_named(landed: ToySource, contracts: Contracts) -> None:
    landed.land([person(2)], "D")
    landed.land([person(3, name="王大明")], "U")
    _build(landed)
    score(contracts)
    assert _counted(landed, "S06") == (39, 0)
    held = landed.land([person(4)], "D")
    landed.connection.execute(
        "delete from staging.stg_toy__person where person_id = '1';"
        " insert into staging.stg_toy__person select * from staging.stg_toy__person_typed"
        "  where person_id = '2' and _op = 'I';"
        " update staging.stg_toy__person set _batch_id = (select min(batch_id) from ops.load_run)"
        "  where person_id = '3';"
        " insert into staging.stg_toy__person (person_id, _row_key, _op, _batch_id)"
        "  values ('99', md5('99')::uuid, 'I', 1)"
    )
    score(contracts)
    # 1 is lost, 2 undeleted, 3 stale, 99 never came; the batch that deletes 4 waits for a build.
    assert _counted(landed, "S06") == (41, 4)
    named = landed.connection.execute("select row_key from quality.failed_row where rule_id = 'S06'")
    keys = "select md5(it)::uuid::text from unnest(array['1', '2', '3', '99']) as it"
    assert sorted(named.fetchall()) == sorted(landed.connection.execute(keys).fetchall())
    assert {it[0] for it in _corrections(landed, "S06")} == {"市大数据局"}
    landed.connection.execute("delete from raw.toy__person where _batch_id = %s", (held,))
    _build(landed)
    score(contracts)
    assert _counted(landed, "S06") == (39, 0)
    assert sorted(it[3] for it in _corrections(landed, "S06")) == ["gone", "gone", "mended", "mended"]


def test_a_row_lost_on_its_way_leaves_its_other_faults_open(landed: ToySource, contracts: Contracts) -> None:
    landed.land([person(5, name="未知")], "U")
    _build(landed)
    score(contracts)
    (before,) = _corrections(landed, "C02")
    landed.connection.execute("delete from staging.stg_toy__person where person_id = '5'")
    score(contracts)
    assert _counted(landed, "S06") == (40, 1)
    assert _corrections(landed, "C02") == [before]
    assert before[3] is None


def test_batches_claimed_after_the_models_last_build_are_not_counted(
    landed: ToySource, contracts: Contracts
) -> None:
    landed.connection.execute(
        "insert into ops.model_state (model, build_id, as_of, full_build_id)"
        " select 'stg_toy__person', build_id, as_of, build_id from ops.build order by build_id desc limit 1"
    )
    in_staging = landed.connection.execute("select count(*) from staging.stg_toy__person").fetchone()
    landed.land(people(41, 5))
    _build(landed)
    landed.connection.execute("delete from staging.stg_toy__person where person_id::integer > 40")
    score(contracts)
    assert _counted(landed, "S06") == (*(in_staging or ()), 0)
    landed.connection.execute("update ops.model_state set build_id = (select max(build_id) from ops.build)")
    score(contracts)
    assert _counted(landed, "S06") == (45, 5)
