"""Suppressions: a failing that opens no correction for a while, with a reason, a name and an end.

Scores are not touched. A suppression holds from the next scoring on; each scoring notes how many failing rows
it kept back (`quality.suppression_use`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from huiliu import business_date
from huiliu.database import Connection, connect
from huiliu.errors import ConfigError, DataError
from soda_checks.contract import Contract, load_contracts

_LONGEST = timedelta(days=365)


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

    ConfigError if no staging contract binds that rule there, the source never sent that row, or reason, name
    or days are not as they must be.
    """
    contract = _require_bound(asked, load_contracts() if contracts is None else contracts)
    with connect("warehouse:score") as conn:
        today = business_date.get(conn)
        first = asked.from_date or today
        _require_days(asked, first, today)
        values = vars(asked) | {"from_date": first, "row_key": _known_row(conn, asked.row_key, contract)}
        try:
            row = conn.execute(_INSERT, values).fetchone()
        except psycopg.errors.CheckViolation as error:
            raise ConfigError(
                "A suppression needs a reason and a name", fix="give --reason and --by"
            ) from error
    return int(row[0]) if row else 0


def _require_days(asked: Asked, first: date, today: date) -> None:
    """Refuse what would hold on no day, or so long that nobody decides about it again."""
    until = asked.until_date
    if until < today:
        raise ConfigError(f"{until} has passed: it is {today}", fix="give a later day with --until")
    if first < today:
        raise ConfigError(f"{first} has passed: it is {today}", fix="leave --from out: it begins today")
    if until < first:
        raise ConfigError(f"{until} is before {first}, its first day", fix="correct --from or --until")
    # From today on, not from its first day: else two decided at once would hold for two years.
    if until > today + _LONGEST:
        raise ConfigError(
            f"{until} is more than a year away",
            fix=f"give a day until {today + _LONGEST}, and decide anew when it ends",
        )


def _known_row(conn: Connection, row_key: str | None, contract: Contract) -> str | None:
    """Return the key of a row that the source sent at some time, as the ledgers write it."""
    if row_key is None:
        return None
    sent = sql.SQL("select from {} where _row_key = %s limit 1").format(
        sql.Identifier("raw", contract.raw_table)
    )
    try:
        key = UUID(row_key)
    except ValueError:
        key = None
    if key is None or conn.execute(sent, [key]).fetchone() is None:
        raise ConfigError(
            f"{contract.table_name} never had a row {row_key}",
            fix="take the row_key from `huiliu corrections --department NAME --json`",
        )
    return str(key)


def _require_bound(asked: Asked, contracts: Mapping[str, Contract]) -> Contract:
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
    return contract


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
