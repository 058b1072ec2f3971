"""Scoring on a real PostgreSQL, with a toy source."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from toy_source import ToySource, people, person

from huiliu import business_date
from soda_checks import ledger
from soda_checks.conditions import Relation
from soda_checks.gate import gate_staging
from soda_checks.score import score
from soda_checks.scoring import BLOCKED_CAP
from soda_checks.workdays import OFFICIAL

TODAY = date(2026, 1, 15)

# Row 1: no number. 2: wrong check digit. 3 and 4: one number for two. 5: a placeholder. 6: no name.
# 7: an odd name. 8: born tomorrow, which the number contradicts. 9: nobody the population base knows.
FAULTY = [
    person(1, pid="  "),
    person(2, pid="370602199001010019"),
    person(3),
    person(4, pid=person(3)["pid"], born_on=person(3)["born_on"]),
    person(5, name="未知"),
    person(6, name=None),
    person(7, name="王1明"),
    person(8, born_on="2026-01-16"),
    person(9, township_code=None),
]
EXPECTED = {
    ("U01", "person_id"): (9, 0), ("C01", "pid"): (9, 1), ("A01", "pid"): (8, 1), ("U02", "pid"): (7, 1),
    ("C01", "name"): (9, 1), ("C02", "name"): (8, 1), ("N05", "name"): (8, 1), ("A06", "born_on"): (9, 1),
    ("S01", "born_on"): (7, 1), ("R01", ""): (7, 1), ("C01", ""): (9, 2),
}  # fmt: skip


@pytest.fixture
def scored_toy(toy: ToySource) -> ToySource:
    """The faulty rows merged, and a population base that knows all but number 9."""
    toy.land(FAULTY)
    toy.merge()
    toy.connection.execute(
        "create table base.toy_person as select pid from staging.stg_toy__person"
        " where person_id <> '9' and pid is not null;"
        " grant select on base.toy_person to huiliu_score"
    )
    return toy


def _rows(toy: ToySource, query: str) -> list[tuple[Any, ...]]:
    return toy.connection.execute(query).fetchall()  # type: ignore[arg-type]  # SQL put together in this test


def test_each_planted_fault_fails_its_rule_and_no_other(scored_toy: ToySource) -> None:
    result = score(scored_toy.contracts)
    found = {
        (rule, column): (tested, failed)
        for rule, column, tested, failed in _rows(
            scored_toy, "select rule_id, column_name, tested, failed from quality.check_result"
        )
    }
    assert found == EXPECTED
    assert result.problems == []
    assert result.calendar == OFFICIAL
    assert result.checks == 11
    # One blank number in nine is below what blocks: it counts against the score and passes the gate.
    assert result.failing_checks == 8


def test_failing_rows_are_kept_without_what_identifies_anyone(scored_toy: ToySource) -> None:
    score(scored_toy.contracts)
    kept = _rows(scored_toy, "select rule_id, column_name, value from quality.failed_row order by 1, 2")
    assert ("C02", "name", "未*") in kept
    assert ("N05", "name", "王**") in kept
    assert ("A06", "born_on", "202*******") in kept
    everything = str(_rows(scored_toy, "select * from quality.failed_row"))
    assert not [
        row["pid"] for row in FAULTY if row["pid"] and row["pid"].strip() and row["pid"] in everything
    ]


def test_scoring_twice_gives_the_same(scored_toy: ToySource) -> None:
    first = score(scored_toy.contracts)
    second = score(scored_toy.contracts)
    compared = "select {} from quality.{} where batch_id = {} order by 1, 2, 3"
    for columns, table in (
        ("level, name, dimension, score", "score"),
        ("table_name, rule_id, column_name, tested, failed, outcome", "check_result"),
        ("rule_id, row_key, column_name, value", "failed_row"),
    ):
        one, two = (_rows(scored_toy, compared.format(columns, table, it.batch_id)) for it in (first, second))
        assert one == two
        assert one
    assert (second.corrections_opened, second.corrections_closed) == (0, 0)
    assert first.city_score == second.city_score


def test_the_same_counts_give_the_scores_of_the_national_standard(scored_toy: ToySource) -> None:
    result = score(scored_toy.contracts)
    read = (
        "select level, indicator, part, score from quality.score_gb_36344 where batch_id = {}"
        " and level in ('table', 'source', 'department', 'city')"
    )
    found = {tuple(row[:3]): row[3] for row in _rows(scored_toy, read.format(result.batch_id))}
    # C01 on the number (weight 2), the name (0.5) and the row, C02 on the name, by the counts of EXPECTED.
    elements = 1 - (2 * 1 + Decimal("0.5") * 1 + 2 + 1) / (2 * 9 + Decimal("0.5") * 9 + 9 + 8)
    content = 1 - Decimal(1) / 8
    for level in ("table", "source", "department", "city"):
        assert found[level, "完整性", "数据元素完整性"] == found[level, "完整性", None] == round(elements, 6)
        assert found[level, "准确性", "数据内容正确性"] == round(content, 6)
        assert found[level, "准确性", "数据唯一性"] == 1
        # The mean of content, 数据重复率 (one number for two) and 数据唯一性.
        assert found[level, "准确性", None] == round((content + 1 - Decimal(1) / 7 + 1) / 3, 6)
        assert found[level, "时效性", "基于时间段的正确性"] == round(1 - Decimal(1) / 9, 6)
        assert found[level, "可访问性", None] is None


def test_the_trend_keeps_every_scoring_and_what_was_not_tested_stays_empty(scored_toy: ToySource) -> None:
    scorings = [score(scored_toy.contracts) for _ in range(2)]
    trend = _rows(
        scored_toy,
        "select batch_id, business_date, stage, score from quality.score_trend"
        " where (level, dimension) = ('city', 'overall') order by batch_id",
    )
    assert trend == [(it.batch_id, TODAY, "score", it.city_score) for it in scorings]
    empty = _rows(
        scored_toy,
        "select distinct dimension from quality.score_trend"
        " where name = 'staging.stg_toy__person.name' and score is null order by dimension",
    )
    assert empty == [("accuracy",), ("association",), ("consistency",), ("uniqueness",)]


@pytest.mark.parametrize("days", [1300, 200])
def test_what_is_old_is_forgotten_but_not_what_somebody_still_works_on(
    scored_toy: ToySource, days: int
) -> None:
    clean, held = scored_toy.land(people(100, 5)), scored_toy.land(people(200, 40, pid="x"))
    first, *_ = (it.batch_id for it in gate_staging(scored_toy.contracts).batches)
    before = score(scored_toy.contracts).batch_id
    scored_toy.connection.execute("update quality.score_run set business_date = business_date - %s", (days,))
    now = score(scored_toy.contracts).batch_id
    results = [first, held, now] if days > 1200 else [first, clean, held, before, now]
    for table, kept in (("check_result", results), ("score", results), ("failed_row", [first, held, now])):
        found = _rows(scored_toy, f"select distinct batch_id from quality.{table} order by batch_id")  # noqa: S608 - names of this test
        assert [batch for (batch,) in found] == kept, table


def test_scores_of_every_level(scored_toy: ToySource) -> None:
    result = score(scored_toy.contracts)
    scores = {
        (level, name, dimension): value
        for level, name, dimension, value in _rows(
            scored_toy, "select level, name, dimension, score from quality.score"
        )
    }
    accuracy = 1 - Decimal(2) / Decimal(17)
    assert scores["table", "staging.stg_toy__person", "accuracy"] == round(accuracy, 6)
    assert scores["column", "staging.stg_toy__person.born_on", "consistency"] == round(1 - Decimal(1) / 7, 6)
    assert scores["source", "toy", "accuracy"] == round(accuracy, 6)
    assert scores["department", "市公安局", "accuracy"] == round(accuracy, 6)
    assert scores["city", "3706", "overall"] == result.city_score
    assert scores["table", "staging.stg_toy__person", "completeness"] == round(
        1 - Decimal("5.5") / (18 + Decimal("4.5") + 8 + 9), 6
    )


def test_each_township_is_told_its_own_score(scored_toy: ToySource) -> None:
    score(scored_toy.contracts)
    scores = {
        (name, dimension): value
        for name, dimension, value in _rows(
            scored_toy, "select name, dimension, score from quality.score where level = 'region'"
        )
    }
    # Rows 1 3 5 7 are 370602001's, 2 4 6 8 are 370602002's; 9 is nobody's.
    assert scores["370602001", "accuracy"] == 1
    assert scores["370602002", "accuracy"] == round(1 - Decimal(2) / 8, 6)
    assert scores["370602", "accuracy"] == scores["3706", "accuracy"] == round(1 - Decimal(2) / 15, 6)
    assert scores["370602001", "conformity"] == round(1 - Decimal(1) / 4, 6)


def test_a_correction_is_opened_waits_and_closes_when_its_row_passes(scored_toy: ToySource) -> None:
    first = score(scored_toy.contracts)
    assert first.corrections_opened == 11
    due = _rows(scored_toy, "select distinct department, source, opened_on, due_at from quality.correction")
    assert due == [("市公安局", "toy", TODAY, date(2026, 1, 29))]
    # Number 1 gets its number; 2 stays wrong; 6 is deleted at the source.
    scored_toy.land([person(1, township_code=None)], op="U")
    scored_toy.land([person(6)], op="D")
    scored_toy.merge()
    scored_toy.connection.execute("insert into base.toy_person values (%s)", (person(1)["pid"],))
    second = score(scored_toy.contracts)
    assert (second.corrections_opened, second.corrections_closed) == (0, 3)
    closed = _rows(
        scored_toy, "select rule_id, column_name from quality.correction where closed_at is not null"
    )
    assert sorted(closed) == [("C01", ""), ("C01", "name"), ("C01", "pid")]
    # Wrong again: new corrections, beside the closed ones.
    scored_toy.land([person(1, pid=None)], op="U")
    scored_toy.merge()
    assert score(scored_toy.contracts).corrections_opened == 2


def test_overdue_corrections_are_counted(scored_toy: ToySource) -> None:
    score(scored_toy.contracts)
    business_date.set(scored_toy.connection, date(2026, 3, 1))
    # Born on 16 January is no longer in the future, so one of eleven closed.
    assert score(scored_toy.contracts).corrections_overdue == 10


def test_a_missing_column_is_a_problem_not_silence(scored_toy: ToySource) -> None:
    score(scored_toy.contracts)
    scored_toy.connection.execute("alter table staging.stg_toy__person drop column born_on")
    result = score(scored_toy.contracts)
    assert result.problems == [f"staging.stg_toy__person {rule}: 缺少列：born_on" for rule in ("A06", "S01")]
    assert result.failing_checks == 8
    assert result.tables[0].score == BLOCKED_CAP
    # What could not be evaluated closed no correction.
    assert result.corrections_closed == 0


def test_a_table_that_does_not_exist_is_a_problem(scored_toy: ToySource) -> None:
    scored_toy.connection.execute("drop table staging.stg_toy__person")
    result = score(scored_toy.contracts)
    assert result.tables[0].score == 0
    assert "没有关系" in result.problems[0]


def test_a_scoring_that_died_leaves_no_half_result(
    scored_toy: ToySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """Ends the process's work where it stands."""

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(ledger, "end_run", die)
        with pytest.raises(Killed):
            score(scored_toy.contracts)
    assert _rows(scored_toy, "select count(*) from quality.check_result") == [(0,)]
    score(scored_toy.contracts)
    assert _rows(scored_toy, "select status from quality.score_run order by batch_id") == [
        ("failed",),
        ("succeeded",),
    ]


@pytest.mark.parametrize(
    ("value", "masked"),
    [(None, None), ("1", "1"), ("王小明", "王**"), ("370602199001010019", "3706" + "*" * 14), ("", "")],
)
def test_values_are_masked(toy: ToySource, value: str | None, masked: str | None) -> None:
    assert toy.connection.execute("select quality.mask_value(%s)", (value,)).fetchone() == (masked,)


def test_a_relation_names_itself_in_a_contracts_sql() -> None:
    relation = Relation("return", "x", TODAY)
    assert relation.fill("from ${var.rows} where d > ${var.business_date}") == (
        'from "return"."x" where d > date \'2026-01-15\''
    )
