"""The column by which a database is asked for rows: those since the last load, or those of some days.

It must hold what the spec says. A column of texts may hold numbers or times too: they are compared as what
they mean, and a text that means neither is read with every load, as nulls are: nobody knows if it is new.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Literal

from huiliu.errors import ConfigError
from ingestion.drift import family
from ingestion.spec import TableSpec

Kind = Literal["number", "time"]

NUMBER = "^-?[0-9]+([.][0-9]+)?$"
TIME = "^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}|$)"

_CONTRADICTIONS = {"number": ("date", "timestamp", "boolean"), "time": ("number", "boolean")}


def cursor_of(table: TableSpec) -> tuple[str, Kind]:
    """Return the column of the mode, and its kind."""
    cursor = table.cursor
    if cursor is None or cursor.column is None:
        raise AssertionError("only a table with such a column is read by it")
    return cursor.column, cursor.kind


def check(where: str, table: TableSpec, types: Mapping[str, str | None]) -> None:
    """Compare the columns by which rows are asked for with the types at the source; ConfigError if the mode
    would compare them as something else.
    """
    if table.cursor is not None:
        _check(where, table, types, f"mode {table.mode.type}", *cursor_of(table))
    if table.backfill_column is not None:
        _check(where, table, types, "backfill_column", table.backfill_column, "time")


def _check(
    where: str, table: TableSpec, types: Mapping[str, str | None], reader: str, name: str, kind: Kind
) -> None:
    at_source = next(column.at_source for column in table.columns if column.name == name)
    found = types.get(at_source)
    if found is None or family(found) not in _CONTRADICTIONS[kind]:
        return
    other = {"number": "number", "boolean": None}.get(family(found), "time")
    fix = f"choose a column of {kind}s for {reader}"
    if other and reader != "backfill_column":
        fix = f"write kind: {other} for {reader} in the spec, or {fix}"
    raise ConfigError(f"{where}: {reader} reads column {at_source} as a {kind}, but it is {found}", fix=fix)


def is_text(type_name: str | None) -> bool:
    """Whether a column's values are texts, whatever they mean."""
    return type_name is not None and family(type_name) == "text"


def shortest(time: str) -> str:
    """Write a time so that none of the ways to write it sorts before: a blank before the hours, no zone, no
    zeros at its end.
    """
    text = datetime.fromisoformat(time).replace(tzinfo=None).isoformat(" ")
    if "." in text:
        text = text.rstrip("0")
    return text.removesuffix(":00").removesuffix(" 00:00")


def end_of(today: date) -> str:
    """Return the first moment that no watermark may reach: a wrong year must not end loads."""
    return (today + timedelta(days=1)).isoformat()
