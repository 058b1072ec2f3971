"""One scan of a table for all its checks, on a real PostgreSQL, with a toy source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from toy_source import ToySource, people, person
from typer.testing import CliRunner

from huiliu.cli import app
from huiliu.database import Connection, connect
from soda_checks.contract import Contract
from soda_checks.ledger import find_failing
from soda_checks.relations import table_relation
from soda_checks.scan import Count
from soda_checks.trial import faults
from soda_checks.verify import CheckOutcome, TableOutcome, verify

TODAY = date(2026, 1, 15)
ROWS = [
    *people(1, 40),
    person(41, pid=None),
    person(42, name="无"),
    person(43, name=None, pid=" "),
    person(44, pid=person(1)["pid"], born_on=person(1)["born_on"]),
]


@pytest.fixture
def session(toy: ToySource) -> Iterator[Connection]:
    """Rows with a few faults, merged; a session of the role that scores."""
    toy.land(ROWS)
    toy.merge()
    toy.connection.execute(
        "create table base.toy_person as select pid from staging.stg_toy__person where pid is not null;"
        " grant select on base.toy_person to huiliu_score"
    )
    with connect("warehouse:score", autocommit=True) as connection:
        yield connection


def _verify(session: Connection, contract: Contract) -> TableOutcome:
    (outcome,) = verify(session, [(contract, table_relation(session, contract, TODAY))])
    return outcome


def _counts(outcome: TableOutcome) -> dict[str, tuple[int | None, int | None]]:
    return {
        f"{it.attributes.rule_id} {it.bound.column}".strip(): (it.tested, it.failed) for it in outcome.checks
    }


def test_counts_are_those_of_the_rows(session: Connection, toy: ToySource) -> None:
    numbers = [pid for row in ROWS if (pid := (row["pid"] or "").strip())]
    names = [row["name"] for row in ROWS if row["name"]]
    repeats = sum(count - 1 for count in Counter(numbers).values())
    found = _counts(_verify(session, toy.contract))
    assert found["C01 pid"] == (len(ROWS), len(ROWS) - len(numbers))
    assert found["U02 pid"] == (len(numbers), repeats)
    assert found["C01 name"] == (len(ROWS), len(ROWS) - len(names))
    assert found["C02 name"] == (len(names), names.count("无"))
    assert found["U01 person_id"] == (len(ROWS), 0)


def test_regions_sum_to_totals_and_failing_rows_to_failures(session: Connection, toy: ToySource) -> None:
    outcome = _verify(session, toy.contract)
    assert outcome.rows == len(ROWS)
    assert set(outcome.judged.regions) == {row["township_code"] for row in ROWS}
    for place, check in enumerate(outcome.checks):
        there = [counts[place] for counts in outcome.judged.regions.values()]
        assert sum(there, Count(0, 0)) == Count(check.tested or 0, check.failed or 0)
    find_failing(session, outcome)
    kept = session.execute(
        "select rule_id, column_name, count(distinct row_key), count(*) from pg_temp.failing group by 1, 2"
    ).fetchall()
    failed = {(it.attributes.rule_id, it.bound.column): it.failed for it in outcome.checks if it.failed}
    assert {(rule, column): keys for rule, column, keys, _ in kept} == failed
    assert all(keys == rows for _, _, keys, rows in kept)


def _with_sql(contract: Contract, rule: str, expression: str) -> Contract:
    """The contract with another expression in place of the rule of the table itself."""
    checks = [
        it.model_copy(update={"expression": expression, "query": None})
        if it.attributes.rule_id == rule
        else it
        for it in contract.checks
    ]
    return contract.model_copy(update={"checks": checks})


@pytest.mark.parametrize(
    "wrong",
    [
        "no_such_column > 1",
        "name ~ (",
        "no_such_function(pid)",
        "1 / (length(name) - 3) > 0",
        "pid::int > 0",
        "length(repeat(name, 2000000000)) > 0",
    ],
)
def test_a_wrong_rule_is_not_evaluated_and_stops_no_other(
    session: Connection, toy: ToySource, wrong: str
) -> None:
    right = _verify(session, toy.contract)
    outcome = _verify(session, _with_sql(toy.contract, "R01", wrong))
    assert not outcome.is_ok
    (silent,) = [it for it in outcome.checks if it.outcome == "not_evaluated"]
    assert (silent.attributes.rule_id, silent.tested, silent.failed) == ("R01", None, None)
    assert (silent.message or "").startswith("SQL 有误：")
    assert not any(pid in (silent.message or "") for row in ROWS if (pid := (row["pid"] or "").strip()))
    assert _others(outcome) == _others(right)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("no_such_column > 1", 'column "no_such_column" does not exist (SQLSTATE 42703)'),
        ("name !~ 'a['", "invalid regular expression: brackets [] not balanced (SQLSTATE 2201B)"),
        ("name ~ (", 'syntax error at or near ")" (SQLSTATE 42601)'),
        ("name = '无' and 1 = 2", "no row can fail it"),
    ],
)
def test_a_rule_that_can_find_nothing_is_known_before_any_work(
    session: Connection, toy: ToySource, wrong: str, reason: str
) -> None:
    assert faults(session, [toy.contract], TODAY) == []
    found = faults(session, [_with_sql(toy.contract, "R01", wrong)], TODAY)
    assert found == [f"staging.stg_toy__person  R01: {reason}"]


def test_the_command_names_rules_that_can_find_nothing_and_fails(
    session: Connection, toy: ToySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    for expression, code, said in (("pid is null", 0, ""), ("pidd is null", 1, "stg_toy__person")):
        contract = _with_sql(toy.contract, "R01", expression)
        monkeypatch.setattr("soda_checks.contract.load_contracts", lambda it=contract: {it.table_name: it})
        answer = CliRunner().invoke(app, ["contracts", "--check"])
        assert answer.exit_code == code
        assert said in answer.stderr


def test_no_rule_of_a_column_that_is_gone_is_evaluated(session: Connection, toy: ToySource) -> None:
    # C01 asks of the source's text alone, which is still there.
    toy.connection.execute("alter table staging.stg_toy__person drop column pid")
    outcome = _verify(session, toy.contract)
    assert not outcome.is_ok
    assert {it.message for it in outcome.checks if it.bound.column == "pid"} == {"缺少列：pid"}
    assert all(it.tested for it in outcome.checks if it.bound.column == "name")


def test_a_table_without_its_region_is_no_table_to_judge(session: Connection, toy: ToySource) -> None:
    toy.connection.execute("alter table staging.stg_toy__person drop column township_code")
    outcome = _verify(session, toy.contract)
    assert (outcome.is_ok, outcome.rows) == (False, len(ROWS))
    assert {it.message for it in outcome.checks} == {"缺少列：township_code"}


def test_a_table_that_leads_to_no_text_of_the_source_stops_no_other(
    session: Connection, toy: ToySource
) -> None:
    toy.connection.execute("alter table staging.stg_toy__person drop column _batch_id")
    outcome = _verify(session, toy.contract)
    silent = {
        f"{it.attributes.rule_id} {it.bound.column}": it.message
        for it in outcome.checks
        if it.outcome == "not_evaluated"
    }
    assert silent == dict.fromkeys(
        ["C01 pid", "A01 pid"], 'SQL 有误：column "pid_raw" does not exist (SQLSTATE 42703)'
    )
    assert not outcome.is_ok


def _others(outcome: TableOutcome) -> list[CheckOutcome]:
    return [replace(it, message=None) for it in outcome.checks if it.attributes.rule_id != "R01"]


def test_an_empty_table_tests_nothing_and_is_in_order(session: Connection, toy: ToySource) -> None:
    toy.connection.execute("truncate staging.stg_toy__person")
    outcome = _verify(session, toy.contract)
    assert (outcome.is_ok, outcome.rows) == (True, 0)
    assert set(_counts(outcome).values()) == {(0, 0)}


def test_a_contract_may_have_more_checks_than_a_number_has_bits(session: Connection, toy: ToySource) -> None:
    usable = next(it for it in toy.contract.checks if it.qualifier == "usable")
    many = toy.contract.model_copy(update={"checks": [usable] * 90})
    counted = [(it.tested, it.failed) for it in _verify(session, many).checks if not it.bound.column]
    assert counted == [(len(ROWS), 2)] * 90


def test_verifying_again_leaves_no_tables_of_before(session: Connection, toy: ToySource) -> None:
    targets = [(toy.contract, table_relation(session, toy.contract, TODAY))]
    verify(session, targets * 2)
    verify(session, targets)
    left = session.execute(
        "select count(*) from pg_class where relnamespace = pg_my_temp_schema() and relname ~ '^judged'"
    ).fetchone()
    assert left == (1,)


def test_each_condition_is_asked_once_a_row(session: Connection, toy: ToySource) -> None:
    session.execute("create temporary sequence asked")
    contract = _with_sql(toy.contract, "R01", "length(name) > 99")
    checks = [
        it.model_copy(update={"filter": "nextval('asked') > 0"}) if it.attributes.rule_id == "R01" else it
        for it in contract.checks
    ]
    outcome = _verify(session, contract.model_copy(update={"checks": checks}))
    assert _counts(outcome)["R01"] == (len(ROWS), 0)
    assert session.execute("select last_value from asked").fetchone() == (len(ROWS),)


def test_no_rule_compares_rows_by_a_nested_loop(session: Connection, toy: ToySource) -> None:
    asked = _with_sql(toy.contract, "R01", "current_setting('enable_nestloop') = 'on'")
    tested, failed = _counts(_verify(session, asked))["R01"]
    assert (bool(tested), failed) == (True, 0)
