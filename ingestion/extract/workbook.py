"""Workbooks read by their content, as names lie: .xlsx, old .xls, and web pages or texts named .xls."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from lxml import etree, html
from openpyxl.utils.exceptions import InvalidFileException
from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetVisibleEnum

from huiliu.errors import DataError
from ingestion import file_streams
from ingestion.extract import xlsx

Cells = Sequence[object]
LARGEST_IN_MEMORY = 32 << 20  # bytes of the kinds that can't be streamed; an .xls of 65,536 rows is below
# What readers raise on workbooks that are broken inside: they check little, and stumble over the rest.
_BROKEN = (
    InvalidFileException,
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    NotImplementedError,
    RuntimeError,
    CalamineError,
)
_SPREADSHEET_XML = b"urn:schemas-microsoft-com:office:spreadsheet"


@dataclass(frozen=True)
class Sheet:
    """A sheet; `rows` reads it from its first row."""

    title: str
    visible: bool
    rows: Callable[[], Iterator[Cells]]


@contextmanager
def opened(stream: BinaryIO, where: str) -> Iterator[Sequence[Sheet]]:
    """Open a workbook, whatever it truly is; DataError says what it is if it is none."""
    start = stream.read(2048)
    stream.seek(0)
    if start.startswith(b"PK\x03\x04"):
        with _open_xlsx(stream, where) as sheets:
            yield sheets
        return
    stream.seek(0, io.SEEK_END)
    if stream.tell() > LARGEST_IN_MEMORY:
        raise DataError(
            f"{where} is too large for its kind ({stream.tell() >> 20} MiB)",
            fix="ask for it as .xlsx or .csv",
        )
    stream.seek(0)
    if start.startswith(b"\xd0\xcf\x11\xe0") or start[:2] in (b"\x09\x02", b"\x09\x04", b"\x09\x08"):
        yield _open_xls(stream, where)
    else:
        yield [Sheet("1", True, lambda: iter(_rows_of_text(stream.read(), where)))]


@contextmanager
def _open_xlsx(stream: BinaryIO, where: str) -> Iterator[Sequence[Sheet]]:
    with ExitStack() as stack:
        with _explained(where, "is not a readable .xlsx workbook"):
            file_streams.check_bounds(stream, where)
            book = stack.enter_context(xlsx.opened(stream, where))
        yield [
            Sheet(
                sheet.title,
                sheet.sheet_state == "visible",
                partial(_whole, partial(xlsx.rows, sheet), f"{where}, sheet {sheet.title}"),
            )
            for sheet in book.worksheets
        ]


def _whole(rows: Callable[[], Iterator[Cells]], where: str) -> Iterator[Cells]:
    with _explained(where, "breaks off"):
        yield from rows()


def _open_xls(stream: BinaryIO, where: str) -> Sequence[Sheet]:
    with _explained(where, "is not a readable .xls workbook"):
        try:
            book = CalamineWorkbook.from_filelike(stream)
        except PasswordError as error:
            raise _unreadable(where, "is protected by a password", error) from error
    return [
        Sheet(
            sheet.name,
            sheet.visible == SheetVisibleEnum.Visible,
            partial(_whole, partial(_rows_of_xls, book, sheet.name), f"{where}, sheet {sheet.name}"),
        )
        for sheet in book.sheets_metadata
    ]


def _rows_of_xls(book: CalamineWorkbook, name: str) -> Iterator[Cells]:
    yield from book.get_sheet_by_name(name).to_python(skip_empty_area=False)


@contextmanager
def _explained(where: str, what: str) -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise _unreadable(where, what, error) from error
    except BaseException as error:
        # Some broken .xls make calamine panic, which Python sees as something like a KeyboardInterrupt.
        if type(error).__name__ != "PanicException":
            raise
        raise _unreadable(where, what, error) from error


def _unreadable(where: str, what: str, error: BaseException) -> DataError:
    return DataError(
        f"{where} {what} ({type(error).__name__})",
        fix="open it in Excel or WPS, save it as .xlsx without a password, and put it back",
    )


def _rows_of_text(content: bytes, where: str) -> Iterator[Cells]:
    """Read a web page's tables, or lines of cells, as programs write them under the name of a workbook."""
    start = content[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if _SPREADSHEET_XML in content[:4096].lower():
        raise _is_no_workbook(where, "an XML spreadsheet of 2003")
    if start.startswith((b"<!doctype html", b"<html", b"<table", b"<meta", b"<head", b"<body", b"<style")):
        return _rows_of_page(content, where)
    if start.startswith((b"%pdf", b"{\\rtf", b"<?xml", b"rar!", b"7z")):
        raise _is_no_workbook(where, "a document or archive of another kind")
    text = _decoded(content)
    first = text.partition("\n")[0]
    delimiter = max("\t,;", key=first.count)
    if not text.isprintable() and any(ord(c) < 32 and c not in "\t\r\n\f" for c in text[:4096]):
        raise _is_no_workbook(where, "unknown")
    if delimiter not in first:
        raise _is_no_workbook(where, "a text")
    return iter(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def _is_no_workbook(where: str, what: str) -> DataError:
    return DataError(
        f"{where} is not a readable .xlsx workbook; its content is {what}",
        fix="open it in Excel or WPS, save it as .xlsx, and put it back",
    )


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030", errors="replace")


def _rows_of_page(content: bytes, where: str) -> Iterator[Cells]:
    try:
        page = html.document_fromstring(_decoded(content).encode(), parser=html.HTMLParser(encoding="utf-8"))
    except (etree.LxmlError, ValueError) as error:
        raise _is_no_workbook(where, "a broken web page") from error
    below: dict[int, int] = {}  # columns that a cell above still covers, and for how many rows
    for row in page.iter("tr"):
        cells: list[str | None] = []
        for cell in row.iter("td", "th"):
            _skip_covered(cells, below)
            wide, high = (_span(cell.get(name)) for name in ("colspan", "rowspan"))
            below.update({len(cells) + i: high - 1 for i in range(wide) if high > 1})
            cells += [" ".join(cell.text_content().split()) or None, *[None] * (wide - 1)]
        _skip_covered(cells, below)
        yield cells


def _skip_covered(cells: list[str | None], below: dict[int, int]) -> None:
    while below.get(len(cells)):
        below[len(cells)] -= 1
        cells.append(None)


def _span(text: str | None) -> int:
    return min(int(text), 1000) if text and text.isdecimal() and int(text) else 1
