"""Drift: what a source's table looks like now beside its spec and its last load."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence

from huiliu.errors import DataError
from ingestion.spec import TableSpec

# Names of types, as databases write them, by what their values are. What is in none is a type of its own.
_FAMILIES = {
    "text": (
        r"(n?(var)?char|character|text|(tiny|medium|long)text|n?clob|string|bpchar|name|citext|uuid|enum|set)"
    ),
    "number": (
        r"((tiny|small|medium|big)?int|integer|numeric|number|decimal|real|float|double|money|serial|bit)"
    ),
    "timestamp": r"(timestamp|datetime|smalldatetime)",
    "date": r"date",
    "boolean": r"bool",
}

_MOST_SHOWN = 20


def family(type_name: str) -> str:
    """Return what the values of a type are: text, number, date, timestamp, boolean, or the type itself."""
    lowered = type_name.lower()
    for name, pattern in _FAMILIES.items():
        if re.match(pattern + r"[\d( ]|" + pattern + r"(ean|\d|$)", lowered):
            return name
    return lowered


def check(
    where: str, table: TableSpec, present: Mapping[str, str | None], known: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the columns the spec doesn't know; DataError for a missing, renamed or retyped one, naming both
    sides. `present` and `known` map the source's names to the names of their types (None: untyped).
    """
    wanted = {column.at_source for column in table.columns}
    missing = [name for name in (column.at_source for column in table.columns) if name not in present]
    unknown = [name for name in present if name not in wanted]
    typed = any(kind is not None for kind in present.values())
    if missing and len(missing) == len(table.columns) and not typed:
        raise DataError(
            f"{where}: column {', '.join(missing)} is missing, that is all the spec has",
            fix="see that the names of the columns stand where the spec looks for them (a file's first line)",
        )
    if missing:
        raise DataError(f"{where}: {_missing(missing, unknown)}", fix=_fix(missing, unknown))
    retyped = [
        f"{column.at_source} {'is' if column.type else 'was'} {before}{' in the spec' if column.type else ''}"
        f" and is {now} at the source"
        for column in table.columns
        if (now := present[column.at_source]) is not None
        and (before := column.type or known.get(column.at_source)) is not None
        and family(now) != family(before)
    ]
    if retyped:
        raise DataError(
            f"{where}: the type of column {'; '.join(retyped)}",
            fix="ask the department; if the new type is meant, write it as type: of the column in the spec"
            " (text, number, date, timestamp or boolean)",
        )
    return tuple(unknown)


def shown(names: Sequence[str]) -> str:
    """Return column names as they may stand in an error or a ledger. Where a file has no header, or an object
    is keyed by people, names are values: what doesn't look like a name is told by its place."""
    named = [name if nameable(name) else f"column {place}" for place, name in enumerate(names, start=1)]
    more = f" and {len(named) - _MOST_SHOWN} more" if len(named) > _MOST_SHOWN else ""
    return ", ".join(named[:_MOST_SHOWN]) + more


def nameable(name: str) -> bool:
    """Whether a text looks like the name of a column: short, and without a number that might be someone's."""
    return len(name) <= 64 and re.search(r"\d{6}", name) is None


def _missing(missing: Sequence[str], unknown: Sequence[str]) -> str:
    text = f"column {', '.join(missing)} is missing"
    return f"{text}; the source has {shown(unknown)}, which the spec does not know" if unknown else text


def _fix(missing: Sequence[str], unknown: Sequence[str]) -> str:
    unknown = [name for name in unknown if nameable(name)]
    for name in missing:
        close = difflib.get_close_matches(name, unknown, n=1, cutoff=0.5) or (
            unknown if len(unknown) == 1 else []
        )
        if close:
            return f"if {name} was renamed, write source_name: {close[0]} for it in the spec"
    return "ask the department for the column, or take it out of the spec"
