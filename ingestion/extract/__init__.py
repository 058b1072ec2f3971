"""Reading a table of a source into the stage: one module a kind of container."""

from __future__ import annotations

from ingestion.records import Extracted
from ingestion.spec import (
    CsvContainer,
    ExcelContainer,
    HttpApiContainer,
    PostgresContainer,
    SourceSpec,
    TableSpec,
)
from ingestion.stage import Stage


def extract(spec: SourceSpec, table: TableSpec, since: str | None, stage: Stage) -> Extracted:
    """Stage the rows of a table changed since a watermark (None: all). Errors name the table and the fix."""
    match spec.container:
        case PostgresContainer():
            from ingestion.extract import postgres

            return postgres.extract(spec, spec.container, table, since, stage)
        case HttpApiContainer():
            from ingestion.extract import http_api

            return http_api.extract(spec, spec.container, table, since, stage)
        case ExcelContainer():
            from ingestion.extract import excel

            return excel.extract(spec, spec.container, table, stage)
        case CsvContainer():
            from ingestion.extract import csv_file

            return csv_file.extract(spec, spec.container, table, stage)
