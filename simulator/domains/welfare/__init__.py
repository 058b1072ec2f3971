"""Welfare: certificates of disabled persons, and the ledger that watches who may fall back into poverty."""

from __future__ import annotations

from simulator.domains.domain import Domain
from simulator.domains.welfare.life import NAME, SCHEMA, change, found
from simulator.domains.welfare.offices import SYSTEMS, truth

DOMAIN = Domain(NAME, SCHEMA, found, change, SYSTEMS, truth)
