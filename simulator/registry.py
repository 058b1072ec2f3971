"""Every system there is and every table it shows: those of people's own life and those of the domains."""

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
_BY_NAME = {table.full_name: table for table in TABLES}
if len({table.number for table in TABLES}) != len(TABLES):
    raise ValueError("two source tables have one number: rename one")


def by_name(source: str, name: str) -> SourceTable:
    """Return a source table; KeyError if there is none."""
    return _BY_NAME[f"{source}.{name}"]
