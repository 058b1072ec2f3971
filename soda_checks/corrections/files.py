"""A department's correction list as files for people: a workbook and a CSV with the same rows."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from hashlib import sha256
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.worksheet import Worksheet

from huiliu.settings import get_settings
from soda_checks.corrections.columns import COLUMNS

ROWS_A_SHEET = 1_000_000
NOTHING = "本期无待更正记录"
LONGEST_NAME = 180
"""Bytes of a department's name in the name of a file, which may have 255."""
_UNSAFE = re.compile(r'[\x00-\x1f/\\:*?"<>|]')
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Cell = int | date | str


def write_files(department: str, day: date, rows: Iterable[tuple[Any, ...]]) -> Path:
    """Write both files whole or not at all; return the workbook's path. Again, it replaces them."""
    called = file_name(department)
    folder = get_settings().home / "outbox" / "corrections" / called
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"纠错清单_{called}_{day:%Y-%m-%d}"
    # Drafts of the same name every day: what a killed run left, the next one takes away.
    book, text = folder / ".draft.xlsx", folder / ".draft.csv"
    try:
        _write(book, text, department, day, rows)
        text.replace(folder / f"{name}.csv")
        return book.replace(folder / f"{name}.xlsx")
    except FileCreateError as error:
        raise OSError(*error.args[0].args) from error
    finally:
        book.unlink(missing_ok=True)
        text.unlink(missing_ok=True)


def file_name(department: str) -> str:
    """A department's name as a file may be called: one that is altered for it gets a hash: no two meet."""
    safe = _UNSAFE.sub("_", department).strip(" .")
    short = safe.encode()[:LONGEST_NAME].decode(errors="ignore")
    return short if short == department else f"{short}_{sha256(department.encode()).hexdigest()[:8]}"


def _write(book: Path, text: Path, department: str, day: date, rows: Iterable[tuple[Any, ...]]) -> None:
    with (
        # The mark at the beginning tells spreadsheet programs the encoding.
        text.open("w", encoding="utf-8-sig", newline="") as file,
        xlsxwriter.Workbook(book, {"constant_memory": True}) as workbook,
    ):
        workbook.set_properties({"title": f"{department}纠错清单", "created": datetime.combine(day, time())})
        lines = csv.writer(file)
        lines.writerow([column.heading for column in COLUMNS])
        sheets = _Sheets(workbook)
        for cells in _lines(rows):
            lines.writerow([_no_formula(cell) for cell in cells])
            sheets.add(cells)
        sheets.end()


def _lines(rows: Iterable[tuple[Any, ...]]) -> Iterator[list[Cell]]:
    """Each row's cells; a list without rows says that it has none, as silence could mean anything."""
    is_empty = True
    for row in rows:
        is_empty = False
        yield ["" if value is None else value for value in row]
    if is_empty:
        yield [NOTHING, *[""] * (len(COLUMNS) - 1)]


class _Sheets:
    """Sheets of a workbook with a heading that stays in view and filters, each as long as a sheet may be."""

    def __init__(self, workbook: xlsxwriter.Workbook) -> None:
        self._workbook = workbook
        self._bold = workbook.add_format({"bold": True})
        self._day = workbook.add_format({"num_format": "yyyy-mm-dd", "align": "left"})
        self._begin()

    def add(self, cells: Iterable[Cell]) -> None:
        """Write the next row."""
        if self._rows == ROWS_A_SHEET:
            self.end()
            self._begin()
        self._rows += 1
        for column, cell in enumerate(cells):
            if isinstance(cell, int):
                self._sheet.write_number(self._rows, column, cell)
            elif isinstance(cell, date):
                self._sheet.write_datetime(self._rows, column, cell, self._day)
            elif cell:
                self._sheet.write_string(self._rows, column, cell)

    def end(self) -> None:
        """Let the sheet be filtered by each of its columns."""
        self._sheet.autofilter(0, 0, self._rows, len(COLUMNS) - 1)

    def _begin(self) -> None:
        self._rows = 0
        self._sheet: Worksheet = self._workbook.add_worksheet(
            f"纠错清单{len(self._workbook.worksheets()) or ''}"
        )
        for number, column in enumerate(COLUMNS):
            self._sheet.set_column(number, number, column.width)
            self._sheet.write_string(0, number, column.heading, self._bold)
        self._sheet.freeze_panes(1, 0)


def _no_formula(cell: Cell) -> Cell:
    """A text that a spreadsheet would take for a formula is marked as a text."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) and len(cell) > 1 else cell
