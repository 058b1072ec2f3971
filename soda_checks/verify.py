"""Verify contracts against relations: one scan counts, Soda judges the counts, we return typed results.

A check that could not be evaluated is a failure here (`not_evaluated`): a table passes only if Soda says
`is_ok` *and* every check was evaluated.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import psycopg
from psycopg import sql

from soda_checks import soda
from soda_checks.conditions import Relation
from soda_checks.contract import Attributes, BoundCheck, Contract
from soda_checks.relations import SESSION
from soda_checks.rules import Dimension
from soda_checks.scan import Count, Judged, judge
from soda_checks.soda import Answer

Outcome = Literal["passed", "failed", "not_evaluated"]

A_FEW = 4
"""Rows that may always fail a blocking percentage: a family with bad papers is no bad batch."""
SMALL_BATCH_TOLERANCE = 10
"""Rows that may fail it while they are fewer than half of those tested."""

_COUNTED = "counted"
_CLEAN = "clean"
"""Soda's check that rules without a failing row have none: one for each would cost more than the scan."""


@dataclass(frozen=True)
class CheckOutcome:
    """One check: rows tested and failed (None if it could not be evaluated), and whether that passes."""

    bound: BoundCheck
    tested: int | None
    failed: int | None
    outcome: Outcome
    message: str | None

    @property
    def attributes(self) -> Attributes:
        """Rule, weight and severity of the check."""
        return self.bound.check.attributes

    @property
    def dimension(self) -> Dimension:
        """Class of the rule."""
        return self.attributes.dimension

    @property
    def blocks(self) -> bool:
        """Whether this outcome stops a batch and caps a score."""
        return self.outcome == "not_evaluated" or (self.attributes.blocking and self.outcome == "failed")


@dataclass(frozen=True)
class TableOutcome:
    """One contract on one relation."""

    contract: Contract
    relation: Relation
    rows: int
    checks: tuple[CheckOutcome, ...]
    is_ok: bool
    judged: Judged = field(default_factory=Judged)

    @property
    def regions(self) -> Iterator[tuple[str, CheckOutcome, Count]]:
        """The counts of each evaluated check by region code."""
        for region, counts in self.judged.regions.items():
            for place, check in enumerate(self.checks):
                if check.tested is not None and place in counts:
                    yield region, check, counts[place]

    @property
    def blocking(self) -> list[CheckOutcome]:
        """The checks that stop the batch."""
        return [check for check in self.checks if check.blocks]


def verify(
    connection: psycopg.Connection[Any], targets: Sequence[tuple[Contract, Relation]]
) -> list[TableOutcome]:
    """Verify each contract on its relation, all in one Soda session; same order.

    The failing rows are in temporary tables, of which each call drops those of the call before.
    """
    _forget(connection)
    judged = [
        judge(connection, contract, relation, f"judged_{number}")
        for number, (contract, relation) in enumerate(targets)
    ]
    _write_counts(connection, judged)
    documents = {
        number: _document(connection.info.dbname, number, contract, found)
        for number, ((contract, _), found) in enumerate(zip(targets, judged, strict=True))
        if found.counts
    }
    answers = dict(zip(documents, soda.verify_documents(connection, list(documents.values())), strict=True))
    return [
        _outcome(contract, relation, found, answers.get(number))
        for number, ((contract, relation), found) in enumerate(zip(targets, judged, strict=True))
    ]


def _forget(connection: psycopg.Connection[Any]) -> None:
    """Drop what an earlier call in this session left."""
    left = connection.execute(
        "select relname from pg_class where relnamespace = pg_my_temp_schema() and relkind = 'r'"
        " and (relname ~ '^judged_[0-9]+$' or relname = %s)",
        (_COUNTED,),
    ).fetchall()
    if left:
        tables = sql.SQL(", ").join(sql.Identifier(SESSION, name) for (name,) in left)
        connection.execute(sql.SQL("drop table {}").format(tables))


def _write_counts(connection: psycopg.Connection[Any], judged: Sequence[Judged]) -> None:
    """Write down what was counted for Soda to read: a row a check of a target, by their places."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("create temporary table {} (target integer, place integer, failed bigint)").format(
                sql.Identifier(_COUNTED)
            )
        )
        with cursor.copy(sql.SQL("copy {} from stdin").format(sql.Identifier(SESSION, _COUNTED))) as copy:
            for target, found in enumerate(judged):
                for place, counted in found.counts.items():
                    copy.write_row((target, place, counted.failed))


def _document(database: str, target: int, contract: Contract, found: Judged) -> str:
    """The contract as Soda shall read it: each rule with failing rows against what it tolerates.

    JSON is YAML, and Soda reads it sooner.
    """
    failing = {place for place, counted in found.counts.items() if counted.failed}
    checks = [
        _soda_check(str(place), target, [place], _threshold(bound, found.counts[place].tested))
        for place, bound in enumerate(contract.bound())
        if place in failing
    ]
    clean = sorted(set(found.counts) - failing)
    if clean:
        checks.append(_soda_check(_CLEAN, target, clean, {"must_be": 0}))
    dataset = "/".join([soda.DATA_SOURCE, database, SESSION, _COUNTED])
    return json.dumps({"dataset": dataset, "columns": [], "checks": checks})


def _soda_check(
    qualifier: str, target: int, places: Sequence[int], threshold: Mapping[str, Any]
) -> dict[str, Any]:
    failed = sql.SQL("sum(failed) filter (where target = {} and place = any({}))").format(
        sql.Literal(target), sql.Literal(list(places))
    )
    return {
        "metric": {"qualifier": qualifier, "expression": failed.as_string(), "threshold": dict(threshold)}
    }


def _threshold(bound: BoundCheck, tested: int) -> dict[str, Any]:
    """What Soda shall call a failure: only a blocking rule fails a table, the others warn."""
    check = bound.check
    if not check.attributes.blocking:
        return {"level": "warn", "must_be": 0}
    if check.threshold is None:
        return {"must_be": 0}
    share = check.threshold.must_be_less_than_or_equal
    few = min(SMALL_BATCH_TOLERANCE, max((tested - 1) // 2, A_FEW))
    return {"must_be_less_than_or_equal": max(int(tested * share / 100), few)}


def _outcome(contract: Contract, relation: Relation, found: Judged, answer: Answer | None) -> TableOutcome:
    checks = tuple(
        _check_outcome(bound, place, found, answer) for place, bound in enumerate(contract.bound())
    )
    evaluated = all(check.outcome != "not_evaluated" for check in checks)
    is_ok = bool(answer and answer.is_ok and evaluated)
    return TableOutcome(contract, relation, found.rows, checks, is_ok, found)


def _check_outcome(bound: BoundCheck, place: int, found: Judged, answer: Answer | None) -> CheckOutcome:
    counted = found.counts.get(place)
    if counted is None or answer is None:
        return CheckOutcome(bound, None, None, "not_evaluated", found.reasons.get(place))
    said = answer.outcomes.get(str(place) if counted.failed else _CLEAN)
    if said not in ("PASSED", "FAILED", "WARN"):
        reason = answer.errors[0] if answer.errors else "Soda 未给出结果"
        return CheckOutcome(bound, None, None, "not_evaluated", reason)
    passed = said != "FAILED" if bound.check.attributes.blocking else not counted.failed
    return CheckOutcome(bound, counted.tested, counted.failed, "passed" if passed else "failed", None)
