"""Corrections: a failing row of a source goes back to its department, until it passes (docs/corrections.md).

All of it runs within the scoring's transaction, from the failing rows that `ledger.write_results` left in
`pg_temp.failing`. Days are business dates and working days.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from psycopg import sql

from huiliu.database import Connection
from soda_checks.contract import Contract
from soda_checks.corrections import statements
from soda_checks.corrections.reopened import RETURN_DAYS, find_successors
from soda_checks.corrections.source_key import source_key
from soda_checks.relations import SESSION
from soda_checks.verify import TableOutcome
from soda_checks.workdays import add_workdays

CORRECTION_DAYS = 10
"""Working days a department has for a correction (Decree 809, articles 25-27)."""


@dataclass(frozen=True)
class Changes:
    """Corrections opened and closed, suppressed ones among the closed."""

    opened: int = 0
    closed: int = 0

    def __add__(self, other: Changes) -> Changes:
        return Changes(self.opened + other.opened, self.closed + other.closed)


def update(connection: Connection, batch_id: int, outcome: TableOutcome) -> Changes:
    """Open and close a staging table's corrections from `pg_temp.failing`; `batch_id` is the scoring's.

    A check that could not be evaluated, or does not hold on the day, opens and closes nothing.
    """
    contract = outcome.contract
    if all(check.outcome == "not_evaluated" for check in outcome.checks):
        return Changes()
    run = _statements(connection, outcome, sql.Identifier(contract.layer, contract.model), batch_id)
    run(statements.MOVE)
    closed = run(statements.CLOSE) + run(statements.SUPPRESS)
    run(statements.STILL_FAILING)
    run(statements.USES)
    find_successors(connection, contract, outcome.relation.business_date)
    return Changes(run(statements.OPEN), closed)


def send_back_held(connection: Connection, batch_id: int, outcome: TableOutcome) -> None:
    """Open a held batch's corrections from `pg_temp.failing`: what does not get into staging goes home too.

    A row that a later batch deletes has nothing to mend any more.
    """
    raw = sql.Identifier("raw", outcome.contract.raw_table)
    versions = statements.IN_BATCH.format(raw=raw, batch_id=sql.Literal(batch_id))
    run = _statements(connection, outcome, versions, batch_id)
    run(statements.STILL_FAILING)
    find_successors(connection, outcome.contract, outcome.relation.business_date)
    run(statements.OPEN)


def _statements(
    connection: Connection, outcome: TableOutcome, judged: sql.Composable, batch_id: int
) -> Callable[[sql.SQL], int]:
    """Give what runs a statement for the checks that were evaluated, and says how many rows it wrote.

    `judged` are the row versions that they were evaluated on.
    """
    contract, today = outcome.contract, outcome.relation.business_date
    known = [it for it in outcome.checks if it.outcome != "not_evaluated" and it.attributes.holds_on(today)]
    values = {
        "table_name": contract.table_name,
        "rules": [check.attributes.rule_id for check in known],
        "columns": [check.bound.column for check in known],
        "names": [check.bound.check.name for check in known],
        "departments": [check.attributes.department for check in known],
        "source": contract.huiliu.source,
        "scoring": batch_id,
        "today": today,
        "due_at": add_workdays(today, CORRECTION_DAYS),
        "returns_since": today - timedelta(days=RETURN_DAYS),
    }
    parts = _parts(connection, contract, _with_counted(outcome, judged))
    return lambda statement: connection.execute(statement.format(**parts), values).rowcount


def _with_counted(outcome: TableOutcome, judged: sql.Composable) -> sql.Composable:
    """Add to the versions what only one check has met: loads, or rows that are missing."""
    counted: sql.Composable = sql.SQL("")
    if outcome.judged.table is not None:
        counted = statements.COUNTED.format(sql.Identifier(SESSION, outcome.judged.table))
    return statements.VERSIONS.format(judged=judged, counted=counted)


def _parts(connection: Connection, contract: Contract, judged: sql.Composable) -> dict[str, sql.Composable]:
    key, landed = source_key(connection, contract)
    return {
        "judged": judged,
        "raw": sql.Identifier("raw", contract.raw_table),
        "known": statements.KNOWN,
        "in_force": statements.IN_FORCE,
        "failing_matches": statements.MATCHES.format(row=sql.Identifier("failing")),
        "open_matches": statements.MATCHES.format(row=sql.Identifier("open")),
        "source_key": key,
        "landed": landed,
    }


def withdraw(
    connection: Connection, contracts: Collection[Contract], today: date, *, all_there_are: bool
) -> int:
    """Close the corrections of rules that these contracts' tables bind no more, or no more today; count them.

    If they are all there are, those of tables without a contract too.
    """
    bound = [
        (contract.table_name, it.check.attributes.rule_id, it.column)
        for contract in contracts
        for it in contract.bound()
        if it.check.attributes.holds_on(today)
    ]
    return connection.execute(
        """
        update quality.correction as open
        set closed_at = clock_timestamp(), closed_on = %(today)s, closed_as = 'withdrawn'
        where open.closed_at is null and (%(all)s or open.table_name = any(%(scored)s)) and not exists (
            select from unnest(%(tables)s::text[], %(rules)s::text[], %(columns)s::text[])
                as bound (table_name, rule_id, column_name)
            where bound.table_name = open.table_name and bound.rule_id = open.rule_id
                and bound.column_name = open.column_name
        )
        """,
        {
            "today": today,
            "all": all_there_are,
            "scored": [contract.table_name for contract in contracts],
            **_columns(bound),
        },
    ).rowcount


def _columns(bound: Collection[tuple[str, str, str]]) -> dict[str, Any]:
    return {
        "tables": [table for table, _, _ in bound],
        "rules": [rule for _, rule, _ in bound],
        "columns": [column for _, _, column in bound],
    }
