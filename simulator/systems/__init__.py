"""The vertical systems: what each source shows of the truth, one module a source."""

from __future__ import annotations

from simulator.systems import (
    civil_affairs,
    enterprise_registry,
    health,
    marriage_registry,
    police,
    social_security,
    veterans,
)
from simulator.systems.source_table import SourceTable

TABLES: tuple[SourceTable, ...] = (
    *police.TABLES,
    *civil_affairs.TABLES,
    *health.TABLES,
    *social_security.TABLES,
    *marriage_registry.TABLES,
    *veterans.TABLES,
    *enterprise_registry.TABLES,
)
DATABASE_SOURCES = ("police", "civil_affairs", "health", "social_security", "marriage_registry")
FILE_SOURCES = ("veterans", "enterprise_registry")
_INDEX = {table.full_name: number for number, table in enumerate(TABLES)}


def index(table: SourceTable) -> int:
    """Return the number of a source table, by which the state refers to it."""
    return _INDEX[table.full_name]


def by_name(source: str, name: str) -> SourceTable:
    """Return a source table; KeyError if there is none."""
    return TABLES[_INDEX[f"{source}.{name}"]]


def of_source(source: str) -> tuple[SourceTable, ...]:
    """Return the tables of a source."""
    return tuple(table for table in TABLES if table.source == source)
