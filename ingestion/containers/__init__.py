"""How sources are reached: one model a kind of container, told apart by `type`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ingestion.containers.databases import MysqlContainer, PostgresContainer, SqlContainer
from ingestion.containers.exchange import ExchangeContainer
from ingestion.containers.files import (
    CsvContainer,
    ExcelContainer,
    FixedWidthContainer,
    JsonContainer,
    XmlContainer,
)
from ingestion.containers.http import HttpApiContainer

Container = Annotated[
    PostgresContainer
    | MysqlContainer
    | SqlContainer
    | HttpApiContainer
    | ExchangeContainer
    | ExcelContainer
    | CsvContainer
    | JsonContainer
    | XmlContainer
    | FixedWidthContainer,
    Field(discriminator="type"),
]
