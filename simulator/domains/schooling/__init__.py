"""Schooling: schools, who is on which roll, and the degrees of adults (province)."""

from __future__ import annotations

from simulator.domains.domain import Domain
from simulator.domains.schooling.life import NAME, SCHEMA, change, found
from simulator.domains.schooling.roll import SYSTEMS, truth

DOMAIN = Domain(NAME, SCHEMA, found, change, SYSTEMS, truth)
