"""Corrections: a failing row of a source goes back to its department, until it passes (docs/corrections.md).

All of it runs within the scoring's transaction, from the failing rows that `ledger.write_results` left in
`pg_temp.failing`. Days are business dates and working days.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg import sql

from huiliu.database import Connection
from soda_checks.contract import Contract
from soda_checks.source_key import source_key
from soda_checks.verify import TableOutcome
from soda_checks.workdays import add_workdays, last_overdue

CORRECTION_DAYS = 10
"""Working days a department has for a correction (Decree 809, articles 25-27)."""

_IN_FORCE = sql.SQL("""
    suppression.table_name = %(table_name)s and suppression.withdrawn_at is null
    and %(today)s between suppression.from_date and suppression.until_date
""")

_MATCHES = sql.SQL("""
    suppression.rule_id = {row}.rule_id
    and coalesce(suppression.column_name = {row}.column_name, true)
    and coalesce(suppression.row_key = {row}.row_key, true)
""")

_KNOWN = sql.SQL(
    "unnest(%(rules)s::text[], %(columns)s::text[], %(names)s::text[], %(departments)s::text[])"
    " as known (rule_id, column_name, name, department)"
)

_OPEN = sql.SQL("""
with fresh as materialized (
    select failing.*, known.name, known.department
    from pg_temp.failing as failing
    inner join {known} using (rule_id, column_name)
    where not exists (
        select from quality.correction as open
        where open.table_name = %(table_name)s and open.rule_id = failing.rule_id
            and open.column_name = failing.column_name and open.row_key = failing.row_key
            and open.closed_at is null
    ) and not exists (
        select from quality.suppression as suppression where {in_force} and {failing_matches}
    )
)

insert into quality.correction (
    department, source, table_name, row_key, rule_id, column_name, name, value, batch_id, source_key,
    opened_on, due_at, reopened_from
)
select distinct on (fresh.rule_id, fresh.column_name, fresh.row_key)
    fresh.department, %(source)s, %(table_name)s, fresh.row_key, fresh.rule_id, fresh.column_name, fresh.name,
    fresh.value, held._batch_id, {source_key}, %(today)s, %(due_at)s, (
        select max(former.correction_id)
        from quality.correction as former
        where former.table_name = %(table_name)s and former.row_key = fresh.row_key
            and former.rule_id = fresh.rule_id and former.column_name = fresh.column_name
    )
from fresh
left join {staging} as held on fresh.row_key::uuid = held._row_key
{landed}
""")

_CLOSE = sql.SQL("""
with settled as materialized (
    select open.correction_id, open.row_key, coalesce(open.batch_id, 0) as batch_id
    from quality.correction as open
    inner join {known} using (rule_id, column_name)
    where open.table_name = %(table_name)s and open.closed_at is null
        and not exists (
            select from pg_temp.failing as failing
            where failing.rule_id = open.rule_id and failing.column_name = open.column_name
                and failing.row_key = open.row_key
        )
)

update quality.correction as closing
set closed_at = clock_timestamp(), closed_on = %(today)s,
    closed_as = case when held._row_key is null then 'gone' else 'mended' end,
    closed_because = case
        when held._batch_id > settled.batch_id then 'reloaded'
        when held._row_key is not null then 'settled_elsewhere'
    end
from settled
left join {staging} as held on settled.row_key::uuid = held._row_key
where closing.correction_id = settled.correction_id
""")

_SUPPRESS = sql.SQL("""
update quality.correction as open
set closed_at = clock_timestamp(), closed_on = %(today)s, closed_as = 'suppressed',
    suppression_id = suppression.suppression_id
from quality.suppression as suppression
where open.table_name = %(table_name)s and open.closed_at is null and {in_force} and {open_matches}
""")

# Loaded again and still wrong: the list shows what the department sent last.
_STILL_FAILING = sql.SQL("""
update quality.correction as open
set batch_id = held._batch_id, value = failing.value
from pg_temp.failing as failing
inner join {staging} as held on failing.row_key::uuid = held._row_key
where open.table_name = %(table_name)s and open.closed_at is null
    and failing.rule_id = open.rule_id and failing.column_name = open.column_name
    and failing.row_key = open.row_key and held._batch_id > open.batch_id
""")

_USES = sql.SQL("""
insert into quality.suppression_use (suppression_id, batch_id, rows)
select suppression.suppression_id, %(scoring)s, count(*)
from quality.suppression as suppression
inner join pg_temp.failing as failing on {failing_matches}
where {in_force}
group by suppression.suppression_id
""")


@dataclass(frozen=True)
class Changes:
    """Corrections opened and closed, suppressed ones among the closed."""

    opened: int = 0
    closed: int = 0

    def __add__(self, other: Changes) -> Changes:
        return Changes(self.opened + other.opened, self.closed + other.closed)


def update(connection: Connection, batch_id: int, outcome: TableOutcome) -> Changes:
    """Open and close a staging table's corrections from `pg_temp.failing`; `batch_id` is the scoring's.

    A check that could not be evaluated opens and closes nothing.
    """
    known = [check for check in outcome.checks if check.outcome != "not_evaluated"]
    if not known:
        return Changes()
    contract, today = outcome.contract, outcome.relation.business_date
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
    }
    parts = _parts(connection, contract)

    def run(statement: sql.SQL) -> int:
        return connection.execute(statement.format(**parts), values).rowcount

    closed = run(_CLOSE) + run(_SUPPRESS)
    run(_STILL_FAILING)
    run(_USES)
    return Changes(run(_OPEN), closed)


def _parts(connection: Connection, contract: Contract) -> dict[str, sql.Composable]:
    key, landed = source_key(connection, contract)
    return {
        "staging": sql.Identifier(contract.layer, contract.model),
        "known": _KNOWN,
        "in_force": _IN_FORCE,
        "failing_matches": _MATCHES.format(row=sql.Identifier("failing")),
        "open_matches": _MATCHES.format(row=sql.Identifier("open")),
        "source_key": key,
        "landed": landed,
    }


def withdraw(
    connection: Connection, contracts: Collection[Contract], today: date, *, all_there_are: bool
) -> int:
    """Close the corrections of rules that these contracts' tables bind no more; return how many.

    If they are all there are, those of tables without a contract too.
    """
    bound = [
        (contract.table_name, it.check.attributes.rule_id, it.column)
        for contract in contracts
        for it in contract.bound()
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


def escalate(connection: Connection, today: date) -> dict[int, int]:
    """Raise what is overdue to the level it has reached, each level once; return level -> newly raised."""
    levels = connection.execute(
        "select level, workdays_overdue from quality.escalation_level"
        " where valid_from <= %(today)s and coalesce(valid_to > %(today)s, true) order by level",
        {"today": today},
    ).fetchall()
    raised = {}
    for level, workdays_overdue in levels:
        values = {"level": level, "today": today, "due": last_overdue(today, workdays_overdue)}
        raised[int(level)] = connection.execute(_RAISE, values).rowcount
    return raised


_RAISE = """
with raised as (
    update quality.correction set escalated_level = %(level)s, escalated_on = %(today)s
    where closed_at is null and due_at <= %(due)s and coalesce(escalated_level, 0) < %(level)s
    returning correction_id
)

insert into quality.escalation (correction_id, level, escalated_on)
select correction_id, %(level)s, %(today)s from raised
on conflict do nothing
"""
