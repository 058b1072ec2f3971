"""Excel ledgers: title rows, merged two-row headers, several sheets, old kinds and names that lie."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
import xlwt
from clinic import RESOURCE, Raw, source
from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from ingestion import file_streams
from ingestion.errors import IngestError
from ingestion.extract import probe, xlsx
from ingestion.run import ingest_source
from ingestion.spec import load_spec

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


def plain_sheet(book: Workbook, rows: list[list[Any]]) -> None:
    """Add a sheet; an empty row is one of formatted empty cells."""
    sheet = book.create_sheet()
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row, start=1):
            sheet.cell(number, column, value)
        if not row:
            sheet.cell(number, 1).font = Font(bold=True)


WITHOUT_HEADER: dict[str, list[list[Any]]] = {
    "an empty row below": [["编号", "名字"], [1, "甲"], []],
    "a header far below a title": [["说明"], *[[] for _ in range(24)], ["序号", "姓名"], [1, "甲"]],
    "records far below": [*[[] for _ in range(25)], ["序号", "姓名"], [1, "甲"]],
}


@pytest.mark.parametrize("what", WITHOUT_HEADER)
def test_a_sheet_whose_header_is_not_found_is_never_passed_over(
    specs: Write, raw: Raw, file: Path, what: str
) -> None:
    specs(ledger(file))
    book = Workbook()
    add_sheet(book, "芝罘区", [[1, "甲", None, None, None, None]])
    plain_sheet(book, WITHOUT_HEADER[what])
    save(book, file)
    with pytest.raises(IngestError, match=r"sheet .*: column .* is missing"):
        ingest_source("clinic")
    assert raw.current(SERVICE, NAMES) == []


def test_a_formula_that_was_never_computed_rejects_its_row(specs: Write, raw: Raw, file: Path) -> None:
    specs(ledger(file, max_reject_share=0.1))
    book = Workbook()
    rows: list[list[Any]] = [[n, "甲", None, None, None, None] for n in range(1, 31)]
    rows[4][1] = '="a"&"b"'
    rows[7] = ["=1+1", *[None] * 5]
    add_sheet(book, "芝罘区", [*rows, ["合计", "=1+1"]])
    save(book, file)
    (load,) = ingest_source("clinic")
    assert (load.rows_inserted, load.rows_quarantined) == (28, 2)
    row = raw.conn.execute("select reason from ops.rejected_row where source = 'clinic'").fetchone()
    assert row is not None
    assert row[0].startswith("holds a formula whose value was not saved")


def test_a_formula_that_gave_an_empty_text_is_empty(specs: Write, raw: Raw, file: Path) -> None:
    specs(ledger(file))
    book = Workbook()
    add_sheet(book, "芝罘区", [[1, "甲", '=IF(1,"","x")', None, None, None]])
    save(book, file)
    given = rb'<c r="C5" t="str"><f>0</f><v></v></c>'
    change(file, SHEET, lambda text: re.sub(rb'<c r="C5">.*?</c>', given, text))
    (load,) = ingest_source("clinic")
    assert (load.rows_inserted, load.rows_quarantined) == (1, 0)


def change(file: Path, part: str, how: Callable[[bytes], bytes]) -> None:
    """Write a workbook anew with one of its parts changed."""
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = how(parts[part])
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def save_with_shared_texts(file: Path, rows: int) -> None:
    """Write a workbook as Excel does: its texts stand apart, and rows have a height."""
    lines: list[list[Any]] = [
        ["序号", "姓名", "入伍信息", None, "退役信息", "备注"],
        [None, None, "入伍时间", "入伍地", "退役时间", None],
        *([n, f"姓名{n}", None, None, None, f"备注{n}"] for n in range(rows)),
    ]
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet("芝罘区")
        for number, line in enumerate(lines):
            sheet.write_row(number, 0, line)
            sheet.set_row(number, 20)


SHEET, STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
BROKEN_PARTS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("xl/workbook.xml", lambda text: text[: len(text) // 2]),
    ("xl/styles.xml", lambda text: text.replace(b"patternFill", b"oddFill")),
    ("xl/styles.xml", lambda text: text[: len(text) // 2]),
    (SHEET, lambda text: re.sub(rb't="s"><v>\d+</v>', b't="s"><v>9999</v>', text)),
    (SHEET, lambda text: re.sub(rb't="s"><v>\d+</v>', b't="s"><v>-1</v>', text)),
    (SHEET, lambda text: text.replace(b'<row r="5"', b'<row r="9999999999"')),
    (SHEET, lambda text: text[: len(text) // 2]),
    (STRINGS, lambda text: text[: len(text) // 2]),
]


@pytest.mark.parametrize(("part", "how"), BROKEN_PARTS)
def test_a_workbook_that_is_broken_inside_is_explained(
    specs: Write, raw: Raw, file: Path, part: str, how: Callable[[bytes], bytes]
) -> None:
    specs(ledger(file))
    save_with_shared_texts(file, 30)
    change(file, part, how)
    with pytest.raises(IngestError, match=r"is not a readable \.xlsx workbook|breaks off"):
        ingest_source("clinic")
    assert raw.current(SERVICE, NAMES) == []


def test_texts_and_rows_of_a_workbook_are_not_held(
    specs: Write, raw: Raw, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs(ledger(file))
    save_with_shared_texts(file, 20_000)
    before = resident()
    (load,) = ingest_source("clinic")
    assert load.rows_inserted == 20_000
    assert resident() - before < 40 << 20
    monkeypatch.setattr(xlsx, "MOST_TEXT", 1 << 18)
    with pytest.raises(IngestError, match="MiB of different texts"):
        ingest_source("clinic")


def resident() -> int:
    """The most memory this process ever held, in bytes."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) << 10


