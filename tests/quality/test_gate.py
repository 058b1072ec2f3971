"""The staging gate on a real PostgreSQL, with a toy source."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

import psycopg
import pytest
from own_warehouse import TODAY
from toy_source import ToySource, people, person

from huiliu import business_date
from huiliu.database import Connection, connect
from huiliu.errors import ConfigError, DataError
from soda_checks import decisions, ledger
from soda_checks.conditions import Relation
from soda_checks.contract import Column, Contract, Threshold
from soda_checks.decisions import release
from soda_checks.gate import gate_staging
from soda_checks.verify import TableOutcome, verify
from transformation.ledger import claimable


def test_ordinary_dirt_passes(toy: ToySource) -> None:
    rows = people(1, 95) + people(96, 5, pid=None)
    batch = toy.land(rows)
    result = gate_staging(toy.contracts)
    assert [(verdict.batch_id, verdict.status, verdict.rows) for verdict in result.batches] == [
        (batch, "passed", 100)
    ]
    assert toy.gate_status() == {batch: "passed"}
    failed = toy.connection.execute(
        "select tested, failed, outcome from quality.check_result"
        " where batch_id = %s and rule_id = 'C01' and column_name = 'pid'",
        (batch,),
    ).fetchone()
    assert failed == (100, 5, "passed")


def test_a_bad_batch_is_held_and_later_ones_wait_behind_it(toy: ToySource) -> None:
    good = toy.land(people(1, 50))
    bad = toy.land(people(100, 40) + people(200, 20, pid=""))
    behind = toy.land(people(300, 50))
    result = gate_staging(toy.contracts)
    assert [(it.batch_id, it.status) for it in result.batches] == [
        (good, "passed"), (bad, "held"), (behind, "waiting"),
    ]  # fmt: skip
    assert result.held[0].reason == (
        "C01 必填项为空（pid）：60 行中 20 行不合格；"
        "C01 关键信息缺失或无效，整行无法使用：60 行中 20 行不合格"
    )
    assert toy.gate_status() == {good: "passed", bad: "held"}
    assert toy.connection.execute("select * from ops.batch_under_test").fetchall() == []
    # Again: nothing changes.
    assert [it.status for it in gate_staging(toy.contracts).batches] == ["held", "waiting"]
    assert toy.gate_status() == {good: "passed", bad: "held"}


def test_a_batch_that_is_tested_again_keeps_its_day_in_the_trend(toy: ToySource) -> None:
    batch = toy.land(people(1, 40, pid="x"))
    gate_staging(toy.contracts)
    business_date.set(toy.connection, TODAY + timedelta(days=1))
    gate_staging(toy.contracts)
    days = "select distinct business_date from quality.score_trend where batch_id = %s"
    assert toy.connection.execute(days, (batch,)).fetchall() == [(TODAY,)]


@pytest.mark.parametrize("op", ["I", "U"])
def test_a_batch_of_rows_nobody_can_use_is_held(toy: ToySource, op: str) -> None:
    # Neither blank, which C01 on the column counts, nor well-formed, which A01 judges.
    batch = toy.land([person(number, pid=f"xBT{number:06d}") for number in range(1, 41)], op=op)
    result = gate_staging(toy.contracts)
    assert toy.gate_status() == {batch: "held"}
    assert result.held[0].reason == "C01 关键信息缺失或无效，整行无法使用：40 行中 40 行不合格"


@pytest.mark.parametrize(("unusable", "status"), [(20, "passed"), (21, "held")])
def test_a_fifth_of_a_batch_may_be_unusable(toy: ToySource, unusable: int, status: str) -> None:
    batch = toy.land(people(1, 100 - unusable) + people(200, unusable, pid="x"))
    gate_staging(toy.contracts)
    assert toy.gate_status() == {batch: status}


def test_the_load_ledger_counts_unusable_rows_once(toy: ToySource) -> None:
    bad = toy.land(people(1, 40, pid="x") + people(100, 3))
    toy.connection.execute("update ops.load_run set rows_quarantined = 2 where batch_id = %s", (bad,))
    deletions = toy.land(people(500, 5, pid="x"), op="D")
    for _ in range(2):
        gate_staging(toy.contracts)
        assert _quarantined(toy) == {bad: 42, deletions: None}
    # Mended by a batch with a bad row of its own; what the first batch held stays as it was.
    mending = toy.land([*people(1, 39), person(40, pid="x")], op="U")
    gate_staging(toy.contracts)
    assert set(toy.gate_status().values()) == {"passed"}
    assert _quarantined(toy) == {bad: 42, deletions: 0, mending: 1}


def test_batches_that_mend_each_other_at_once_count_their_own_unusable_rows(toy: ToySource) -> None:
    bad = toy.land(people(1, 40, pid="x"))
    mending = toy.land(people(1, 40), op="U")
    gate_staging(toy.contracts)
    assert toy.gate_status() == {bad: "passed", mending: "passed"}
    assert _quarantined(toy) == {bad: 40, mending: 0}


def test_many_batches_that_mend_a_held_one_are_verified_once_each(
    toy: ToySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = toy.land(people(1, 40, pid="x"))
    gate_staging(toy.contracts)
    behind = [toy.land([*people(1, 40), person(500 + day, pid="x")], op="U") for day in range(8)]
    sessions: list[int] = []

    def counted(connection: Connection, targets: Sequence[tuple[Contract, Relation]]) -> list[TableOutcome]:
        sessions.append(len(targets))
        return verify(connection, targets)

    monkeypatch.setattr("soda_checks.gate.verify", counted)
    gate_staging(toy.contracts)
    assert sessions == [1, 1, 9]
    assert toy.gate_status() == dict.fromkeys([bad, *behind], "passed")
    assert _quarantined(toy) == {bad: 40} | dict.fromkeys(behind, 1)


def test_failing_rows_are_those_of_their_own_batch(toy: ToySource) -> None:
    # What is written of a batch must not come from those behind it, which were looked at in between.
    held = toy.land(people(1, 40, pid="x"))
    toy.land(people(1, 40, name="王1") + people(500, 60, pid="x"), op="U")
    gate_staging(toy.contracts)
    rows = toy.connection.execute(
        "select batch_id, rule_id, column_name, count(*) from quality.failed_row"
        " inner join raw.toy__person on row_key = _row_key::text and batch_id = _batch_id"
        " group by 1, 2, 3 order by 2, 3"
    ).fetchall()
    assert rows == [(held, "A01", "pid", 40), (held, "C01", "", 40)]


def _quarantined(toy: ToySource) -> dict[int, int | None]:
    return dict(toy.connection.execute("select batch_id, rows_quarantined from ops.load_run").fetchall())


def test_good_rows_of_a_later_batch_do_not_thin_out_a_bad_one(toy: ToySource) -> None:
    bad = toy.land(people(1, 40, pid=None))
    later = toy.land(people(1000, 400))
    assert [it.status for it in gate_staging(toy.contracts).batches] == ["held", "waiting"]
    assert toy.gate_status() == {bad: "held"}
    assert later not in toy.gate_status()


def test_a_correcting_load_mends_a_held_batch(toy: ToySource) -> None:
    bad = toy.land(people(1, 40, pid=None) + people(100, 40))
    gate_staging(toy.contracts)
    assert toy.gate_status() == {bad: "held"}
    mending = toy.land(people(1, 40), op="U")
    assert [it.status for it in gate_staging(toy.contracts).batches] == ["passed", "passed"]
    assert toy.gate_status() == {bad: "passed", mending: "passed"}


def test_a_correcting_load_that_is_bad_itself_mends_nothing(toy: ToySource) -> None:
    bad = toy.land(people(1, 40, pid=None))
    toy.land(people(1, 40) + people(500, 60, pid=None), op="U")
    assert [it.status for it in gate_staging(toy.contracts).batches] == ["held", "waiting"]
    assert toy.gate_status() == {bad: "held"}


def test_repeated_keys_block_however_few(toy: ToySource) -> None:
    rows = people(1, 100)
    batch = toy.land(rows)
    toy.connection.execute(
        "insert into raw.toy__person select person_id, pid, name, born_on, township_code, gen_random_uuid(),"
        " 'I', _batch_id, _loaded_on from raw.toy__person limit 1"
    )
    result = gate_staging(toy.contracts)
    assert result.held[0].batch_id == batch
    assert "U01 主键重复（person_id）" in str(result.held[0].reason)


@pytest.mark.parametrize("pid_is_good", [True, False])
def test_a_demand_task_is_struck_off_once_its_batch_passes_or_is_released(
    toy: ToySource, pid_is_good: bool
) -> None:
    toy.connection.execute(
        "insert into ops.demand_task (list, item, resource_id, list_title, what, lead_department,"
        " from_department, issued_on, due_on) values"
        " ('list_1', 1, 'toy.person', '一', '核对', '市民政局', '玩具局', '2026-01-01', '2026-01-31')"
    )
    batch = toy.land(people(1, 40) if pid_is_good else people(1, 40, pid="x"))
    toy.connection.execute("update ops.load_run set rows_read = 100")
    gate_staging(toy.contracts)
    if not pid_is_good:
        assert _closed_by(toy) is None
        release(batch, by="张三", reason="情况如实")
    assert _closed_by(toy) == batch


def _closed_by(toy: ToySource) -> int | None:
    (batch,) = toy.connection.execute("select closed_by_batch from ops.demand_task").fetchone() or (None,)
    return batch


@pytest.mark.parametrize(
    ("rows", "unusable", "status"),
    [
        (1, 1, "passed"), (4, 4, "passed"), (5, 5, "held"), (9, 4, "passed"), (9, 5, "held"),
        (10, 10, "held"), (20, 9, "passed"), (20, 10, "held"), (40, 10, "passed"), (40, 11, "held"),
    ],
)  # fmt: skip
def test_of_a_small_batch_less_than_half_may_be_unusable(
    toy: ToySource, rows: int, unusable: int, status: str
) -> None:
    batch = toy.land(people(1, rows - unusable) + people(200, unusable, pid="x"))
    gate_staging(toy.contracts)
    assert toy.gate_status() == {batch: status}


def test_a_percentage_is_of_the_rows_that_the_rule_tests(toy: ToySource) -> None:
    toy.land(people(1, 900) + people(2000, 100, name=None))
    name = next(column for column in toy.contract.columns if column.name == "name")
    required = name.checks[0]
    few = required.model_copy(
        update={
            "filter": "person_id::int >= 2000",
            "attributes": required.attributes.model_copy(update={"blocking": True}),
            "threshold": Threshold(must_be_less_than_or_equal=20),
        }
    )
    columns = [it.model_copy(update={"checks": [few]}) if it is name else it for it in toy.contract.columns]
    contract = toy.contract.model_copy(update={"columns": columns})
    result = gate_staging({contract.table_name: contract})
    assert [it.reason for it in result.held] == ["C01 必填项为空（name）：100 行中 100 行不合格"]


def test_nothing_but_deletions_and_empty_batches_pass_untested(toy: ToySource) -> None:
    deletions = toy.land(people(1, 30, pid=None), op="D")
    empty = toy.land([])
    result = gate_staging(toy.contracts)
    assert [(it.status, it.rows) for it in result.batches] == [("passed", 0), ("passed", 0)]
    scores = toy.connection.execute(
        "select distinct score from quality.score where batch_id in (%s, %s)", (deletions, empty)
    ).fetchall()
    assert scores == [(None,)]


def test_a_missing_column_holds_the_batch(toy: ToySource) -> None:
    batch = toy.land(people(1, 30))
    toy.connection.execute(
        "drop view staging.stg_toy__person_typed; create view staging.stg_toy__person_typed as"
        " select person_id, std.resident_id(pid) as pid, std.clean_name(name) as name, township_code,"
        " _row_key, _batch_id, _op from raw.toy__person;"
        " grant select on staging.stg_toy__person_typed to huiliu_score"
    )
    result = gate_staging(toy.contracts)
    assert result.held[0].batch_id == batch
    assert "无法检验，缺少列：born_on" in str(result.held[0].reason)
    query = "select distinct outcome, tested from quality.check_result where column_name = %s"
    assert toy.connection.execute(query, ["born_on"]).fetchall() == [("not_evaluated", None)]
    # The other columns' rules are judged all the same.
    assert toy.connection.execute(query, ["name"]).fetchall() == [("passed", 30)]


@pytest.mark.parametrize(
    ("value", "given", "sqlstate"),
    [
        ("张机密", "name_raw::int > 0", "22P02"),
        ('9"张"机密', "name_raw::int > 0", "22P02"),
        ("张机密", "to_date(name_raw, 'YYYY') is null", "22007"),
        ("张机密", "name_raw::regclass is null", "42P01"),
    ],
)
def test_a_rule_whose_sql_breaks_holds_the_batch_and_tells_no_value(
    toy: ToySource, caplog: pytest.LogCaptureFixture, value: str, given: str, sqlstate: str
) -> None:
    toy.land([person(number, name=value) for number in range(1, 31)])
    column = next(it for it in toy.contract.columns if it.name == "name")
    broken = column.checks[0].model_copy(update={"filter": given})
    contract = toy.contract.model_copy(
        update={"columns": [column.model_copy(update={"checks": [broken]})], "checks": []}
    )
    with caplog.at_level(logging.DEBUG):
        result = gate_staging({contract.table_name: contract})
    kept = toy.connection.execute(
        "select reason, message from ops.batch_gate inner join quality.check_result using (batch_id)"
    ).fetchall()
    assert [result.held[0].reason, f"SQLSTATE {sqlstate}" in str(kept)] == [kept[0][0], True]
    assert "无法检验" in str(kept[0][0])
    assert set("张机密").isdisjoint(caplog.text + str(kept) + str(result))


def test_release_needs_a_held_batch_a_name_and_a_reason(toy: ToySource) -> None:
    batch = toy.land(people(1, 40, pid=None))
    behind = toy.land(people(100, 40))
    with pytest.raises(DataError, match="not held"):
        decisions.release(batch, by="王工", reason="核实无误")
    gate_staging(toy.contracts)
    for by, reason in (("", "核实无误"), (" ", "核实无误"), ("王工", " "), ("王工", "如实 "), ("a", "    ")):
        with pytest.raises(ConfigError, match="needs a name and a reason of 4"):
            decisions.release(batch, by=by, reason=reason)
    decisions.release(batch, by="王工", reason="核实无误")
    assert toy.connection.execute(
        "select status, decided_by, reason from ops.batch_gate where batch_id = %s", (batch,)
    ).fetchone() == ("released", "王工", "核实无误")
    gate_staging(toy.contracts)
    assert toy.gate_status() == {batch: "released", behind: "passed"}
    assert _claimable() == [batch, behind]


def test_a_decision_may_be_said_again_but_not_changed(toy: ToySource) -> None:
    batch = toy.land(people(1, 40, pid=None))
    gate_staging(toy.contracts)
    assert decisions.release(batch, by="王工", reason="核实无误").is_held
    # A task that was killed after it had decided is run again.
    assert not decisions.release(batch, by="王工", reason=" 核实无误 ").is_held
    for again, by in ((decisions.release, "李工"), (decisions.replace, "王工")):
        with pytest.raises(DataError, match=f"批次 {batch} 已经放行，无须再决定"):
            again(batch, by=by, reason="核实无误")
    with pytest.raises(DataError, match="批次 987654321 不存在"):
        decisions.release(987654321, by="王工", reason="核实无误")


def test_every_decision_is_kept_and_none_can_be_rewritten(toy: ToySource) -> None:
    batch = toy.land(people(1, 40, pid=None))
    for _ in range(3):
        gate_staging(toy.contracts)
    decisions.release(batch, by="王工", reason="核实无误")
    kept = toy.connection.execute(
        "select status, decided_by, left(reason, 3), business_date from ops.batch_decision"
        " where batch_id = %s order by decision_id",
        (batch,),
    ).fetchall()
    # Held three times for one reason is one decision.
    assert kept == [("held", "闸门", "C01", TODAY), ("released", "王工", "核实无", TODAY)]
    for role in ("score", "build"):
        with connect(f"warehouse:{role}") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("update ops.batch_decision set decided_by = '某人'")


def test_what_is_held_is_listed_with_what_waits_behind_it(toy: ToySource) -> None:
    batch = toy.land(people(1, 40, pid=None))
    for first in (100, 200):
        toy.land(people(first, 40))
    gate_staging(toy.contracts)
    listed = "select batch_id, table_name, landed_on, waiting, held_since is not null from ops.held_batch"
    assert toy.connection.execute(listed).fetchall() == [(batch, "person", TODAY, 2, True)]
    decisions.release(batch, by="王工", reason="核实无误")
    assert toy.connection.execute(listed).fetchall() == []


def test_replace_keeps_every_row(toy: ToySource) -> None:
    batch = toy.land(people(1, 40, pid=None))
    gate_staging(toy.contracts)
    toy.land(people(1, 39), op="U")
    with pytest.raises(DataError, match=rf"1 rows of batch {batch} \(toy\.person\) are in no later batch"):
        decisions.replace(batch, by="王工", reason="已整表重报")
    last = toy.land(people(40, 1), op="U")
    decisions.replace(batch, by="王工", reason="已整表重报")
    gate_staging(toy.contracts)
    assert toy.gate_status() == {batch: "replaced", last - 1: "passed", last: "passed"}


def test_a_replaced_batch_is_not_claimed_until_all_its_rows_are_mended(toy: ToySource) -> None:
    replaced = toy.land(people(1, 40, pid=None))
    gate_staging(toy.contracts)
    half = toy.land(people(1, 20), op="U")
    rest = toy.land(people(21, 20, pid="x") + people(500, 20, pid="x"), op="U")
    decisions.replace(replaced, by="王工", reason="已整表重报")
    gate_staging(toy.contracts)
    assert toy.gate_status() == {replaced: "replaced", half: "passed", rest: "held"}
    assert _claimable() == []
    mending = toy.land(people(21, 20) + people(500, 20), op="U")
    gate_staging(toy.contracts)
    assert toy.gate_status()[rest] == "passed"
    assert _claimable() == [replaced, half, rest, mending]


def _claimable() -> list[int]:
    with connect("warehouse:build") as connection:
        return claimable(connection)


def test_a_gate_killed_before_it_decides_decides_the_same_again(
    toy: ToySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = toy.land(people(1, 30) + people(40, 2, pid="x"))

    class Killed(BaseException):
        """Ends the process's work where it stands."""

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(ledger, "end_run", die)
        with pytest.raises(Killed):
            gate_staging(toy.contracts)
    assert toy.gate_status() == {}
    assert toy.connection.execute("select count(*) from quality.check_result").fetchone() == (0,)
    assert toy.connection.execute("select batch_id from ops.batch_under_test").fetchone() == (batch,)
    assert _quarantined(toy) == {batch: None}
    gate_staging(toy.contracts)
    assert _quarantined(toy) == {batch: 2}
    assert toy.gate_status() == {batch: "passed"}
    assert toy.connection.execute("select * from ops.batch_under_test").fetchall() == []


