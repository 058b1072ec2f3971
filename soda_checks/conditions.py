"""A check as two SQL conditions over a row: is it tested, does it fail.

Soda Core 4 counts failures but does not keep the failing rows, so the rows, their regions and the corrections
are found with these conditions; tests hold that both count alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from psycopg import sql

from soda_checks.contract import (
    BUSINESS_DATE,
    ROWS,
    BoundCheck,
    Contract,
    Duplicate,
    FailedRows,
    Invalid,
    Missing,
)


@dataclass(frozen=True)
class Relation:
    """A table to read: its schema and name as they are in the session, and the date the rules go by."""

    schema: str
    name: str
    business_date: date

    @property
    def identifier(self) -> sql.Composed:
        """The relation as quoted SQL."""
        return sql.SQL("{}").format(sql.Identifier(self.schema, self.name))

    def fill(self, text: str) -> str:
        """Put the relation and the business date in place of a contract's variables."""
        return text.replace(ROWS, f'"{self.schema}"."{self.name}"').replace(
            BUSINESS_DATE, f"date '{self.business_date:%Y-%m-%d}'"
        )


@dataclass(frozen=True)
class Condition:
    """Boolean SQL over a row of the relation, never null."""

    tested: sql.Composable
    failed: sql.Composable


def key_columns(contract: Contract) -> sql.Composed:
    """The key columns, quoted, separated by commas."""
    return sql.SQL(", ").join(sql.Identifier(name) for name in contract.huiliu.key)


def condition(contract: Contract, bound: BoundCheck, relation: Relation) -> Condition:
    """Say in SQL which rows a check tests and which fail it."""
    check = bound.check
    given: sql.Composable = _trusted(relation.fill(check.filter)) if check.filter else sql.SQL("true")
    tested: sql.Composable
    failed: sql.Composable
    column = sql.Identifier(bound.column) if bound.column else None
    if isinstance(check, FailedRows):
        tested, failed = given, _failed_rows(check, contract, relation)
    elif column is None:
        raise TypeError(f"{type(check).__name__} stands under a column")
    elif isinstance(check, Missing):
        tested, failed = given, sql.SQL("{} is null").format(column)
    else:
        tested = sql.SQL("({}) and {} is not null").format(given, column)
        failed = (
            _duplicate(column, tested, contract, relation)
            if isinstance(check, Duplicate)
            else _invalid(check, column)
        )
    tested = sql.SQL("coalesce(({})::boolean, false)").format(tested)
    return Condition(tested, sql.SQL("({} and coalesce(({})::boolean, false))").format(tested, failed))


def counting_queries(contract: Contract, check: FailedRows, relation: Relation) -> tuple[str, str]:
    """Two queries for Soda: the keys that fail, and how many rows were tested.

    Only tested rows can fail, and each once, whatever the contract's query returns.
    """
    names = {
        "rows": relation.identifier,
        "keys": key_columns(contract),
        "given": _trusted(relation.fill(check.filter or "true")),
        "failing": _failed_rows(check, contract, relation),
    }
    return (
        sql.SQL("select {keys} from {rows} where ({given}) and {failing}").format(**names).as_string(),
        sql.SQL("select count(*) from {rows} where {given}").format(**names).as_string(),
    )


def _failed_rows(check: FailedRows, contract: Contract, relation: Relation) -> sql.Composable:
    if check.expression is not None:
        return _trusted(relation.fill(check.expression))
    return sql.SQL("({keys}) in (select {keys} from ({query}) as failing)").format(
        keys=key_columns(contract), query=_trusted(relation.fill(check.query or ""))
    )


def _duplicate(
    column: sql.Composable, tested: sql.Composable, contract: Contract, relation: Relation
) -> sql.Composable:
    return sql.SQL(
        "({keys}) in (select {keys} from ("
        "select {keys}, row_number() over (partition by {column} order by {keys}) as occurrence"
        " from {rows} where {tested}) as numbered where occurrence > 1)"
    ).format(keys=key_columns(contract), column=column, rows=relation.identifier, tested=tested)


def _invalid(check: Invalid, column: sql.Composable) -> sql.Composable:
    faults: list[sql.Composable] = []
    if check.valid_values is not None:
        faults.append(sql.SQL("{} <> all({})").format(column, sql.Literal(check.valid_values)))
    if check.invalid_values is not None:
        faults.append(sql.SQL("{} = any({})").format(column, sql.Literal(check.invalid_values)))
    if check.valid_format is not None:
        faults.append(sql.SQL("{} !~ {}").format(column, sql.Literal(check.valid_format.regex)))
    if check.invalid_format is not None:
        faults.append(sql.SQL("{} ~ {}").format(column, sql.Literal(check.invalid_format.regex)))
    if check.valid_min is not None:
        faults.append(sql.SQL("{} < {}").format(column, sql.Literal(check.valid_min)))
    if check.valid_max is not None:
        faults.append(sql.SQL("{} > {}").format(column, sql.Literal(check.valid_max)))
    return sql.SQL(" or ").join(faults)


def _trusted(text: str) -> sql.SQL:
    """SQL of a contract: project code under review, not data."""
    return sql.SQL(text)
