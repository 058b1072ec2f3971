"""Consumers of packages: where each one's tables are and who reads them there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.conninfo import conninfo_to_dict

from huiliu import connections, regions
from returnflow.spec import Package


@dataclass(frozen=True)
class Consumer:
    """A township (9 digits), district (6) or city (4) with its schema in its front-end database."""

    code: str
    label: str
    level: str

    @property
    def front_code(self) -> str:
        """Code of the front-end database that serves it."""
        return regions.front_code(self.code)

    @property
    def schema(self) -> str:
        """Its own schema in that database."""
        return regions.front_schema(self.code)

    @property
    def reader(self) -> str:
        """The database role it reads with: the one its connection names."""
        name = f"front:{self.code}"
        own = connections.overridden(name)
        return str(conninfo_to_dict(own)["user"]) if own else connections.target(name).role

    def __str__(self) -> str:
        return f"{self.code} {self.label}"


def all_consumers() -> dict[str, Consumer]:
    """Return every consumer of the city by code."""
    known = regions.load()
    found = [Consumer(regions.consumer_code(it), known.label(it), it.level) for it in known.consumers]
    return {consumer.code: consumer for consumer in found}


def consumers_of(package: Package, codes: Sequence[str] | None = None) -> list[Consumer]:
    """Return the consumers of a package in the order of codes, narrowed to ``codes`` if given.

    Raises ConfigError if the city has no consumer of a given code.
    """
    for code in codes or ():
        regions.load().by_consumer_code(code)
    everyone = sorted(all_consumers().values(), key=lambda consumer: consumer.code)
    return [it for it in everyone if it.level in package.consumers and (not codes or it.code in codes)]
