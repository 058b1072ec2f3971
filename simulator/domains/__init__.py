"""The domains of the city's life beyond people's own, one module each."""

from __future__ import annotations

from simulator.domains import (
    archive,
    economy,
    forgotten,
    funerals,
    land,
    licences,
    medicine,
    schooling,
    terrain,
    transport,
    welfare,
)
from simulator.domains.domain import Domain
from simulator.domains.property import DOMAIN as PROPERTY
from simulator.state import SCHEMA, Schema

# In the order in which they are founded: a domain may look at those before it.
DOMAINS: tuple[Domain, ...] = (
    forgotten.DOMAIN,
    archive.DOMAIN,
    funerals.DOMAIN,
    medicine.DOMAIN,
    welfare.DOMAIN,
    schooling.DOMAIN,
    economy.DOMAIN,
    terrain.DOMAIN,
    transport.DOMAIN,
    land.DOMAIN,
    licences.DOMAIN,
    PROPERTY,
)


def schema() -> Schema:
    """Return every truth table of the city: people's own and the domains'."""
    tables = dict(SCHEMA)
    for domain in DOMAINS:
        if clash := tables.keys() & domain.schema.keys():
            raise ValueError(f"domain {domain.name} repeats the tables {sorted(clash)}")
        tables.update(domain.schema)
    return tables
