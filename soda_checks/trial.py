"""Contracts tried on a warehouse without reading a row: whether PostgreSQL takes the SQL of every rule."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import date

import psycopg
from psycopg import sql

from huiliu.database import Connection
from soda_checks.conditions import Relation, condition, counted_groups
from soda_checks.contract import BoundCheck, Contract
from soda_checks.relations import Rows, columns_of, rows_of, table_relation
from soda_checks.scan import reraise_if_passing
from soda_checks.soda import explained

_PATTERN = re.compile(r"~\*?\s*('(?:[^']|'')*')")


def faults(connection: Connection, contracts: Iterable[Contract], day: date) -> list[str]:
    """Return table, column, rule and reason of each rule that cannot be evaluated, or can find nothing."""
    return [
        f"{contract.table_name} {bound.column} {bound.check.attributes.rule_id}: {reason}"
        for contract in contracts
        for bound, reason in _of_contract(connection, contract, day)
    ]


def _of_contract(connection: Connection, contract: Contract, day: date) -> Iterator[tuple[BoundCheck, str]]:
    relation = table_relation(connection, contract, day, empty=True)
    held = columns_of(connection, relation)
    rows = rows_of(connection, contract, relation, held)
    for bound in contract.bound():
        reason = f"缺少列：{bound.column}"
        if not bound.column or bound.column in held:
            reason = _reason(connection, contract, bound, relation, rows)
        if reason:
            yield bound, reason


def _reason(
    connection: Connection, contract: Contract, bound: BoundCheck, relation: Relation, rows: Rows
) -> str:
    """Why a rule is of no use; '' if it is in order."""
    rule = condition(contract, bound, relation)
    groups = counted_groups(bound.check, relation)
    failed = rule.failed if groups is None else sql.SQL("failed")
    statement = sql.SQL("explain (format json) select from {} where {}").format(groups or rows.query, failed)
    try:
        with connection.transaction():
            for pattern in _PATTERN.findall(rule.failed.as_string()):
                connection.execute(sql.SQL("select '' ~ {}").format(sql.SQL(pattern)))
            (plan,) = connection.execute(statement).fetchone() or ([],)
    except psycopg.Error as error:
        reraise_if_passing(error)
        return explained(error, statement.as_string())
    dates = bound.check.attributes.effective_from or bound.check.attributes.effective_until
    finds_nothing = not dates and '"One-Time Filter": "false"' in json.dumps(plan)
    return "no row can fail it" if finds_nothing else ""
