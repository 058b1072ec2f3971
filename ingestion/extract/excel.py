"""Excel ledgers as offices keep them: title rows, headers of merged cells, a sheet per office."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from itertools import islice

from huiliu.errors import DataError
from ingestion import drift, source_files
from ingestion.containers.files import ExcelContainer
from ingestion.extract import workbook
from ingestion.extract.workbook import Cells
from ingestion.extract.xlsx import UNCOMPUTED
from ingestion.records import Extracted, Rejects, Wanted
from ingestion.source_files import Source
from ingestion.spec import SourceSpec, TableSpec
from ingestion.stage import RowSink, Stage

PROBED_ROWS = 1000


def extract(
    spec: SourceSpec, container: ExcelContainer, table: TableSpec, wanted: Wanted, stage: Stage
) -> Extracted:
    """Stage every record of every sheet; one without the header is an error unless hidden or empty."""
    notices: list[str] = []
    with source_files.reading(spec, container, table, wanted, stage) as files:
        rejects = Rejects(files.where)
        with stage.rows() as sink:
            for source in files.sources(lambda: sink.rows + len(rejects.kept), seekable=True):
                notices += _read(source, container, table, stage, sink, rejects)
        return files.extracted(sink.rows, rejects, notices)


def _read(
    source: Source, container: ExcelContainer, table: TableSpec, stage: Stage, sink: RowSink, rejects: Rejects
) -> list[str]:
    notices = []
    with workbook.opened(source.stream, source.where) as sheets:
        for sheet in sheets:
            if not sheet.visible:
                notices.append(f"hidden sheet {sheet.title} was left out")
                continue
            ledger = _Ledger(f"{source.where}, sheet {sheet.title}", container, table)
            rows = enumerate(sheet.rows(), start=1)
            if ledger.find_header(rows, stage):
                ledger.write_to(sink, rows, rejects)
    return notices


def probe(spec: SourceSpec, container: ExcelContainer, table: TableSpec) -> str:
    """Find the header of each sheet, reading a few rows; return what was found."""
    headers = 0
    with (
        source_files.probing(spec, container, table, seekable=True) as source,
        workbook.opened(source.stream, source.where) as sheets,
    ):
        for sheet in sheets:
            ledger = _Ledger(f"{source.where}, sheet {sheet.title}", container, table)
            rows = enumerate(islice(sheet.rows(), PROBED_ROWS), start=1)
            headers += sheet.visible and ledger.find_header(rows, None)
        if not headers:
            raise DataError(
                f"{source.where} has no sheet with records", fix="ask the department for the ledger"
            )
        return f"{source.name}: {headers} sheets, {len(table.columns)} columns"


class _Ledger:
    """One sheet: finds its header, then stages the records below it."""

    def __init__(self, where: str, container: ExcelContainer, table: TableSpec) -> None:
        self.where = where
        self.container = container
        self.table = table
        self.header: list[str] = []
        self.unknown: dict[str, int] = {}

    def write_to(self, sink: RowSink, rows: Iterator[tuple[int, Cells]], rejects: Rejects) -> None:
        wanted = [self.header.index(column.at_source) for column in self.table.columns]
        nameless = [i for i, name in enumerate(self.header) if not name]
        width = len(self.header)
        for number, values in rows:
            texts = [as_text(value) for value in values]
            if self._is_note(texts):
                continue
            stray = any(text is not None for text in texts[width:])
            texts += [None] * (width - len(texts))
            wrong = None
            if UNCOMPUTED in values:
                wrong = "holds a formula whose value was not saved: open it in Excel or WPS and save it"
            elif stray or any(texts[i] is not None for i in nameless):
                wrong = "a value stands outside the header's columns"
            elif any(text and "\0" in text for text in texts):
                wrong = "holds a NUL character"
            if wrong:
                rejects.add(f"{self.where}, row {number}", _plain(texts), wrong)
            else:
                extra = {name: texts[i] for name, i in self.unknown.items()}
                sink.write([texts[i] for i in wanted], extra)

    def find_header(self, rows: Iterator[tuple[int, Cells]], stage: Stage | None) -> bool:
        """Find the header (`group/name` under a merged heading); False for an empty sheet.

        Raises DataError for a sheet that is neither empty nor has all the columns of the spec.
        """
        above: list[str | None] = []
        best: list[str] = []
        filled = False
        wanted = {column.at_source for column in self.table.columns}
        for number, values in rows:
            line = [_heading(value) for value in values]
            names = _join(above, line) if self.container.header_rows == 2 else [name or "" for name in line]
            filled = filled or any(line)
            hits = wanted & set(names)
            if len(hits) > len(wanted & set(best)):
                best = names
            if hits == wanted:
                break
            above = line
            if number >= self.container.header_within:
                break
        if not filled and not any(any(map(as_text, values)) for _, values in rows):
            return False
        if not best:
            raise DataError(
                f"{self.where}: column {', '.join(sorted(wanted))} is missing: the first"
                f" {self.container.header_within} rows have no header",
                fix="if it stands further below, write header_within; hide a sheet without records",
            )
        self._take(best, stage)
        return True

    def _take(self, names: list[str], stage: Stage | None) -> None:
        present = {name: None for name in names if name}
        repeated = sorted({name for name in present if names.count(name) > 1})
        unknown = (
            stage.columns_of(self.where, present)
            if stage
            else drift.check(self.where, self.table, present, {})
        )
        if repeated:
            raise DataError(f"{self.where} has column {', '.join(repeated)} twice", fix="correct its header")
        self.header = names
        self.unknown = {name: names.index(name) for name in unknown}

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
    if value is UNCOMPUTED:
        return "="
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, float):
        return f"{value:.15g}"  # as many digits as Excel shows; the rest is noise of binary fractions
    return str(value)