def test_two_workbooks_in_the_folder_are_an_error(specs: Write, file: Path) -> None:
    specs(ledger(file))
    for name in ("a.xlsx", "b.xlsx"):
        file.with_name(name).write_bytes(b"x")
    with pytest.raises(IngestError, match=r"several files match .*: a.xlsx, b.xlsx"):
        ingest_source("clinic")


# Old workbooks, and files whose names lie ------------------------------------------------------------------

ROWS: list[list[Any]] = [
    [1, "甲", date(1980, 10, 1), "烟台", "1984年1月", 12.5],
    [2, "乙", datetime.fromisoformat("1990-12-01 08:30"), None, None, 0.1 + 0.2],
    ["合 计", 2],
]
LANDED = [
    ("1", "甲", "1980-10-01", "烟台", "1984年1月", "12.5"),
    ("2", "乙", "1990-12-01 08:30:00", None, None, "0.3"),
]


def save_xls(path: Path, rows: list[list[Any]], *more: str) -> None:
    """Write an old workbook (BIFF8) with a title, a merged two-row header and a hidden sheet."""
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("芝罘区")
    sheet.write_merge(0, 0, 0, 5, "芝罘区退役军人服务台账")
    for column, name in {0: "序号", 1: "姓 名", 5: "备注"}.items():
        sheet.write_merge(1, 2, column, column, name)
    sheet.write_merge(1, 1, 2, 3, "入伍信息")
    for (row, column), name in {
        (2, 2): "入伍时间",
        (2, 3): "入伍地",
        (1, 4): "退役信息",
        (2, 4): "退役时间",
    }.items():
        sheet.write(row, column, name)
    for column, name in enumerate(more, start=6):
        sheet.write_merge(1, 2, column, column, name)
    day, moment = (xlwt.easyxf(num_format_str=form) for form in ("YYYY-MM-DD", "YYYY-MM-DD HH:MM"))
    for number, values in enumerate(rows, start=3):
        for column, value in enumerate(values):
            style = moment if isinstance(value, datetime) else day if isinstance(value, date) else None
            sheet.write(number, column, value, *([style] if style else []))
    hidden = book.add_sheet("底稿")
    hidden.visibility = 1
    hidden.write(0, 0, "x")
    book.save(str(path))


def any_ledger(file: Path, **more: object) -> dict[str, Any]:
    spec = ledger(file, **more)
    spec["container"]["path"] = str(file.parent / "*.xls*")
    return spec


def test_an_old_workbook_lands_like_a_new_one(specs: Write, raw: Raw, file: Path) -> None:
    spec = load_spec(specs(any_ledger(file)))
    save_xls(file.with_suffix(".xls"), ROWS)
    (load,) = ingest_source("clinic")
    assert load.notice == "hidden sheet 底稿 was left out"
    assert raw.current(SERVICE, NAMES) == LANDED
    assert probe(spec, spec.tables[0]) == "台账.xls: 1 sheets, 6 columns"
    file.with_suffix(".xls").unlink()
    book = Workbook()
    add_sheet(book, "芝罘区", ROWS)
    save(book, file)
    (again,) = ingest_source("clinic")
    assert (again.rows_inserted, again.rows_updated, again.rows_deleted) == (0, 0, 0)


