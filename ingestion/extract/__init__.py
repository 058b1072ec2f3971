"""Reading a table of a source into the stage: one module a kind of container.

Each has `extract(spec, container, table, wanted, stage) -> Extracted`, which stages the wanted rows, and
`probe(spec, container, table) -> str`, which reaches the source, checks that the table is as the spec says
without reading its rows, and returns a line for the operator. Errors name the table and the fix. One whose
container can say what is newest has `newest(spec, container, since)` as well (ingestion/newest.py).
"""

from __future__ import annotations

from importlib import import_module

from ingestion.records import Extracted, Wanted
from ingestion.spec import SourceSpec, TableSpec
from ingestion.stage import Stage

# Drivers are slow to import: only the one that is needed is.
_MODULES = {
    "postgres": "postgres",
    "mysql": "mysql",
    "sql": "sql_database",
    "http_api": "http_api",
    "exchange": "exchange",
    "csv": "csv_file",
    "excel": "excel",
    "json": "json_file",
    "xml": "xml_file",
    "fixed_width": "fixed_width",
}


def module_of(spec: SourceSpec) -> str:
    """Return the module that reads a source's kind of container."""
    return f"ingestion.extract.{_MODULES[spec.container.type]}"


def extract(spec: SourceSpec, table: TableSpec, wanted: Wanted, stage: Stage) -> Extracted:
    """Stage the wanted rows of a table."""
    module = import_module(module_of(spec))
    extracted: Extracted = module.extract(spec, spec.container, table, wanted, stage)
    return extracted


def probe(spec: SourceSpec, table: TableSpec) -> str:
    """Reach a table of a source and check it against its spec, loading nothing; return what was found."""
    module = import_module(module_of(spec))
    return str(module.probe(spec, spec.container, table))
