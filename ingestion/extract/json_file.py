"""JSON files as streams: a record a line, or a list within one document; numbers keep their digits."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Mapping
from itertools import islice

from huiliu.errors import DataError
from ingestion import drift, source_files
from ingestion.containers.files import JsonContainer
from ingestion.extract import json_rows, texts
from ingestion.extract.json_rows import Document, NoListError, Repeating, as_text
from ingestion.records import Extracted, Rejects, Wanted
from ingestion.source_files import Source
from ingestion.spec import SourceSpec, TableSpec
from ingestion.stage import Stage

LONGEST_LINE = 64 << 20  # bytes
PROBED_RECORDS = 1000

Record = tuple[str, object]  # position and content


def extract(
    spec: SourceSpec, container: JsonContainer, table: TableSpec, wanted: Wanted, stage: Stage
) -> Extracted:
    """Stage every sound record. A field that no record has fails the table; one that some lack is null."""
    with source_files.reading(spec, container, table, wanted, stage) as files:
        rejects = Rejects(files.where)
        with stage.rows() as sink:
            for source in files.sources(lambda: sink.rows + len(rejects.kept)):
                fields = _Fields(table)
                for position, record in _records(source, container, rejects):
                    found = _sound(position, record, fields, rejects)
                    if found is not None:
                        sink.write([found.pop(name, None) for name in fields.names], found)
                if fields.seen:
                    stage.columns_of(source.where, dict.fromkeys(fields.seen))
        return files.extracted(sink.rows, rejects)


def probe(spec: SourceSpec, container: JsonContainer, table: TableSpec) -> str:
    """Read the first records and compare their fields with the spec; return what was found."""
    fields = _Fields(table)
    with source_files.probing(spec, container, table) as source:
        rejects = Rejects(source.where)
        read = 0
        for position, record in islice(_records(source, container, rejects), PROBED_RECORDS):
            read += _sound(position, record, fields, rejects) is not None
        if not read and not table.may_be_empty:
            raise DataError(f"{source.where} has no record", fix="ask the department for the full data")
        unknown = drift.check(source.where, table, dict.fromkeys(fields.seen), {}) if read else ()
        return f"{source.name}: {len(fields.seen)} fields, {len(unknown)} of them unknown to the spec"


def _sound(position: str, record: object, fields: _Fields, rejects: Rejects) -> dict[str, str | None] | None:
    """Return a record's texts by field; None, and the record is rejected, if it cannot be stored."""
    try:
        return fields.of(record)
    except ValueError as error:
        rejects.add(position, json_rows.original(record), str(error))
    except RecursionError:
        rejects.add(position, json_rows.original(record), "is nested too deeply")
    return None


class _Fields:
    """The fields of records, opened up where the spec leads into them (`properties.name`)."""

    def __init__(self, table: TableSpec) -> None:
        self.names = [column.at_source for column in table.columns]
        self.opened = texts.branches(self.names, ".")
        self.seen: dict[str, None] = {}

    def of(self, record: object) -> dict[str, str | None]:
        """Return a record's texts by field; ValueError says why it cannot be stored."""
        if not isinstance(record, dict):
            raise ValueError("is no object")
        if isinstance(record, Repeating):
            raise ValueError("a key is written twice")
        opened = dict(self._opened_up(record, "")) if self.opened else record
        found = {name: as_text(value) for name, value in opened.items()}
        new = () if self.seen.keys() >= found.keys() else found
        wrong = texts.fault([*new, *found.values()])
        if wrong:
            raise ValueError(wrong)
        self.seen.update(dict.fromkeys(new))
        return found

    def _opened_up(self, record: Mapping[str, object], prefix: str) -> Iterator[tuple[str, object]]:
        for key, value in record.items():
            name = prefix + key
            if name in self.opened and isinstance(value, dict) and not isinstance(value, Repeating):
                yield from self._opened_up(value, f"{name}.")
            elif name not in self.opened or value is not None:
                yield name, value


def _records(source: Source, container: JsonContainer, rejects: Rejects) -> Iterator[Record]:
    if container.lines:
        return _of_lines(source, container.encoding.removesuffix("-sig"), rejects)
    return _of_document(source, container)


# A record a line -------------------------------------------------------------------------------------------


def _of_lines(source: Source, encoding: str, rejects: Rejects) -> Iterator[Record]:
    number = 0
    while raw := source.stream.readline(LONGEST_LINE):
        number += 1
        position = f"{source.name}, line {number}"
        if number == 1:
            raw = raw.removeprefix(codecs.BOM_UTF8)
        try:
            text = raw.decode(encoding).strip()
            if text:
                yield position, json_rows.parsed(text)
        except (ValueError, RecursionError) as error:
            if not raw.endswith(b"\n"):
                raise _broken_off(source, number) from error
            rejects.add(
                position, raw.decode(encoding, errors="backslashreplace").rstrip(), _what(error, encoding)
            )


def _what(error: ValueError | RecursionError, encoding: str) -> str:
    if isinstance(error, RecursionError):
        return "is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start + 1} is not {encoding}"
    if isinstance(error, json.JSONDecodeError):
        return f"is not JSON from character {error.pos + 1}"
    return "is not JSON"


def _broken_off(source: Source, number: int) -> DataError:
    return DataError(
        f"{source.where}: line {number} breaks off, or is longer than {LONGEST_LINE >> 20} MiB",
        fix="ask the department to send the file again, whole",
    )


# One document ----------------------------------------------------------------------------------------------


class _Texts:
    """A source's text, piece by piece."""

    def __init__(self, source: Source, encoding: str) -> None:
        self.source = source
        self.decoder = codecs.getincrementaldecoder("utf-8-sig" if encoding == "utf-8" else encoding)()
        self.passed = 0

    def read(self, size: int) -> str:
        """Return about so many characters; none at the end."""
        while True:
            raw = self.source.stream.read(size)
            try:
                text = self.decoder.decode(raw, final=not raw)
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{self.source.where} is not in its declared encoding near byte"
                    f" {self.passed + error.start + 1}",
                    fix="declare the file's true encoding",
                ) from error
            self.passed += len(raw)
            if text or not raw:  # half a character gives no text yet
                return text


def _of_document(source: Source, container: JsonContainer) -> Iterator[Record]:
    path = container.records.split(".") if container.records else []
    number = 0
    try:
        records = Document(_Texts(source, container.encoding).read).records(path)
        for number, record in enumerate(records, start=1):
            yield f"{source.name}, record {number}", record
    except NoListError as error:
        raise DataError(
            f"{source.where} has no list {container.records or 'of records'}",
            fix="write records: in the spec, the path to the list of records",
        ) from error
    except (ValueError, RecursionError) as error:
        deep = isinstance(error, RecursionError)
        raise DataError(
            f"{source.where} is not a whole JSON document: it"
            f" {'is nested too deeply' if deep else 'breaks'} after record {number}",
            fix="ask the department to send the file again",
        ) from error