def test_an_old_workbook_that_is_broken_inside_is_explained(specs: Write, raw: Raw, file: Path) -> None:
    specs(any_ledger(file))
    old = file.with_suffix(".xls")
    save_xls(old, [[n, "甲", None, None, None, None] for n in range(300)])
    whole = old.read_bytes()
    for length in (2000, len(whole) // 2, len(whole) - 1000):  # the last makes its reader panic
        old.write_bytes(whole[:length])
        with pytest.raises(IngestError, match=r"is not a readable \.xls workbook|breaks off|is missing"):
            ingest_source("clinic")
    assert raw.current(SERVICE, NAMES) == []


def page(rows: list[list[str]]) -> str:
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return (
        "<html><head><meta charset='gbk'></head><table><tr><td colspan=6>台账</td></tr>"
        "<tr><th rowspan=2>序号</th><th rowspan=2>姓名</th><th colspan=2>入伍信息</th><th>退役信息</th>"
        "<th rowspan=2>备注</th></tr><tr><th>入伍时间</th><th>入伍地</th><th>退役时间</th></tr>"
        f"{body}</table>"
    )


def test_a_workbook_is_read_by_its_content_and_not_its_name(specs: Write, raw: Raw, file: Path) -> None:
    specs(any_ledger(file))
    lying = file.with_suffix(".xls")
    book = Workbook()
    add_sheet(book, "芝罘区", ROWS)
    save(book, lying)
    ingest_source("clinic")
    assert raw.current(SERVICE, NAMES) == LANDED
    texts = [
        ["1", "甲", "1980-10-01", "烟台", "1984年1月", "12.5"],
        ["2", "乙", "1990-12-01 08:30:00", "", "", "0.3"],
    ]
    lines = [
        ["序号", "姓名", "入伍信息", "", "退役信息", "备注"],
        ["", "", "入伍时间", "入伍地", "退役时间", ""],
        *texts,
    ]
    contents = {
        "a web page": page(texts).encode("gbk"),
        "tabs in UTF-16": "\r\n".join("\t".join(line) for line in lines).encode("utf-16"),
        "commas in GBK": "\r\n".join(",".join(line) for line in lines).encode("gbk"),
    }
    for content in contents.values():
        lying.write_bytes(content)
        (load,) = ingest_source("clinic")
        assert (load.rows_read, load.rows_inserted, load.rows_updated, load.rows_deleted) == (2, 0, 0, 0)


NO_WORKBOOKS = [
    (b"%PDF-1.7", "its content is a document or archive of another kind"),
    (
        b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>',
        "spreadsheet of 2003",
    ),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "is not a readable .xls workbook"),
    (bytes(range(256)), "is not a readable .xlsx workbook; its content is unknown"),
    ("只有一句话".encode("gbk"), "its content is a text"),
]


@pytest.mark.parametrize(("content", "message"), NO_WORKBOOKS)
def test_what_is_no_workbook_is_named(specs: Write, file: Path, content: bytes, message: str) -> None:
    specs(ledger(file))
    file.write_bytes(content)
    with pytest.raises(IngestError, match=message):
        ingest_source("clinic")


def test_a_new_column_is_kept(specs: Write, raw: Raw, file: Path) -> None:
    specs(any_ledger(file))
    save_xls(file.with_suffix(".xls"), [[1, "甲", None, None, None, None, "13800000000"]], "手机")
    (load,) = ingest_source("clinic")
    assert raw.current(SERVICE, "seq_no _extra") == [("1", '{"手机": "13800000000"}')]
    assert load.notice is not None
    assert "手机" in load.notice


def test_a_workbook_that_breaks_off_lands_nothing(specs: Write, raw: Raw, file: Path) -> None:
    specs(ledger(file))
    book = Workbook()
    add_sheet(book, "芝罘区", [[n, "甲", None, None, None, None] for n in range(20_000)])
    save(book, file)
    good = file.read_bytes()
    with zipfile.ZipFile(file) as archive:
        sheet = archive.getinfo("xl/worksheets/sheet1.xml")
    start = sheet.header_offset + sheet.compress_size // 2
    file.write_bytes(good[:start] + bytes(500) + good[start + 500 :])
    with pytest.raises(IngestError, match=r"sheet 芝罘区 breaks off"):
        ingest_source("clinic")
    assert raw.current(SERVICE, NAMES) == []


def test_a_workbook_made_to_swell_is_refused(
    specs: Write, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_streams, "HARMLESS", 1 << 20)
    specs(ledger(file))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", b"<si>" * (1 << 20))
    with pytest.raises(IngestError, match="unpacks to more than 250 times its size"):
        ingest_source("clinic")


def test_a_ledger_in_an_archive_lands(specs: Write, raw: Raw, file: Path) -> None:
    spec = ledger(file)
    spec["container"]["path"] = str(file.parent / "*.zip")
    specs(spec)
    save_xls(file.parent / "a.xls", ROWS)
    with zipfile.ZipFile(file.with_suffix(".zip"), "w") as archive:
        archive.write(file.parent / "a.xls", "台账.xls")
    ingest_source("clinic")
    assert raw.current(SERVICE, NAMES) == LANDED
