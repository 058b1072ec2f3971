"""Excel ledgers: title rows, merged two-row headers, several sheets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from clinic import RESOURCE, Raw, source
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from ingestion.errors import IngestError
from ingestion.run import ingest_source

Write = Callable[..., Path]
COLUMNS = {
    "seq_no": "序号",
    "name": "姓名",
    "enlisted_on": "入伍信息/入伍时间",
    "enlisted_place": "入伍信息/入伍地",
    "discharged_on": "退役信息/退役时间",
    "remark": "备注",
}
NAMES = " ".join(COLUMNS)
SERVICE = "clinic__service"


def ledger(path: Path, **more: object) -> dict[str, Any]:
    columns = [{"name": name, "label": text, "source_name": text} for name, text in COLUMNS.items()]
    service = {"name": "service", "title": "服役", "columns": columns, "resource": RESOURCE, **more}
    container = {"type": "excel", "path": str(path.parent / "*.xlsx"), "note_rows": ["合计", "填表人"]}
    return source(container, service)


def add_sheet(book: Workbook, title: str, rows: list[list[Any]], *, enlisted: str = "入伍时间") -> Worksheet:
    sheet = book.create_sheet(title)
    sheet.append([f"{title}退役军人服务台账"])
    sheet.merge_cells("A1:F1")
    sheet.append(["填报单位：", None, None, "2026年"])
    sheet.append(["序号", "姓 名", "入伍信息", None, "退役信息", "备注"])
    sheet.append([None, None, enlisted, "入伍地", "退役\n时间", None])
    for area in ("A3:A4", "B3:B4", "C3:D3", "F3:F4"):
        sheet.merge_cells(area)
    for row in rows:
        sheet.append(row)
    return sheet


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "ledger"
    folder.mkdir()
    return folder / "台账.xlsx"


def save(book: Workbook, path: Path) -> None:
    book.remove(book.worksheets[0])
    book.save(path)


def test_a_ledger_lands_from_all_its_sheets(specs: Write, raw: Raw, file: Path) -> None:
    specs(ledger(file))
    book = Workbook()
    add_sheet(
        book,
        "芝罘区",
        [
            [1, "甲", "1980-10-01", "烟台", date(1984, 1, 1), None],
            [2.0, "乙", datetime.fromisoformat("1990-12-01 08:30"), None, "1994年1月", "注：见档案"],
            [None] * 6,
            [3, "甲", "1980-10-01", "烟台", date(1984, 1, 1), None],
            ["合 计", 3],
            [None, "填表人：某"],
        ],
    )
    add_sheet(book, "福山区", [[1, "甲", "1980-10-01", "烟台", date(1984, 1, 1), None]])
    book.create_sheet("空表")
    save(book, file)
    (load,) = ingest_source("clinic")
    assert (load.rows_read, load.rows_inserted, load.rows_quarantined) == (4, 4, 0)
    assert raw.current(SERVICE, NAMES) == [
        ("1", "甲", "1980-10-01", "烟台", "1984-01-01", None),
        ("1", "甲", "1980-10-01", "烟台", "1984-01-01", None),
        ("2", "乙", "1990-12-01 08:30:00", None, "1994年1月", "注：见档案"),
        ("3", "甲", "1980-10-01", "烟台", "1984-01-01", None),
    ]
    (again,) = ingest_source("clinic")
    assert (again.rows_inserted, again.rows_updated, again.rows_deleted) == (0, 0, 0)


def test_a_renamed_column_fails_with_both_names(specs: Write, file: Path) -> None:
    specs(ledger(file))
    book = Workbook()
    add_sheet(book, "芝罘区", [[1, "甲", "1980-10-01", "烟台", None, None]], enlisted="参军时间")
    save(book, file)
    with pytest.raises(
        IngestError,
        match=r"sheet 芝罘区: column 入伍信息/入伍时间 is missing; the source has 入伍信息/参军时间",
    ):
        ingest_source("clinic")


def test_a_value_outside_the_header_is_rejected(specs: Write, raw: Raw, file: Path) -> None:
    specs(ledger(file))
    book = Workbook()
    rows: list[list[Any]] = [[n, "甲", None, None, None, None] for n in range(1, 31)]
    rows[4].append("散")
    add_sheet(book, "芝罘区", rows)
    save(book, file)
    (load,) = ingest_source("clinic")
    assert (load.rows_inserted, load.rows_quarantined) == (29, 1)
    row = raw.conn.execute("select position, reason from ops.rejected_row where source = 'clinic'").fetchone()
    assert row is not None
    assert row[0].endswith("台账.xlsx, sheet 芝罘区, row 9")
    assert row[1] == "a value stands outside the header's columns"


@pytest.mark.parametrize("content", [b"not a workbook", b"PK\x03\x04broken"])
def test_a_file_that_is_no_workbook_is_explained(specs: Write, file: Path, content: bytes) -> None:
    specs(ledger(file))
    file.write_bytes(content)
    with pytest.raises(IngestError, match=r"台账\.xlsx is not a readable .xlsx workbook"):
        ingest_source("clinic")


def test_a_sheet_without_header_is_an_error(specs: Write, file: Path) -> None:
    specs(ledger(file))
    book = Workbook()
    add_sheet(book, "芝罘区", [[1, "甲", None, None, None, None]])
    book.create_sheet("别的").append(["说明", "见附件"])
    save(book, file)
    with pytest.raises(IngestError, match=r"sheet 别的: .* is missing"):
        ingest_source("clinic")


def test_two_workbooks_in_the_folder_are_an_error(specs: Write, file: Path) -> None:
    specs(ledger(file))
    for name in ("a.xlsx", "b.xlsx"):
        file.with_name(name).write_bytes(b"x")
    with pytest.raises(IngestError, match=r"several files match .*: a.xlsx, b.xlsx"):
        ingest_source("clinic")
