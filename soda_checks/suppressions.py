"""Suppressions: a failing that opens no correction for a while, with a reason, a name and an end.

Scores are not touched. A suppression holds from the next scoring on; each scoring notes how many failing rows
it kept back (`quality.suppression_use`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg.rows import dict_row

from huiliu import business_date
from huiliu.database import connect
from huiliu.errors import ConfigError, DataError
from soda_checks.contract import Contract, load_contracts


@dataclass(frozen=True)
class Asked:
    """What is to be let off: a rule on a table, on one column or all, on one row or all, and until when."""

    table_name: str
    rule_id: str
    column_name: str | None
    row_key: str | None
    reason: str
    by_name: str
    until_date: date
    from_date: date | None = None


def suppress(asked: Asked, contracts: Mapping[str, Contract] | None = None) -> int:
    """Write a suppression down and return its id; it begins today unless it says otherwise.

    ConfigError if no staging contract binds that rule there, or reason, name or end are not as they must be.
    """
    _require_bound(asked, load_contracts() if contracts is None else contracts)
    with connect("warehouse:score") as conn:
        today = business_date.get(conn)
        if asked.until_date < today:
            raise ConfigError(
                f"{asked.until_date} has passed: it is {today}", fix="give a later day with --until"
            )
        values = {**vars(asked), "from_date": asked.from_date or today}
        try:
            row = conn.execute(_INSERT, values).fetchone()
        except psycopg.errors.CheckViolation as error:
            raise ConfigError(
                "A suppression needs a reason, a name, and an end after its beginning and within a year",
                fix="give --reason, --by and --until",
            ) from error
    return int(row[0]) if row else 0


def _require_bound(asked: Asked, contracts: Mapping[str, Contract]) -> None:
    contract = contracts.get(asked.table_name)
    if contract is None or contract.layer != "staging":
        raise ConfigError(
            f"{asked.table_name} is no staging table with a contract: nothing of it is sent back",
            fix="see table, rule and column in `huiliu corrections --department NAME`",
        )
    bound = [(it.check.attributes.rule_id, it.column) for it in contract.bound()]
    if not any(rule == asked.rule_id and asked.column_name in (None, column) for rule, column in bound):
        where = f"{asked.table_name} {asked.column_name or ''}".strip()
        columns = sorted({column or "the whole row" for rule, column in bound if rule == asked.rule_id})
        raise ConfigError(
            f"No contract binds {asked.rule_id} to {where}",
            fix=f"{asked.rule_id} is bound to {', '.join(columns)}"
            if columns
            else f"bound there: {', '.join(sorted({rule for rule, _ in bound}))}",
        )


def withdraw(suppression_id: int, *, by: str) -> None:
    """End a suppression before its time. DataError if there is none that holds or is to come."""
    if not by.strip():
        raise ConfigError("A suppression is withdrawn by someone", fix="give --by")
    with connect("warehouse:score") as conn:
        done = conn.execute(
            "update quality.suppression set withdrawn_at = clock_timestamp(), withdrawn_by = %s"
            " where suppression_id = %s and withdrawn_at is null"
            " and until_date >= (select business_date from ops.business_date)",
            [by.strip(), suppression_id],
        ).rowcount
    if not done:
        raise DataError(
            f"There is no suppression {suppression_id} to withdraw", fix="see `huiliu suppressions`"
        )


def all_suppressions() -> list[dict[str, Any]]:
    """Return every suppression, the newest first, with its state and what it kept back."""
    with connect("warehouse:score") as conn, conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_ALL).fetchall()


_INSERT = """
insert into quality.suppression
    (table_name, rule_id, column_name, row_key, reason, by_name, from_date, until_date)
values (
    %(table_name)s, %(rule_id)s, %(column_name)s, %(row_key)s, %(reason)s, %(by_name)s, %(from_date)s,
    %(until_date)s
)
returning suppression_id
"""

_ALL = """
select
    suppression.suppression_id, suppression.table_name, suppression.rule_id, suppression.column_name,
    suppression.row_key, suppression.reason, suppression.by_name, suppression.from_date,
    suppression.until_date, suppression.withdrawn_by,
    case
        when suppression.withdrawn_at is not null then 'withdrawn'
        when today.business_date < suppression.from_date then 'coming'
        when today.business_date > suppression.until_date then 'ended'
        else 'in force'
    end as state,
    (
        select used.rows from quality.suppression_use as used
        where used.suppression_id = suppression.suppression_id order by used.batch_id desc limit 1
    ) as rows_last_time,
    (
        select count(*) from quality.suppression_use as used
        where used.suppression_id = suppression.suppression_id
    ) as scorings
from quality.suppression as suppression
cross join ops.business_date as today
order by suppression.suppression_id desc
"""
