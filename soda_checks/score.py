"""Score the warehouse: every contract on its table, rolled up to the city, and the corrections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from huiliu import business_date, regions
from huiliu.database import Connection, advisory_lock, connect
from soda_checks import ledger
from soda_checks.beside import beside_scores
from soda_checks.contract import Contract, load_contracts
from soda_checks.corrections import lifecycle as corrections
from soda_checks.corrections.lifecycle import Changes
from soda_checks.corrections.urging import escalate
from soda_checks.gate import LOCK
from soda_checks.profiles.measure import profile_tables
from soda_checks.relations import table_relation
from soda_checks.rules import OVERALL, write_catalogue
from soda_checks.scoring import Score, region_scores, rolled_up, table_scores
from soda_checks.verify import TableOutcome, verify
from soda_checks.workdays import add_workdays, calendar


@dataclass(frozen=True)
class TableScore:
    """A table's overall score (0 to 1; None if nothing was tested), and why it is capped, if it is."""

    table_name: str
    rows: int
    score: Decimal | None
    blocked_by: list[str]


@dataclass(frozen=True)
class ScoreResult:
    """One scoring. `problems`: rules that could not be evaluated; unless it is empty, the step has failed.

    `calendar` says what the working days of the corrections' due dates went by; `drift`, in words, what
    changed all of a sudden in the staging tables as a whole.
    """

    batch_id: int
    city_score: Decimal | None
    tables: list[TableScore]
    checks: int
    failing_checks: int
    corrections_opened: int
    corrections_closed: int
    corrections_overdue: int
    calendar: str
    problems: list[str]
    drift: list[str] = field(default_factory=list)


def score(contracts: Mapping[str, Contract] | None = None) -> ScoreResult:
    """Verify every contract on its table; write results, rows, scores and corrections in one transaction.

    Raises ConfigError before any work if a contract is wrong; TransientError if another run holds the lock.
    """
    known = load_contracts() if contracts is None else contracts
    city = regions.consumer_code(regions.load().city)
    with connect("warehouse:score", autocommit=True) as connection, advisory_lock(connection, LOCK):
        today = business_date.get(connection)
        batch_id = ledger.begin_run(connection, "score", today)
        targets = [(_merged(it), table_relation(connection, it, today)) for it in known.values()]
        outcomes = verify(connection, targets)
        with connection.transaction():
            write_catalogue(connection)
            changes = _write(connection, batch_id, outcomes)
            withdrawn = corrections.withdraw(
                connection, known.values(), today, all_there_are=contracts is None
            )
            escalate(connection, today)
            scores = [
                *table_scores(outcomes),
                *rolled_up(outcomes, city),
                *region_scores(outcomes),
                *beside_scores(connection, known.values(), city, today),
            ]
            ledger.write_scores(connection, batch_id, scores)
            drift = profile_tables(connection, batch_id, outcomes)
            ledger.prune(connection, today)
            ledger.end_run(connection, batch_id, "succeeded")
        (overdue,) = connection.execute(
            "select count(*) from quality.correction where closed_at is null and due_at < %s", (today,)
        ).fetchone() or (0,)
    due = add_workdays(today, corrections.CORRECTION_DAYS)
    calendar_used = calendar(range(today.year, due.year + 1))
    counted = (changes.opened, changes.closed + withdrawn, overdue)
    return replace(_result(batch_id, outcomes, scores, counted, calendar_used), drift=drift)


def _merged(contract: Contract) -> Contract:
    """The contract as it holds of the merged table: a refused load is not in it, and caps no score."""
    checks = [
        check.model_copy(update={"attributes": check.attributes.model_copy(update={"blocking": False})})
        if check.groups is not None
        else check
        for check in contract.checks
    ]
    return contract.model_copy(update={"checks": checks})


def _write(connection: Connection, batch_id: int, outcomes: list[TableOutcome]) -> Changes:
    changes = Changes()
    for outcome in outcomes:
        ledger.write_results(connection, batch_id, outcome)
        if outcome.contract.layer == "staging":
            # Only what a department sent goes back to it; what we derived from it is ours to mend.
            changes += corrections.update(connection, batch_id, outcome)
    return changes


def _result(
    batch_id: int,
    outcomes: list[TableOutcome],
    scores: list[Score],
    counted: tuple[int, int, int],
    calendar_used: str,
) -> ScoreResult:
    overall = {(score.level, score.name): score.score for score in scores if score.dimension == OVERALL}
    checks = [check for outcome in outcomes for check in outcome.checks]
    opened, closed, overdue = counted
    return ScoreResult(
        batch_id=batch_id,
        city_score=next((score for (level, _), score in overall.items() if level == "city"), None),
        tables=[
            TableScore(
                table_name=outcome.contract.table_name,
                rows=outcome.rows,
                score=overall["table", outcome.contract.table_name],
                blocked_by=[check.attributes.rule_id for check in outcome.blocking],
            )
            for outcome in outcomes
        ],
        checks=len(checks),
        failing_checks=sum(check.outcome != "passed" for check in checks),
        corrections_opened=opened,
        corrections_closed=closed,
        corrections_overdue=overdue,
        calendar=calendar_used,
        problems=[
            f"{outcome.contract.table_name} {check.attributes.rule_id}: {check.message}"
            for outcome in outcomes
            for check in outcome.checks
            if check.outcome == "not_evaluated"
        ],
    )
