"""How sources are reached: one model a kind of container, told apart by `type`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ingestion.containers.databases import PostgresContainer
from ingestion.containers.files import CsvContainer, ExcelContainer
from ingestion.containers.http import HttpApiContainer

Container = Annotated[
    PostgresContainer | HttpApiContainer | ExcelContainer | CsvContainer, Field(discriminator="type")
]
