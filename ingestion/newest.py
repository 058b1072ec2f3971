"""Has anything changed at a source? One cheap question a table, asked by the stream between two loads."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from huiliu.database import connect
from ingestion import ledger, plan
from ingestion.extract import module_of
from ingestion.spec import SourceSpec

Mark = tuple[int, str, int]
"""What the rows of a table since a value come to: how many, the greatest value of the mode's column, and a
sum of hashes. An equal mark says that nothing was written."""


def starts(spec: SourceSpec) -> dict[str, str]:
    """Return the value from which each streamed table would be read now; without those that never landed."""
    with connect("warehouse:ingest", autocommit=True) as conn:
        landed = {table: ledger.last_landed(conn, spec.name, table.name) for table in spec.streamed}
    found = {table.name: plan.since(table, plan.since_then(table, last)) for table, last in landed.items()}
    return {name: since for name, since in found.items() if since is not None}


def marks(spec: SourceSpec, since: Mapping[str, str]) -> dict[str, Mark]:
    """Ask the source for the mark of each table since a value of its own.

    TransientError if the source cannot be reached, ConfigError or DataError if it is not as the spec says.
    """
    if not since:
        return {}
    answers: dict[str, Mark] = import_module(module_of(spec)).newest(spec, spec.container, since)
    return answers
