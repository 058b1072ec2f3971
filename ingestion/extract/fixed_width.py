"""Fixed-width files: a record a line, its columns at places counted in bytes."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from itertools import islice

from huiliu.errors import DataError
from ingestion import source_files
from ingestion.containers.files import FixedWidthContainer
from ingestion.extract import texts
from ingestion.records import Extracted, Rejects, Wanted
from ingestion.source_files import Source
from ingestion.spec import SourceSpec, TableSpec
from ingestion.stage import Stage

LONGEST_LINE = 1 << 20  # bytes
PROBED_LINES = 1000
_END_OF_FILE = b"\x1a"  # as DOS programs end a text


def extract(
    spec: SourceSpec, container: FixedWidthContainer, table: TableSpec, wanted: Wanted, stage: Stage
) -> Extracted:
    """Stage every line of the right length; the padding is taken off."""
    layout = _Layout(container, table)
    with source_files.reading(spec, container, table, wanted, stage) as files:
        rejects = Rejects(files.where)
        with stage.rows() as sink:
            for source in files.sources(lambda: sink.rows + len(rejects.kept)):
                for values in layout.records(source, rejects):
                    sink.write(values)
        return files.extracted(sink.rows, rejects)


def probe(spec: SourceSpec, container: FixedWidthContainer, table: TableSpec) -> str:
    """Read the first lines and compare their lengths with the spec; return what was found."""
    layout = _Layout(container, table)
    with source_files.probing(spec, container, table) as source:
        rejects = Rejects(source.where)
        rows = sum(1 for _ in islice(layout.records(source, rejects), PROBED_LINES))
        rejects.check_share(table, rows)
        if not rows and not table.may_be_empty:
            raise DataError(f"{source.where} has no record", fix="ask the department for the full data")
        return f"{source.name}: lines of {layout.length} bytes, {len(table.columns)} columns"


class _Layout:
    """Where the columns stand in a line."""

    def __init__(self, container: FixedWidthContainer, table: TableSpec) -> None:
        self.encoding = container.encoding
        self.skipped = container.skip_lines
        self.names = [column.at_source for column in table.columns]
        self.places: list[slice] = []
        end = 0
        for column in table.columns:
            first = column.start - 1 if column.start else end
            end = first + (column.width or 0)
            self.places.append(slice(first, end))
        self.length = max(place.stop for place in self.places)

    def records(self, source: Source, rejects: Rejects) -> Iterator[list[str]]:
        for number, line in _lines(source, self.skipped):
            wrong: str | None
            if len(line) != self.length:
                wrong = f"is {len(line)} bytes long instead of {self.length}"
            else:
                values, wrong = self._values(line)
                wrong = wrong or texts.fault(values)
                if wrong is None:
                    yield values
                    continue
            text = line.decode(self.encoding, errors="backslashreplace")
            rejects.add(f"{source.name}, line {number}", text, wrong)

    def _values(self, line: bytes) -> tuple[list[str], str | None]:
        encoding = self.encoding
        try:
            return [line[place].decode(encoding).strip() for place in self.places], None
        except UnicodeDecodeError:
            return [], f"column {self._broken_column(line)} is not {encoding}, or cuts a character in two"

    def _broken_column(self, line: bytes) -> str:
        for name, place in zip(self.names, self.places, strict=True):
            try:
                line[place].decode(self.encoding)
            except UnicodeDecodeError:
                return name
        raise AssertionError("a column of the line could not be decoded")


def _lines(source: Source, skipped: int) -> Iterator[tuple[int, bytes]]:
    number = 0
    while raw := source.stream.readline(LONGEST_LINE):
        number += 1
        if len(raw) == LONGEST_LINE:
            raise DataError(
                f"{source.where}: line {number} is longer than {LONGEST_LINE} bytes",
                fix="see that the file is the one that the spec describes",
            )
        line = raw.rstrip(b"\r\n")
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        if number > skipped and line and line != _END_OF_FILE:
            yield number, line
