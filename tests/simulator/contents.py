"""Reading back what the sources hold, with plain libraries: nothing of the simulator's own reading."""

from __future__ import annotations

import csv
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
from psycopg.rows import dict_row

from huiliu.database import connect
from tests.simulator import files_of_sources

Rows = dict[str, dict[str, str | None]]

KEYS = files_of_sources.keyed(databases=True)
FILE_KEYS = files_of_sources.keyed(databases=False)
LEDGER = "sources/veterans/退役军人服务台账.xlsx"
REGISTER = "sources/enterprise_registry/enterprises.csv"
LEDGER_COLUMNS = (
    "seq_no",
    "name",
    "pid",
    "sex",
    "birth_date",
    "enlisted_on",
    "enlisted_place",
    "discharged_on",
    "discharge_kind",
    "unit_code",
    "district_name",
    "township_name",
    "phone",
    "remark",
)


def table(source: str, name: str) -> Rows:
    """Return the rows of a source table by their key, as text, read with the reader's rights."""
    key = KEYS[source, name]
    with connect(f"source:{source}") as conn, conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(f"select * from {name}").fetchall()  # noqa: S608 - names from KEYS
    return {str(row[key]): {k: None if v is None else str(v) for k, v in row.items()} for row in rows}


def ledger(home: Path) -> dict[str, Rows]:
    """Return the veterans' ledger: sheet -> rows by 序号."""
    book = openpyxl.load_workbook(home / LEDGER, read_only=True)
    sheets = {}
    for sheet in book.worksheets:
        rows = [
            dict(zip(LEDGER_COLUMNS, row, strict=True))
            for row in sheet.iter_rows(min_row=5, values_only=True)
        ]
        sheets[sheet.title] = {str(row["seq_no"]): row for row in rows}
    return sheets


def file_table(home: Path, source: str, name: str) -> Rows:
    """Return the rows of a table in files by their key; of a row appended twice the later one."""
    key = FILE_KEYS[source, name]
    return {str(row[key]): row for row in files_of_sources.read(home, source, name)}


def register(home: Path) -> list[dict[str, str]]:
    """Return the rows of the enterprise register."""
    with (home / REGISTER).open(encoding="gb18030", newline="") as file:
        return list(csv.DictReader(file))


def truth(home: Path, name: str) -> list[dict[str, object]]:
    """Return the rows of a truth table."""
    return pq.read_table(home / "truth" / f"{name}.parquet").to_pylist()


def fingerprint(home: Path) -> dict[str, object]:
    """Return everything a city shows: rows of every source table, and the bytes of truth and file sources."""
    shown: dict[str, object] = {f"{source}.{name}": table(source, name) for source, name in KEYS}
    files = [*home.glob("truth/*.parquet"), *(it for it in home.glob("sources/**/*") if it.is_file())]
    return shown | {str(path.relative_to(home)): path.read_bytes() for path in files}
