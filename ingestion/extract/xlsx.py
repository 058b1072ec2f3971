"""Workbooks of .xlsx read row by row: openpyxl's reading of cells, holding no row and few texts.

openpyxl itself keeps an element for each row and each shared text, and takes the size a sheet states for its
true one.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

from lxml import etree
from openpyxl import Workbook
from openpyxl.reader.excel import ExcelReader
from openpyxl.worksheet._read_only import ReadOnlyWorksheet
from openpyxl.worksheet._reader import FORMULA_TAG, ROW_TAG, VALUE_TAG, WorkSheetParser
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS

from huiliu.errors import DataError

MOST_TEXT = 64 << 20  # bytes of different texts, which are held in memory: a million of 60 bytes
LAST_ROW = 1_048_576  # Excel's own
UNCOMPUTED = object()  # the value of a formula that was never computed, as programs write them
_ITEM, _TEXT, _READING = (f"{{{SHEET_MAIN_NS}}}{name}" for name in ("si", "t", "rPh"))


@contextmanager
def opened(stream: BinaryIO, where: str) -> Iterator[Workbook]:
    """Open a workbook; whatever openpyxl makes of a broken one comes through."""
    reader = _Reader(stream, read_only=True, data_only=True, keep_links=False)
    reader.where = where
    reader.read()
    try:
        yield reader.wb
    finally:
        reader.wb.close()


def rows(sheet: ReadOnlyWorksheet) -> Iterator[Sequence[object]]:
    """Yield the cells of each row of an opened workbook's sheet, from the first row, empty ones too."""
    book = sheet.parent
    with sheet._get_source() as source:
        parser = _Cells(
            source,
            sheet._shared_strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        due = 1
        for row in _elements(source, ROW_TAG):
            number, cells = parser.parse_row(row)
            parser.row_dimensions.clear()
            if number > LAST_ROW:
                raise ValueError("a row lies beyond the last one")
            for _ in range(due, number):
                yield ()
            due = number + 1
            values: list[object] = [None] * max((cell["column"] for cell in cells), default=0)
            for cell in cells:
                values[cell["column"] - 1] = cell["value"]
            yield values


class _Reader(ExcelReader):  # type: ignore[misc]  # openpyxl has no types
    where: str

    def read_strings(self) -> None:
        part = self.package.find(SHARED_STRINGS)
        if part is not None:
            with self.archive.open(part.PartName[1:]) as source:
                self.shared_strings = _SharedStrings(source, self.where)


class _SharedStrings:
    """The texts of a workbook, all in one piece of memory."""

    def __init__(self, source: BinaryIO, where: str) -> None:
        self._held = bytearray()
        self._ends = array("Q", [0])
        for item in _elements(source, _ITEM):
            parts = [text.text or "" for text in item.iter(_TEXT) if text.getparent().tag != _READING]
            self._held += "".join(parts).replace("x005F_", "").encode()  # as openpyxl does
            self._ends.append(len(self._held))
            if len(self._held) > MOST_TEXT:
                raise DataError(
                    f"{where} holds more than {MOST_TEXT >> 20} MiB of different texts",
                    fix="ask for it as .csv, or in several files",
                )

    def __getitem__(self, place: int) -> str:
        if place < 0:
            raise IndexError(place)
        return self._held[self._ends[place] : self._ends[place + 1]].decode()


class _Cells(WorkSheetParser):  # type: ignore[misc]  # openpyxl has no types
    def parse_cell(self, element: etree._Element) -> dict[str, Any]:
        cell: dict[str, Any] = super().parse_cell(element)
        # An empty text that a formula gave is written as one.
        empty = element.get("t") == "str" and element.find(VALUE_TAG) is not None
        if cell["value"] is None and not empty and element.find(FORMULA_TAG) is not None:
            cell["value"] = UNCOMPUTED
        return cell


def _elements(source: BinaryIO, tag: str) -> Iterator[etree._Element]:
    """Yield each element of a name once it is whole; none is held longer than until the next."""
    reading = etree.iterparse(
        source, tag=tag, remove_comments=True, remove_pis=True, resolve_entities=False, no_network=True
    )
    for _, element in reading:
        yield element
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]