def test_a_table_without_a_contract_or_view_is_a_fault_of_the_project(toy: ToySource) -> None:
    toy.land(people(1, 1))
    with pytest.raises(ConfigError, match="stg_toy__person has no contract"):
        gate_staging({})
    toy.connection.execute("drop view staging.stg_toy__person_typed")
    with pytest.raises(ConfigError, match="stg_toy__person_typed does not exist"):
        gate_staging(toy.contracts)


def test_the_gates_role_may_change_nothing_else_of_the_load_ledger(toy: ToySource) -> None:
    toy.land(people(1, 1))
    with connect("warehouse:score") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("update ops.load_run set status = 'failed'")


def test_the_gate_asks_for_no_column_whose_rules_all_wait_for_the_merged_table(toy: ToySource) -> None:
    toy.land(people(1, 5))
    # As a key is: made by a function that the gate's role may not call.
    toy.connection.execute(
        "create or replace view staging.stg_toy__person_typed as"
        " select person_id, std.resident_id(pid) as pid, std.clean_name(name) as name,"
        " vault.identifier_key(born_on)::text::date as born_on, township_code, true as is_usable, _row_key,"
        " _op, _batch_id, _loaded_on from raw.toy__person"
    )
    columns = [_waiting(it) if it.name == "born_on" else it for it in toy.contract.columns]
    contract = toy.contract.model_copy(update={"columns": columns})
    assert [it.status for it in gate_staging({contract.table_name: contract}).batches] == ["passed"]


def _waiting(column: Column) -> Column:
    checks = [
        it.model_copy(update={"attributes": it.attributes.model_copy(update={"gate": False})})
        for it in column.checks
    ]
    return column.model_copy(update={"checks": checks})


def test_the_gates_role_may_not_read_the_key(toy: ToySource) -> None:
    with connect("warehouse:score") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("select * from vault.hash_key")
