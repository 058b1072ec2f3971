"""Databases: read through the connection `source:<source name>`, with a role that may only read."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field

from ingestion.containers.capabilities import Capabilities, ContainerModel

_DATABASE = Capabilities(changes=True, days=True, reconciles=True, repeats=False, manifest="table")


class PostgresContainer(ContainerModel):
    """A PostgreSQL database; `timeout_seconds` bounds each of its statements."""

    can: ClassVar[Capabilities] = replace(_DATABASE, newest=True)

    type: Literal["postgres"]
    db_schema: str = Field(default="public", alias="schema")
    timeout_seconds: float = Field(default=1800, gt=0)


class MysqlContainer(ContainerModel):
    """A MySQL or MariaDB database; `timeout_seconds` bounds each of its statements."""

    can: ClassVar[Capabilities] = _DATABASE

    type: Literal["mysql"]
    timeout_seconds: float = Field(default=1800, gt=0)


class SqlContainer(ContainerModel):
    """Any other database that SQLAlchemy has a driver for (SQL Server, Oracle, 达梦, SQLite…)."""

    can: ClassVar[Capabilities] = _DATABASE

    type: Literal["sql"]
    db_schema: str | None = Field(default=None, alias="schema")
    timeout_seconds: float = Field(default=1800, gt=0)
