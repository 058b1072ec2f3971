"""The vertical systems: what each source shows of the truth, one module a source."""

from __future__ import annotations

from simulator.domains import DOMAINS
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
from simulator.systems.system import System

SYSTEMS: tuple[System, ...] = (
    System("police", police.TABLES),
    System("civil_affairs", civil_affairs.TABLES),
    System("health", health.TABLES),
    System("social_security", social_security.TABLES),
    System("marriage_registry", marriage_registry.TABLES),
    System("veterans", veterans.TABLES, veterans.write),
    System("enterprise_registry", enterprise_registry.TABLES, enterprise_registry.write),
    *(system for domain in DOMAINS for system in domain.systems),
)
TABLES: tuple[SourceTable, ...] = tuple(table for system in SYSTEMS for table in system.tables)
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
