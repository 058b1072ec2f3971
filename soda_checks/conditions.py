"""A check as two SQL conditions over a row: is it tested, does it fail.

Everything stands on these two: the counts Soda judges, the failing rows, their regions and the corrections
(docs/decisions/0009-a-rule-is-written-once.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from psycopg import sql

from soda_checks.contract import BoundCheck, Check, Contract
from soda_checks.rules import BUSINESS_DATE, ROWS, THESE_BATCHES


@dataclass(frozen=True)
class Relation:
    """A table to read: its schema and name as they are in the session, and the date the rules go by.

    `batches`: it is these, on their way into the table.
    """

    schema: str
    name: str
    business_date: date
    batches: tuple[int, ...] | None = None

    @property
    def identifier(self) -> sql.Composed:
        """The relation as quoted SQL."""
        return sql.SQL("{}").format(sql.Identifier(self.schema, self.name))

    def fill(self, text: str) -> str:
        """Put the relation, the business date and the batches in place of a contract's variables."""
        these = "true" if self.batches is None else f"batch_id = any(array{list(self.batches)}::bigint[])"
        return (
            text.replace(ROWS, f'"{self.schema}"."{self.name}"')
            .replace(BUSINESS_DATE, f"date '{self.business_date:%Y-%m-%d}'")
            .replace(THESE_BATCHES, these)
        )


@dataclass(frozen=True)
class Condition:
    """Boolean SQL over a row of the relation, never null; `wrong` says something of a tested row only."""

    tested: sql.Composable
    wrong: sql.Composable

    @property
    def failed(self) -> sql.Composed:
        """A row that is tested and wrong."""
        return sql.SQL("({} and {})").format(self.tested, self.wrong)


def key_columns(contract: Contract) -> sql.Composed:
    """The key columns, quoted, separated by commas."""
    return sql.SQL(", ").join(sql.Identifier(name) for name in contract.huiliu.key)


def condition(contract: Contract, bound: BoundCheck, relation: Relation) -> Condition:
    """Say in SQL which rows a check tests and which fail it."""
    given = _trusted(relation.fill(bound.check.filter or "true"))
    if bound.check.groups is not None:
        return Condition(sql.SQL("false"), sql.SQL("false"))
    tested = sql.SQL("coalesce(({})::boolean, false)").format(given)
    wrong = _failing(contract, bound.check, relation)
    return Condition(tested, sql.SQL("coalesce(({})::boolean, false)").format(wrong))


def counted_groups(check: Check, relation: Relation) -> sql.Composed | None:
    """What a check counts beside the relation's rows, for `from`; None if it looks at the rows."""
    if check.groups is None:
        return None
    return sql.SQL("(select * from ({}) as met where {}) as met").format(
        _trusted(relation.fill(check.groups)), _trusted(relation.fill(check.filter or "true"))
    )


def counting_queries(contract: Contract, check: Check, relation: Relation) -> tuple[str, str]:
    """Two queries of a contract written whole: the keys that fail, and how many rows were tested.

    Only tested rows can fail, and each once, whatever the contract's query returns.
    """
    groups = counted_groups(check, relation)
    if groups is not None:
        return (
            sql.SQL("select row_key from {} where failed").format(groups).as_string(),
            sql.SQL("select coalesce(sum(row_count), 0) from {}").format(groups).as_string(),
        )
    names = {
        "rows": relation.identifier,
        "keys": key_columns(contract),
        "given": _trusted(relation.fill(check.filter or "true")),
        "failing": _failing(contract, check, relation),
    }
    return (
        sql.SQL("select {keys} from {rows} where ({given}) and {failing}").format(**names).as_string(),
        sql.SQL("select count(*) from {rows} where {given}").format(**names).as_string(),
    )


def _failing(contract: Contract, check: Check, relation: Relation) -> sql.Composable:
    if check.expression is not None:
        return _trusted(relation.fill(check.expression))
    key = key_columns(contract)
    if len(contract.huiliu.key) > 1:
        # A part may be blank, and `in` finds no null.
        key = sql.SQL("row({})::text").format(key)
    return sql.SQL("({key}) in (select {key} from ({query}) as failing)").format(
        key=key, query=_trusted(relation.fill(check.query or ""))
    )


def _trusted(text: str) -> sql.SQL:
    """SQL of a rule or a contract: project code under review, not data."""
    return sql.SQL(text)
