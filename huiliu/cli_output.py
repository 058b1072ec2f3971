"""What every verb of the command line prints: a table for people, or one JSON document."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

err = Console(stderr=True)
out = Console()

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def plain(value: object) -> object:
    """Make a result JSON-ready: dataclasses and pydantic models become objects, dates ISO text."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if hasattr(value, "model_dump"):
        return plain(value.model_dump())
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    return str(value)


def say(text: object, label: str = "") -> None:
    """Write a line to standard error as it is: what sources and paths are called is no markup."""
    err.print(Text.assemble((label and f"{label}: ", "red"), str(text)))


def show(rows: Sequence[object], columns: list[str], title: str) -> None:
    """Print records as a table of the columns that matter."""
    table = Table(title=title)
    for column in columns:
        table.add_column(column, overflow="fold")  # a name or a fix that is cut helps nobody
    for row in rows:
        record = plain(row)
        if not isinstance(record, dict):
            raise TypeError(f"a row of {title} is {type(row).__name__}, not a record")
        values = (record.get(column) for column in columns)
        table.add_row(*(Text("" if value is None else str(value)) for value in values))
    out.print(table)


def report(result: object, as_json: bool, show_it: Callable[[], None]) -> None:
    """Print a result as JSON on standard output, or as a person reads it."""
    if as_json:
        typer.echo(json.dumps(plain(result), ensure_ascii=False))
    else:
        show_it()
