"""Reading the sources' files with plain libraries, told what they look like by the sources' descriptions."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
import yaml

from huiliu.settings import PROJECT_ROOT
from simulator.registry import SYSTEMS

Row = dict[str, str | None]
Spec = dict[str, Any]
_SIMULATED = {system.name for system in SYSTEMS}
DATABASES = ("postgres", "http_api")
SPECS: list[Spec] = [
    yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((PROJECT_ROOT / "ingestion/sources").glob("*.yml"))
]


def keyed(*, databases: bool) -> dict[tuple[str, str], str]:
    """Return the keys of simulated tables that have one, by source and table: in databases or in files."""
    return {
        (spec["name"], table["name"]): table["key"][0]
        for spec in SPECS
        if (spec["container"]["type"] in DATABASES) == databases and spec["name"] in _SIMULATED
        for table in spec["tables"]
        if "key" in table
    }


def read(home: Path, source: str, name: str) -> list[Row]:
    """Return the rows of a table in files, in the order written, with null for what is empty or left out."""
    spec = next(spec for spec in SPECS if spec["name"] == source)
    table = next(table for table in spec["tables"] if table["name"] == name)
    container = spec["container"]
    pattern = str(table.get("at_source") or container["path"]).format(home="", table=name).lstrip("/")
    return [
        {
            column["name"]: record.get(column.get("source_name", column["name"])) or None
            for column in table["columns"]
        }
        for path in sorted(home.glob(pattern))
        for record in _READERS[container["type"]](path, container, table["columns"])
    ]


def _csv(path: Path, container: Spec, columns: list[Spec]) -> Iterator[Row]:
    with path.open(encoding=container.get("encoding", "utf-8"), newline="") as file:
        yield from csv.DictReader(file)


def _json(path: Path, container: Spec, columns: list[Spec]) -> Iterable[Row]:
    rows: list[Row] = json.loads(path.read_text(encoding="utf-8"))[container["records"]]
    return rows


def _xml(path: Path, container: Spec, columns: list[Spec]) -> Iterator[Row]:
    root = ElementTree.parse(path).getroot()  # noqa: S314 - the simulator's own file
    for element in root.iter(container["record"]):
        yield {cell.tag: cell.text for cell in element}


def _fixed_width(path: Path, container: Spec, columns: list[Spec]) -> Iterator[Row]:
    """Cells are padded with spaces of one byte, unlike the wide ones that are faults."""
    ends = list(accumulate((column["width"] for column in columns), initial=0))
    for line in path.read_bytes().splitlines():
        cells = [line[start:end].rstrip(b" ").decode(container["encoding"]) for start, end in pairwise(ends)]
        yield dict(zip((column["name"] for column in columns), cells, strict=True))


def _excel(path: Path, container: Spec, columns: list[Spec]) -> Iterator[Row]:
    """Rows stand below the line of titles, on every sheet."""
    first = columns[0]["source_name"]
    for sheet in openpyxl.load_workbook(path, read_only=True).worksheets:
        lines = iter(sheet.iter_rows(values_only=True))
        titles = next(line for line in lines if line[0] == first)
        yield from (dict(zip(titles, line, strict=True)) for line in lines)


_READERS: dict[str, Callable[[Path, Spec, list[Spec]], Iterable[Row]]] = {
    "csv": _csv,
    "json": _json,
    "xml": _xml,
    "fixed_width": _fixed_width,
    "excel": _excel,
}
