"""Reading back what the sources hold, with plain libraries: nothing of the simulator's own reading."""

from __future__ import annotations

import csv
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
from psycopg.rows import dict_row

from huiliu.database import connect

Rows = dict[str, dict[str, str | None]]

KEYS = {
    ("police", "resident"): "resident_id",
    ("police", "household_member"): "member_id",
    ("police", "move"): "move_id",
    ("police", "cancellation"): "cancellation_id",
    ("civil_affairs", "assisted_household"): "case_no",
    ("civil_affairs", "assisted_person"): "assisted_person_id",
    ("civil_affairs", "subsidy_award"): "award_no",
    ("civil_affairs", "subsidy_payment"): "payment_id",
    ("health", "birth"): "certificate_no",
    ("health", "death"): "certificate_no",
    ("social_security", "insurance"): "insurance_id",
    ("social_security", "employment"): "employment_id",
    ("marriage_registry", "registration"): "registration_no",
    ("transport", "vehicle"): "vehicle_id",
    ("transport", "licence"): "licence_no",
    ("licence_register", "licence"): "licence_id",
    ("agriculture", "land_contract"): "contract_no",
    ("agriculture", "subsidy"): "subsidy_no",
    ("medical_insurance", "facility"): "facility_id",
    ("medical_insurance", "settlement"): "settlement_no",
    ("disabled_federation", "certificate"): "certificate_no",
    ("education", "school"): "school_id",
    ("education", "enrolment"): "enrolment_no",
    ("education", "degree"): "certificate_no",
}
LEDGER = "sources/veterans/退役军人服务台账.xlsx"
WATCH_LIST = "sources/rural_revitalisation/防返贫监测对象台账.xlsx"
WATCH_LIST_COLUMNS = (
    "person_no",
    "household_no",
    "name",
    "sex",
    "birth_date",
    "pid",
    "head_name",
    "district_name",
    "township_name",
    "village_code",
    "kind",
    "risk",
    "identified_on",
    "cleared_on",
)
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


def watch_list(home: Path) -> Rows:
    """Return the rows of the ledger of those watched against poverty, of all sheets, by 人员编号."""
    book = openpyxl.load_workbook(home / WATCH_LIST, read_only=True)
    lines = (line for sheet in book.worksheets for line in sheet.iter_rows(min_row=3, values_only=True))
    return {str(line[0]): dict(zip(WATCH_LIST_COLUMNS, line, strict=True)) for line in lines}


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
    for path in sorted((home / "truth").glob("*.parquet")):
        shown[f"truth/{path.name}"] = path.read_bytes()
    for file in (LEDGER, REGISTER, WATCH_LIST):
        shown[file] = (home / file).read_bytes()
    return shown
