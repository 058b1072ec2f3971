"""Excel ledgers as offices keep them: title rows, headers of merged cells, a sheet per office."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.workbook.workbook import Workbook

from huiliu.errors import DataError
from ingestion.records import Extracted, Rejects, check_columns
from ingestion.source_files import resolve, unchanged
from ingestion.spec import ExcelContainer, SourceSpec, TableSpec
from ingestion.stage import Stage

Cells = tuple[object, ...]
Row = tuple[str | None, ...]


def extract(spec: SourceSpec, container: ExcelContainer, table: TableSpec, stage: Stage) -> Extracted:
    """Stage every record of every sheet; one without the header is an error unless hidden or empty."""
    where = f"{spec.name}.{table.name}"
    path = resolve(container.path, where)
    rejects = Rejects(f"{where}: {path.name}")
    notices: list[str] = []
    rows = 0
    with unchanged(path, where), stage.rows() as sink:
        workbook = _open(path, where)
        try:
            for sheet in workbook.worksheets:
                if sheet.sheet_state != "visible":
                    notices.append(f"hidden sheet {sheet.title} was left out")
                    continue
                ledger = _Sheet(f"{where}: {path.name}, sheet {sheet.title}", container, table)
                for row in ledger.records(sheet.iter_rows(values_only=True), rejects):
                    sink.write_row(row)
                    rows += 1
                notices += ledger.notices
        finally:
            workbook.close()
    rejects.check_share(table, rows)
    return Extracted(rows, complete=True, rejected=tuple(rejects.kept), notice="; ".join(notices) or None)


def _open(path: Path, where: str) -> Workbook:
    try:
        return openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, OSError) as error:
        raise DataError(
            f"{where}: {path.name} is not a readable .xlsx workbook ({type(error).__name__})",
            fix="open it in Excel or WPS, save it as .xlsx without a password, and put it back",
        ) from error


class _Sheet:
    """One sheet: finds its header, then yields the records below in the order of the spec's columns."""

    def __init__(self, where: str, container: ExcelContainer, table: TableSpec) -> None:
        self.where = where
        self.container = container
        self.table = table
        self.notices: list[str] = []

    def records(self, cells: Iterator[Cells], rejects: Rejects) -> Iterator[Row]:
        numbered = enumerate(cells, start=1)
        header = self._find_header(numbered)
        if header is None:
            return
        notice = check_columns(self.where, self.table, [name for name in header if name])
        if notice:
            self.notices.append(notice)
        wanted = [header.index(column.at_source) for column in self.table.columns]
        for number, values in numbered:
            texts = [as_text(value) for value in values]
            if self._is_note(texts):
                continue
            stray = [text for text in texts[len(header) :] if text is not None]
            texts += [None] * (len(header) - len(texts))
            if stray or any(texts[i] is not None for i, name in enumerate(header) if not name):
                rejects.add(
                    f"{self.where}, row {number}",
                    _plain(texts),
                    "a value stands outside the header's columns",
                )
            else:
                yield tuple(texts[i] for i in wanted)

    def _find_header(self, numbered: Iterator[tuple[int, Cells]]) -> list[str] | None:
        """Return each column's full name: `group/name` under a merged heading, '' where there is none."""
        above: list[str | None] = []
        best: list[str] = []
        wanted = {column.at_source for column in self.table.columns}
        for number, values in numbered:
            line = [_heading(value) for value in values]
            names = _join(above, line) if self.container.header_rows == 2 else [name or "" for name in line]
            hits = wanted & set(names)
            if hits == wanted:
                return names
            if len(hits) > len(wanted & set(best)):
                best = names
            above = line
            if number >= self.container.header_within:
                break
        if not best and not any(above):
            return None  # an empty sheet
        check_columns(self.where, self.table, [name for name in best if name])
        raise DataError(
            f"{self.where}: no header was found", fix="see header_rows and header_within in the spec"
        )

    def _is_note(self, texts: Sequence[str | None]) -> bool:
        first = next((text for text in texts if text is not None), None)
        return first is None or first.replace(" ", "").startswith(self.container.note_rows)


def _join(above: Sequence[str | None], below: Sequence[str | None]) -> list[str]:
    """Join two header rows: a heading merged over several columns stands only in the first of them."""
    names: list[str] = []
    group: str | None = None
    for i in range(max(len(above), len(below))):
        upper = above[i] if i < len(above) else None
        lower = below[i] if i < len(below) else None
        group = upper or (group if lower else None)
        names.append("/".join(part for part in (group, lower) if part))
    return names


def _heading(value: object) -> str | None:
    text = as_text(value)
    return "".join(text.split()) or None if text else None


def _plain(texts: Sequence[str | None]) -> str:
    return "\t".join(text or "" for text in texts)


def as_text(value: object) -> str | None:
    """Return a cell as the text a clerk sees: 3.0 is 3, a date is YYYY-MM-DD, an empty cell is None."""
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
