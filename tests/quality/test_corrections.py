"""Corrections from the fault found to the fault mended: what closes them, lets them off, or urges them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from correction_kpi import kpi
from toy_source import ToySource, people, person
from typer.testing import CliRunner

from huiliu import business_date
from huiliu.cli import app
from huiliu.errors import ConfigError, DataError
from soda_checks.contract import Contract
from soda_checks.corrections import suppressions
from soda_checks.corrections.suppressions import Asked
from soda_checks.score import score
from soda_checks.workdays import add_workdays, last_overdue

TODAY = date(2026, 1, 15)
TABLE = "staging.stg_toy__person"


@pytest.fixture
def sick(toy: ToySource) -> ToySource:
    """Ten people of whom 1 has no number and 2 no name; the population base knows all who have a number."""
    toy.connection.execute(
        "create table base.toy_person (pid text); grant select on base.toy_person to huiliu_score"
    )
    toy.land([*people(3, 8), person(1, pid=None), person(2, name=None)])
    _merge(toy)
    return toy


def _merge(toy: ToySource) -> None:
    toy.merge()
    toy.connection.execute(
        "truncate base.toy_person; insert into base.toy_person select pid from staging.stg_toy__person"
    )


def _rows(toy: ToySource, query: str) -> list[tuple[Any, ...]]:
    return toy.connection.execute(query).fetchall()  # type: ignore[arg-type]  # SQL put together in this test


def _open(toy: ToySource) -> list[tuple[str, str]]:
    query = "select rule_id, column_name from quality.correction where closed_at is null order by 1, 2"
    return _rows(toy, query)  # type: ignore[return-value]  # two text columns


def _closed(toy: ToySource) -> list[tuple[str, str, str, str | None]]:
    return _rows(
        toy,
        "select rule_id, column_name, closed_as, closed_because from quality.correction"
        " where closed_at is not null order by correction_id",
    )  # type: ignore[return-value]  # four text columns


def test_a_correction_goes_from_the_fault_found_to_the_fault_mended(sick: ToySource) -> None:
    first = score(sick.contracts)
    assert _open(sick) == [("C01", ""), ("C01", "name"), ("C01", "pid")]
    found = _rows(sick, "select name, batch_id, due_at from quality.correction order by 1")
    (batch,) = _rows(sick, "select max(batch_id) from ops.load_run")[0]
    names = [it.check.name for it in sick.contract.bound() if it.check.attributes.rule_id == "C01"]
    assert sorted(found) == sorted((name, batch, date(2026, 1, 29)) for name in names)
    # Loaded again and still wrong, then mended at the source.
    business_date.set(sick.connection, date(2026, 1, 20))
    again = sick.land([person(1, pid="x")], op="U")
    _merge(sick)
    score(sick.contracts)
    assert ("C01", "") in _open(sick)
    assert _rows(
        sick, "select batch_id from quality.correction where column_name = '' and closed_at is null"
    ) == [(again,)]
    business_date.set(sick.connection, date(2026, 1, 28))
    sick.land([person(1), person(2)], op="U")
    _merge(sick)
    last = score(sick.contracts)
    assert _open(sick) == []
    assert {closed[2:] for closed in _closed(sick)} == {("mended", "reloaded")}
    assert _rows(sick, "select max(closed_on) from quality.correction") == [(date(2026, 1, 28),)]
    assert last.city_score is not None
    assert first.city_score is not None
    assert last.city_score == 1 > first.city_score
    # C01 of number, row and name, A01 of the wrong number: nothing is judged before its day is over.
    assert kpi(sick, date(2026, 1, 29)) == (0, 0, 0)
    assert kpi(sick, date(2026, 2, 10)) == (4, 4, 0)


def test_what_is_not_mended_in_time_lowers_the_rate(sick: ToySource) -> None:
    score(sick.contracts)
    business_date.set(sick.connection, date(2026, 1, 30))
    sick.land([person(2)], op="U")
    _merge(sick)
    score(sick.contracts)
    assert kpi(sick, date(2026, 1, 30)) == (3, 0, 0)


def test_a_row_that_is_deleted_at_the_source_is_gone(sick: ToySource) -> None:
    score(sick.contracts)
    sick.land([person(2)], op="D")
    _merge(sick)
    score(sick.contracts)
    assert _closed(sick) == [("C01", "name", "gone", None)]


def test_a_row_that_passes_though_nobody_sent_it_again_is_settled_elsewhere(sick: ToySource) -> None:
    sick.connection.execute("delete from base.toy_person where pid = %s", [person(5)["pid"]])
    score(sick.contracts)
    assert ("R01", "") in _open(sick)
    _merge(sick)
    score(sick.contracts)
    assert _closed(sick) == [("R01", "", "mended", "settled_elsewhere")]


def test_the_same_fault_again_is_a_new_correction_that_names_the_former(sick: ToySource) -> None:
    score(sick.contracts)
    for name in ("王小明", None):
        sick.land([person(2, name=name)], op="U")
        _merge(sick)
        score(sick.contracts)
    former, again = _rows(
        sick,
        "select correction_id, reopened_from from quality.correction where column_name = 'name'"
        " order by correction_id",
    )
    assert former[1] is None
    assert again[1] == former[0]


def test_a_rule_that_is_no_longer_bound_withdraws_its_corrections(sick: ToySource) -> None:
    score(sick.contracts)
    score({TABLE: _without(sick.contract, "name")})
    assert _closed(sick) == [("C01", "name", "withdrawn", None)]
    assert kpi(sick, date(2026, 2, 10)) == (2, 0, 1)


def test_a_scoring_of_some_tables_withdraws_nothing_of_the_others(sick: ToySource) -> None:
    score(sick.contracts)
    opened = _open(sick)
    score({})
    assert _open(sick) == opened


def test_a_rule_of_another_department_is_its_to_correct_and_to_answer_for(sick: ToySource) -> None:
    score({TABLE: _owned_by("市卫生健康委", sick.contract, "name")})
    departments = "select distinct department, column_name = 'name' from quality.{} where {} order by 2"
    expected = [("市公安局", False), ("市卫生健康委", True)]
    assert _rows(sick, departments.format("correction", "true")) == expected
    assert _rows(sick, departments.format("check_result", "tested > 0")) == expected
    # One name in ten is blank, which weighs 0.5; the nine others are no placeholders.
    completeness = 1 - Decimal("0.5") * 1 / (Decimal("0.5") * 10 + 9)
    scores = dict(
        _rows(
            sick,
            "select name, score from quality.score where level = 'department' and dimension = 'completeness'",
        )
    )
    assert scores["市卫生健康委"] == round(completeness, 6)
    assert scores["市公安局"] < scores["市卫生健康委"]


def _owned_by(department: str, contract: Contract, name: str) -> Contract:
    columns = [
        column.model_copy(
            update={
                "checks": [
                    check.model_copy(
                        update={"attributes": check.attributes.model_copy(update={"department": department})}
                    )
                    for check in column.checks
                ]
            }
        )
        if column.name == name
        else column
        for column in contract.columns
    ]
    return contract.model_copy(update={"columns": columns})


def _without(contract: Contract, name: str) -> Contract:
    columns = [column for column in contract.columns if column.name != name]
    return contract.model_copy(update={"columns": columns})


def _asked(**changes: Any) -> Asked:  # noqa: ANN401 - fields of Asked
    values = {
        "table_name": TABLE,
        "rule_id": "C01",
        "column_name": "name",
        "row_key": None,
        "reason": "系统改造期间无法补录",
        "by_name": "王工",
        "until_date": TODAY + timedelta(days=30),
    }
    return Asked(**(values | changes))


def test_a_suppressed_fault_opens_no_correction_until_the_suppression_ends(sick: ToySource) -> None:
    before = score(sick.contracts)
    number = suppressions.suppress(_asked(), sick.contracts)
    during = score(sick.contracts)
    assert _closed(sick) == [("C01", "name", "suppressed", None)]
    assert during.city_score == before.city_score, "a suppression never flatters a score"
    score(sick.contracts)
    assert ("C01", "name") not in _open(sick)
    assert _rows(sick, "select suppression_id, rows from quality.suppression_use") == [(number, 1)] * 2
    (told,) = suppressions.all_suppressions()
    assert (told["state"], told["scorings"], told["rows_last_time"]) == ("in force", 2, 1)
    assert kpi(sick, date(2026, 2, 10)) == (2, 0, 1)
    business_date.set(sick.connection, TODAY + timedelta(days=31))
    score(sick.contracts)
    assert _rows(
        sick,
        "select reopened_from is not null from quality.correction"
        " where column_name = 'name' and closed_at is null",
    ) == [(True,)]


def test_a_suppression_of_one_row_spares_no_other(sick: ToySource) -> None:
    sick.land([person(3, name=None)], op="U")
    _merge(sick)
    ((row_key,),) = _rows(sick, "select _row_key::text from staging.stg_toy__person where person_id = '2'")
    suppressions.suppress(_asked(row_key=row_key, column_name=None), sick.contracts)
    score(sick.contracts)
    assert _open(sick).count(("C01", "name")) == 1


def test_a_suppression_can_be_withdrawn_by_someone(sick: ToySource) -> None:
    number = suppressions.suppress(_asked(), sick.contracts)
    with pytest.raises(ConfigError, match="by someone"):
        suppressions.withdraw(number, by=" ")
    suppressions.withdraw(number, by="李工")
    score(sick.contracts)
    assert ("C01", "name") in _open(sick)
    with pytest.raises(DataError, match="no suppression"):
        suppressions.withdraw(number, by="李工")


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": " "},
        {"by_name": ""},
        {"until_date": TODAY + timedelta(days=400)},
        {"rule_id": "U02"},
        {"column_name": "no_such"},
        {"table_name": "staging.no_such"},
    ],
)
def test_a_suppression_needs_a_reason_a_name_an_end_and_a_rule_that_is_bound(
    toy: ToySource, wrong: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError):
        suppressions.suppress(_asked(**wrong), toy.contracts)
    assert _rows(toy, "select count(*) from quality.suppression") == [(0,)]


def test_the_table_itself_refuses_a_suppression_without_a_name(toy: ToySource) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        toy.connection.execute(
            "insert into quality.suppression (table_name, rule_id, reason, by_name, from_date, until_date)"
            " values ('t', 'C01', '理由', ' ', '2026-01-01', '2026-02-01')"
        )


@pytest.mark.parametrize(
    "day", [date(2026, 9, 28), date(2026, 10, 5), date(2026, 10, 11), date(2026, 10, 20)]
)
@pytest.mark.parametrize("count", [0, 5, 10])
def test_what_is_overdue_today_is_found_by_its_due_date(day: date, count: int) -> None:
    due = [day - timedelta(days=back) for back in range(1, 60)]
    assert last_overdue(day, count) == max(it for it in due if add_workdays(it, count) < day)


def test_overdue_corrections_are_urged_level_by_level_and_each_once(sick: ToySource) -> None:
    # Sunday, 20 September is worked; 25 to 27 September and 1 to 7 October are holidays.
    opened = date(2026, 9, 14)
    assert add_workdays(opened, 10) == date(2026, 9, 28)
    business_date.set(sick.connection, opened)
    score(sick.contracts)
    urged: dict[date, int] = {}
    day = date(2026, 9, 27)
    while day < date(2026, 10, 21):
        business_date.set(sick.connection, day)
        score(sick.contracts) if day in _WATCHED else None
        ((level,),) = _rows(sick, "select max(coalesce(escalated_level, 0)) from quality.correction")
        urged[day] = level
        day += timedelta(days=1)
    assert [urged[it] for it in _WATCHED] == [0, 1, 1, 2, 2, 3]
    assert _rows(
        sick,
        "select level, count(*), min(escalated_on) from quality.escalation group by level order by level",
    ) == [(1, 3, date(2026, 9, 29)), (2, 3, date(2026, 10, 12)), (3, 3, date(2026, 10, 17))]


# Fifth working day after 28 September: 29, 30, 8, 9, 10 October; the tenth: 12 to 16 October.
_WATCHED = [
    date(2026, 9, 28),
    date(2026, 9, 29),
    date(2026, 10, 10),
    date(2026, 10, 12),
    date(2026, 10, 16),
    date(2026, 10, 17),
]


def test_operators_see_how_each_department_stands(sick: ToySource) -> None:
    score(sick.contracts)
    business_date.set(sick.connection, date(2026, 1, 30))
    score(sick.contracts)
    told = CliRunner().invoke(app, ["corrections", "--json"])
    assert '"department": "市公安局", "open": 3, "overdue": 3, "level_1": 3' in told.stdout
    told = CliRunner().invoke(
        app, ["corrections", "--department", "市公安局", "--state", "escalated", "--json"]
    )
    assert told.stdout.count('"urged": "催办"') == 3
    assert CliRunner().invoke(app, ["corrections", "--department", "无", "--json"]).stdout == "[]\n"
