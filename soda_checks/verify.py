"""Verify contracts against relations: Soda counts and judges, we return typed results.

A check Soda could not evaluate is a failure here (`not_evaluated`): a table passes only if Soda says `is_ok`
*and* every check was evaluated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
import yaml
from psycopg import sql

from soda_checks import soda
from soda_checks.conditions import Relation, counting_queries
from soda_checks.contract import Attributes, BoundCheck, Contract
from soda_checks.contract import Check as ContractCheck
from soda_checks.rules import Dimension
from soda_checks.soda import Answer, Result

Outcome = Literal["passed", "failed", "not_evaluated"]

SMALL_BATCH_TOLERANCE = 10
"""Rows that may fail a blocking percentage in a batch of any size: one bad row in three is no bad batch."""


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

    @property
    def blocking(self) -> list[CheckOutcome]:
        """The checks that stop the batch."""
        return [check for check in self.checks if check.blocks]


def verify(
    connection: psycopg.Connection[Any], targets: Sequence[tuple[Contract, Relation]]
) -> list[TableOutcome]:
    """Verify each contract on its relation, all in one Soda session; same order.

    `connection` is in autocommit mode: a query that fails must not end the others' transaction.
    """
    sizes = [_row_count(connection, relation) for _, relation in targets]
    full = [
        (contract, relation, size) for (contract, relation), size in zip(targets, sizes, strict=True) if size
    ]
    answers = iter(soda.verify_documents(connection, [_document(connection, *target) for target in full]))
    outcomes = []
    for (contract, relation), size in zip(targets, sizes, strict=True):
        if size == 0:
            checks = tuple(CheckOutcome(bound, 0, 0, "passed", None) for bound in contract.bound())
            outcomes.append(TableOutcome(contract, relation, 0, checks, is_ok=True))
        else:
            missing = _missing_columns(connection, contract, relation)
            outcomes.append(_outcome(contract, relation, size or 0, next(answers) if size else None, missing))
    return outcomes


def _row_count(connection: psycopg.Connection[Any], relation: Relation) -> int | None:
    """Rows of the relation; None if there is no such relation."""
    if connection.execute(
        "select to_regclass(%s)", (f'"{relation.schema}"."{relation.name}"',)
    ).fetchone() == (None,):
        return None
    row = connection.execute(sql.SQL("select count(*) from {}").format(relation.identifier)).fetchone()
    return int(row[0]) if row else None


def _missing_columns(
    connection: psycopg.Connection[Any], contract: Contract, relation: Relation
) -> list[str]:
    held = connection.execute(
        "select attname from pg_attribute"
        " where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
        (f'"{relation.schema}"."{relation.name}"',),
    ).fetchall()
    names = {str(row[0]) for row in held}
    wanted = [*contract.huiliu.key, *(column.name for column in contract.columns)]
    return [name for name in wanted if name not in names]


def _document(connection: psycopg.Connection[Any], contract: Contract, relation: Relation, rows: int) -> str:
    """The contract as Soda shall read it: table and thresholds filled in."""
    document: dict[str, Any] = {
        "dataset": "/".join([soda.DATA_SOURCE, connection.info.dbname, relation.schema, relation.name]),
        "columns": [
            {
                "name": column.name,
                "checks": [_soda_check(contract, check, relation, rows) for check in column.checks],
            }
            if column.checks
            else {"name": column.name}
            for column in contract.columns
        ],
    }
    if contract.checks:
        document["checks"] = [_soda_check(contract, check, relation, rows) for check in contract.checks]
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False)


def _soda_check(contract: Contract, check: ContractCheck, relation: Relation, rows: int) -> dict[str, Any]:
    body = check.model_dump(exclude={"type", "threshold", "attributes"}, exclude_none=True)
    for key in ("filter", "expression", "query"):
        if key in body:
            body[key] = relation.fill(body[key])
    if check.query is not None:
        body.pop("filter", None)
        body["query"], body["rows_tested_query"] = counting_queries(contract, check, relation)
    attributes = check.attributes
    body["attributes"] = {
        "rule_id": attributes.rule_id,
        "dimension": attributes.dimension,
        "weight": float(attributes.weight),
        "blocking": attributes.blocking,
    }
    body["threshold"] = _threshold(check, rows)
    return {check.type: body}


def _threshold(check: ContractCheck, rows: int) -> dict[str, Any]:
    """What Soda shall call a failure: only a blocking rule fails a table, the others warn."""
    if not check.attributes.blocking:
        return {"level": "warn", "must_be": 0}
    if check.threshold is None:
        return {"must_be": 0}
    share = check.threshold.must_be_less_than_or_equal
    return {"must_be_less_than_or_equal": max(int(rows * share / 100), SMALL_BATCH_TOLERANCE)}


def _outcome(
    contract: Contract, relation: Relation, rows: int, answer: Answer | None, missing: Sequence[str]
) -> TableOutcome:
    reason = _why_not(relation, answer, missing)
    results = answer.results if answer else {}
    checks = tuple(
        _check_outcome(bound, results.get((bound.check.attributes.rule_id, bound.column)), reason)
        for bound in contract.bound()
    )
    evaluated = all(check.outcome != "not_evaluated" for check in checks)
    return TableOutcome(contract, relation, rows, checks, is_ok=bool(answer and answer.is_ok and evaluated))


def _why_not(relation: Relation, answer: Answer | None, missing: Sequence[str]) -> str:
    """What to say of a check that Soda did not evaluate."""
    if answer is None:
        return f"没有关系 {relation.schema}.{relation.name}"
    if missing:
        return f"缺少列：{'、'.join(missing)}"
    return answer.errors[0] if answer.errors else "Soda 未给出结果"


_FAILED_METRIC = {
    "missing": "missing_count",
    "invalid": "invalid_count",
    "duplicate": "duplicate_count",
    "failed_rows": "failed_rows_count",
}


def _check_outcome(bound: BoundCheck, result: Result | None, reason: str) -> CheckOutcome:
    if result is None or result.outcome not in ("PASSED", "FAILED", "WARN"):
        return CheckOutcome(bound, None, None, "not_evaluated", reason)
    kind = bound.check.type
    tested, failed = result.metrics["check_rows_tested"], result.metrics[_FAILED_METRIC[kind]]
    if tested is None or failed is None:
        return CheckOutcome(bound, None, None, "not_evaluated", reason)
    if kind in ("invalid", "duplicate"):
        # Soda counts blank values as tested; a blank is a matter of completeness only.
        tested -= result.metrics["missing_count"] or 0
    passed = result.outcome != "FAILED" if bound.check.attributes.blocking else not failed
    return CheckOutcome(bound, int(tested), int(failed), "passed" if passed else "failed", None)
