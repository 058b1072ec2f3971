"""The formula, against examples calculated by hand (docs/quality.md)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from toy_source import toy_contract

from soda_checks.conditions import Relation
from soda_checks.contract import Contract
from soda_checks.scoring import BLOCKED_CAP, rolled_up, table_overall, table_scores, tally
from soda_checks.verify import CheckOutcome, Outcome, TableOutcome

CONTRACT = toy_contract()
Counts = dict[tuple[str, str], tuple[int | None, int | None]]


def _outcome(
    counts: Counts, *, failing: tuple[str, str] | None = None, contract: Contract = CONTRACT
) -> TableOutcome:
    checks = []
    for bound in contract.bound():
        key = (bound.check.attributes.rule_id, bound.column)
        tested, failed = counts.get(key, (0, 0))
        outcome: Outcome = "passed"
        if tested is None:
            outcome = "not_evaluated"
        elif key == failing:
            outcome = "failed"
        checks.append(CheckOutcome(bound, tested, failed, outcome, None))
    rows = Relation("staging", "stg_toy__person", date(2026, 1, 15))
    return TableOutcome(contract, rows, 100, tuple(checks), is_ok=failing is None)


# Completeness: pid weighs 2, name 0.5, the placeholder 1: 1 - (2·10 + 0.5·4 + 1·2) / (2·100 + 0.5·100 + 1·96)
# = 1 - 24/346. Accuracy: 1 - 9/90. Consistency: nothing tested. Conformity: 1 - 0/96.
COUNTS: Counts = {
    ("C01", "pid"): (100, 10),
    ("C01", "name"): (100, 4),
    ("C02", "name"): (96, 2),
    ("A01", "pid"): (90, 9),
    ("N05", "name"): (96, 0),
}


def test_classes_and_overall_by_hand() -> None:
    scores = tally(_outcome(COUNTS).checks).scores()
    assert scores["completeness"] == 1 - Decimal(24) / Decimal(346)
    assert scores["accuracy"] == Decimal("0.9")
    assert scores["conformity"] == 1
    assert scores["consistency"] is None
    assert scores["association"] is None
    # Three classes of six were tested, so each weighs a third.
    overall = table_overall(_outcome(COUNTS))
    assert overall is not None
    assert round(overall, 9) == round((1 - Decimal(24) / 346 + Decimal("0.9") + 1) / 3, 9)


def test_untested_is_null_never_full_marks() -> None:
    assert table_overall(_outcome({})) is None
    assert {score.score for score in table_scores([_outcome({})])} == {None}


def test_a_failing_blocking_rule_caps_the_table() -> None:
    assert table_overall(_outcome(COUNTS, failing=("C01", "pid"))) == BLOCKED_CAP
    # A rule that does not block counts, and no more.
    assert table_overall(_outcome(COUNTS, failing=("A01", "pid"))) == table_overall(_outcome(COUNTS))


def test_a_rule_that_could_not_be_evaluated_caps_the_table() -> None:
    assert table_overall(_outcome(COUNTS | {("S01", "born_on"): (None, None)})) == BLOCKED_CAP
    everything: Counts = {(b.check.attributes.rule_id, b.column): (None, None) for b in CONTRACT.bound()}
    assert table_overall(_outcome(everything)) == 0


def test_rolling_up_weighs_tables_by_what_was_tested() -> None:
    small = _outcome({("A01", "pid"): (100, 50)})
    large = _outcome({("A01", "pid"): (900, 0)})
    by_level = {(s.level, s.dimension): s.score for s in rolled_up([small, large], "3706")}
    assert by_level["source", "accuracy"] == Decimal("0.95")
    assert by_level["source", "overall"] == Decimal("0.95")
    assert by_level["department", "overall"] == by_level["city", "overall"] == Decimal("0.95")
    blocked = _outcome({("A01", "pid"): (900, 0)}, failing=("C01", "pid"))
    capped = {(s.level, s.dimension): s.score for s in rolled_up([small, blocked], "3706")}
    assert capped["city", "overall"] == Decimal("0.5")
    assert capped["city", "accuracy"] == Decimal("0.95")
