"""CSV files in a declared encoding; a broken record is rejected alone, with file, line and column."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path

from huiliu.errors import DataError
from ingestion.records import Extracted, Rejects, check_columns
from ingestion.source_files import resolve, unchanged
from ingestion.spec import CsvContainer, SourceSpec, TableSpec
from ingestion.stage import Stage

_ENCODINGS = ("utf-8-sig", "gb18030")


def extract(spec: SourceSpec, container: CsvContainer, table: TableSpec, stage: Stage) -> Extracted:
    """Stage every sound record of the file."""
    where = f"{spec.name}.{table.name}"
    path = resolve(container.path or table.relation, where)
    with unchanged(path, where), path.open("rb") as file:
        records = _Records(path, file, container, Rejects(f"{where}: {path.name}"))
        header = _header(where, path, container, table, records)
        notice = check_columns(f"{where}: {path.name}", table, header)
        wanted = [header.index(column.at_source) for column in table.columns]
        pick = itemgetter(*wanted) if len(wanted) > 1 else lambda record: (record[wanted[0]],)
        rows = 0
        with stage.rows() as sink:
            for record in records.sound(header):
                sink.write_row(pick(record))
                rows += 1
    records.rejects.check_share(table, rows)
    return Extracted(rows, complete=True, rejected=tuple(records.rejects.kept), notice=notice)


def _header(
    where: str, path: Path, container: CsvContainer, table: TableSpec, records: _Records
) -> list[str]:
    """Read the header line; DataError names the encoding that would fit if the declared one does not."""
    raw = records.lines.first()
    wanted = {column.at_source for column in table.columns}
    try:
        header = _cells(raw.decode(records.encoding), container)
    except UnicodeDecodeError:
        header = []
    if wanted <= set(header):
        repeated = sorted({name for name in header if name in wanted and header.count(name) > 1})
        if repeated:
            raise DataError(
                f"{where}: {path.name} has column {', '.join(repeated)} twice", fix="correct its header"
            )
        return header
    for encoding in _ENCODINGS:
        fitting = _cells(raw.decode(encoding, errors="replace"), container)
        if len(wanted & set(fitting)) > len(wanted & set(header)):
            raise DataError(
                f"{where}: {path.name} is in {encoding}, the spec says {container.encoding}",
                fix=f"write encoding: {encoding} in the spec, or have the file sent in {container.encoding}",
            )
    if not header:
        raise DataError(
            f"{where}: line 1 of {path.name} is not {container.encoding}",
            fix="declare the file's true encoding",
        )
    return header


def _cells(line: str, container: CsvContainer) -> list[str]:
    return [name.strip() for name in next(csv.reader([line], delimiter=container.delimiter), [])]


def _count(record: list[str], width: int) -> str:
    return f"{len(record)} fields where the header has {width}"


class _Lines:
    """Physical lines as text, with those taken since the last record kept so that they can be read again."""

    def __init__(self, file: Iterator[bytes], encoding: str) -> None:
        self.file = file
        self.encoding = encoding
        self.number = 0
        self.taken: list[tuple[int, bytes]] = []
        self.again: deque[tuple[int, bytes]] = deque()
        self.broken = False  # a line taken since the last record is not in the encoding, or holds a NUL

    def first(self) -> bytes:
        self.number = 1
        return next(self.file, b"").removeprefix(b"\xef\xbb\xbf")

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self.again:
            number, raw = self.again.popleft()
        else:
            raw = next(self.file)
            self.number += 1
            number = self.number
        self.taken.append((number, raw))
        try:
            text = raw.decode(self.encoding)
        except UnicodeDecodeError:
            self.broken = True
            return raw.decode(self.encoding, errors="replace")
        if "\0" in text:
            self.broken = True
        return text


class _Records:
    """The records of a file; broken ones go to `rejects`."""

    def __init__(self, path: Path, file: Iterator[bytes], container: CsvContainer, rejects: Rejects) -> None:
        self.path = path
        self.container = container
        self.rejects = rejects
        self.encoding = container.encoding.removesuffix("-sig")
        self.lines = _Lines(file, self.encoding)

    def sound(self, header: list[str]) -> Iterator[list[str]]:
        width, lines = len(header), self.lines
        reader = self._reader()
        while True:
            try:
                record = next(reader)
            except StopIteration:
                return
            except csv.Error:
                # A quotation mark that never closes: give up its first line, read the others again.
                self._reject(header, "a quotation mark is not closed")
                reader = self._reader()
                continue
            if len(record) == width and not lines.broken:
                lines.taken.clear()
                yield record
            elif record:
                wrong = (
                    "a further line of the record is broken"
                    if len(record) == width
                    else _count(record, width)
                )
                self._reject(header, wrong)
                reader = self._reader()
            else:
                lines.taken.clear()

    def _reader(self) -> Iterator[list[str]]:
        return csv.reader(self.lines, delimiter=self.container.delimiter, strict=True)

    def _reject(self, header: list[str], reason: str) -> None:
        """Refuse the first line taken; lines that a stray quotation mark swallowed are read again."""
        lines = self.lines
        (number, raw), swallowed = lines.taken[0], lines.taken[1:]
        whole = lines.broken and self._fault(header, raw)
        lines.again.extendleft(reversed(swallowed))
        lines.taken.clear()
        lines.broken = False
        text = raw.decode(self.encoding, errors="backslashreplace").rstrip("\r\n")
        self.rejects.add(f"{self.path.name}, line {number}", text, whole or reason)

    def _fault(self, header: list[str], raw: bytes) -> str | None:
        """Say which column of a line is not in the encoding; None if the line itself is sound."""
        try:
            before = raw.decode(self.encoding)
            if "\0" not in before:
                return None
            before, what = before[: before.index("\0")], "holds a NUL character"
        except UnicodeDecodeError as error:
            before = raw[: error.start].decode(self.encoding)
            bad = raw[error.start : error.end].hex(" ")
            what = f"holds bytes {bad}, which are not {self.container.encoding}"
        column = before.count(self.container.delimiter) + 1
        name = f" ({header[column - 1]})" if column <= len(header) else ""
        return f"column {column}{name} {what}"
