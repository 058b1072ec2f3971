"""A department's correction list as files for people: a workbook and a CSV with the same rows."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from huiliu.settings import get_settings
from soda_checks.correction_columns import COLUMNS

ROWS_A_SHEET = 1_000_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_files(department: str, day: date, rows: Iterable[tuple[Any, ...]]) -> Path:
    """Write both files whole or not at all; return the workbook's path. Again, it replaces them."""
    folder = get_settings().home / "outbox" / "corrections" / department
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"纠错清单_{department}_{day:%Y-%m-%d}"
    book, text = folder / f".{name}.xlsx.draft", folder / f".{name}.csv.draft"
    try:
        _write(book, text, department, day, rows)
        text.replace(folder / f"{name}.csv")
        return book.replace(folder / f"{name}.xlsx")
    finally:
        book.unlink(missing_ok=True)
        text.unlink(missing_ok=True)


def _write(book: Path, text: Path, department: str, day: date, rows: Iterable[tuple[Any, ...]]) -> None:
    with (
        # The mark at the beginning tells spreadsheet programs the encoding.
        text.open("w", encoding="utf-8-sig", newline="") as file,
        xlsxwriter.Workbook(book, {"constant_memory": True}) as workbook,
    ):
        workbook.set_properties({"title": f"{department}纠错清单", "created": datetime.combine(day, time())})
        lines = csv.writer(file)
        lines.writerow([column.heading for column in COLUMNS])
        bold = workbook.add_format({"bold": True})
        sheet = _add_sheet(workbook, bold)
        for number, row in enumerate(rows):
            values = [_shown(value) for value in row]
            lines.writerow([_no_formula(value) for value in values])
            place = number % ROWS_A_SHEET
            if number and not place:
                sheet = _add_sheet(workbook, bold)
            for column, value in enumerate(values):
                if isinstance(value, int):
                    sheet.write_number(place + 1, column, value)
                elif value:
                    sheet.write_string(place + 1, column, value)


def _add_sheet(workbook: xlsxwriter.Workbook, bold: Format) -> Worksheet:
    sheet = workbook.add_worksheet(f"纠错清单{len(workbook.worksheets()) or ''}")
    for number, column in enumerate(COLUMNS):
        sheet.set_column(number, number, column.width)
        sheet.write_string(0, number, column.heading, bold)
    sheet.freeze_panes(1, 0)
    return sheet


def _shown(value: object) -> int | str:
    if isinstance(value, int):
        return value
    return "" if value is None else str(value)


def _no_formula(value: int | str) -> int | str:
    """A text that a spreadsheet would take for a formula is marked as a text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) and len(value) > 1 else value
