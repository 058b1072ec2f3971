"""CSV files in a declared encoding; a broken record is rejected alone, with file, line and column."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from typing import BinaryIO

from huiliu.errors import DataError
from ingestion import drift, source_files
from ingestion.containers.files import CsvContainer
from ingestion.extract.csv_blocks import LONGEST_LINE, CsvBlocks
from ingestion.extract.repeated_keys import repeated_keys
from ingestion.extract.text_lines import Layout, TextLines
from ingestion.records import Extracted, Rejects, Wanted
from ingestion.source_files import Source
from ingestion.spec import SourceSpec, TableSpec
from ingestion.stage import Stage

_ENCODINGS = ("utf-8", "gb18030")
_MARKS = (b"\xef\xbb\xbf", b"\x84\x31\x95\x33")  # the byte-order mark in UTF-8 and in GB18030
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_SAMPLE = 1 << 20


def extract(
    spec: SourceSpec, container: CsvContainer, table: TableSpec, wanted: Wanted, stage: Stage
) -> Extracted:
    """Stage every sound record of the files."""
    rows = 0
    with (
        source_files.reading(spec, container, table, wanted, stage) as files,
        repeated_keys() as keys,
    ):
        rejects = Rejects(files.where)

        def count() -> int:
            return rows + len(rejects.kept)

        for source in files.sources(count):
            header = _header(source, container, table)
            unknown = stage.columns_of(source.where, dict.fromkeys(header))
            layout = Layout.of(table, header, unknown)
            with stage.blocks("text", extra=bool(unknown)) as copy:
                lines = TextLines(stage, copy, layout, keys)
                CsvBlocks(source, _codec(container), container.delimiter, lines, rejects).read()
            rows += lines.rows
        extracted = files.extracted(rows, rejects)
        return replace(extracted, keys_unique=keys.none())


def probe(spec: SourceSpec, container: CsvContainer, table: TableSpec) -> str:
    """Check the header, and guess the number of rows from the beginning of the file."""
    with source_files.probing(spec, container, table) as source:
        header = _header(source, container, table)
        drift.check(source.where, table, dict.fromkeys(header), {})
        return f"{source.name}: {len(header)} columns, {_about(source)}"


def _about(source: Source) -> str:
    sample = source.stream.read(_SAMPLE)
    lines = sample.count(b"\n")
    if len(sample) < _SAMPLE:
        unended = bool(sample) and not sample.endswith(b"\n")
        return f"about {lines + unended} rows"
    if source.local is None or not lines:
        return f"more than {lines} rows"
    return f"about {source.local.stat().st_size * lines // len(sample):,} rows"


def _codec(container: CsvContainer) -> str:
    return container.encoding.removesuffix("-sig")  # a mark is taken off whether it is declared or not


def _header(source: Source, container: CsvContainer, table: TableSpec) -> list[str]:
    """Read the header line; DataError names the encoding that would fit if the declared one does not."""
    raw = _first_line(source.stream)
    wanted = {column.at_source for column in table.columns}
    try:
        header = _cells(raw.decode(_codec(container)), container)
    except UnicodeDecodeError:
        header = []
    if wanted <= set(header):
        repeated = sorted({name for name in header if name in wanted and header.count(name) > 1})
        if repeated:
            raise DataError(
                f"{source.where} has column {', '.join(repeated)} twice", fix="correct its header"
            )
        return _told_apart(header)
    _check_encoding(source, container, raw, wanted, set(header))
    return _told_apart(header)


def _first_line(stream: BinaryIO) -> bytes:
    raw = stream.readline(LONGEST_LINE)
    for mark in _MARKS:
        raw = raw.removeprefix(mark)
    return raw


def _check_encoding(
    source: Source, container: CsvContainer, raw: bytes, wanted: set[str], header: set[str]
) -> None:
    """Raise DataError if the header is in another encoding, or in none that is known."""
    if raw.startswith(_UTF_16):
        raise DataError(
            f"{source.where} is in utf-16, the spec says {container.encoding}",
            fix=f"have the file sent in {container.encoding}",
        )
    for encoding in _ENCODINGS:
        fitting = wanted & set(_cells(raw.decode(encoding, errors="replace"), container))
        if len(fitting) > len(wanted & header):
            raise DataError(
                f"{source.where} is in {encoding}, the spec says {container.encoding}",
                fix=f"write encoding: {encoding} in the spec, or have the file sent in {container.encoding}",
            )
    if not header:
        raise DataError(
            f"{source.where}: line 1 is no header in {container.encoding}",
            fix="declare the file's true encoding; its lines must end in LF or CR LF",
        )


def _cells(line: str, container: CsvContainer) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([line], delimiter=container.delimiter), [])]
    except csv.Error:
        return []


def _told_apart(header: Sequence[str]) -> list[str]:
    """Name columns without a name, or with one that stood before, by their places: their values are kept."""
    return [
        name if name and name not in header[:place] else f"{name}#{place + 1}"
        for place, name in enumerate(header)
    ]
