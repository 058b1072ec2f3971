"""JSON files as streams: a record a line, or a list within one document; numbers keep their digits."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import islice

import ijson

from huiliu.errors import DataError
from ingestion import drift, source_files
from ingestion.containers.files import JsonContainer
from ingestion.extract import texts
from ingestion.records import Extracted, Rejects, Wanted
from ingestion.source_files import Source
from ingestion.spec import SourceSpec, TableSpec
from ingestion.stage import RowSink, Stage

LONGEST_LINE = 64 << 20  # bytes
KEPT_START = 1 << 16  # bytes of a document, to say what it holds instead of records
PROBED_RECORDS = 1000

Record = tuple[str, object]  # position and content


class _Number(str):
    """A number as it was written."""

    __slots__ = ()


def extract(
    spec: SourceSpec, container: JsonContainer, table: TableSpec, wanted: Wanted, stage: Stage
) -> Extracted:
    """Stage every sound record. A field that no record has fails the table; one that some lack is null."""
    with source_files.reading(spec, container, table, wanted, stage) as files:
        rejects = Rejects(files.where)
        with stage.rows() as sink:
            for source in files.sources():
                fields = _Fields(table)
                for position, record in _records(source, container, rejects):
                    _write(position, record, fields, sink, rejects)
                if fields.seen:
                    stage.columns_of(source.where, dict.fromkeys(fields.seen))
        return files.extracted(sink.rows, rejects)


def probe(spec: SourceSpec, container: JsonContainer, table: TableSpec) -> str:
    """Read the first records and compare their fields with the spec; return what was found."""
    fields = _Fields(table)
    with source_files.probing(spec, container, table) as source:
        rejects = Rejects(source.where)
        read = 0
        for _, record in islice(_records(source, container, rejects), PROBED_RECORDS):
            if isinstance(record, dict):
                fields.of(record)
                read += 1
        if not read and not table.may_be_empty:
            raise DataError(f"{source.where} has no record", fix="ask the department for the full data")
        unknown = drift.check(source.where, table, dict.fromkeys(fields.seen), {}) if read else ()
        return f"{source.name}: {len(fields.seen)} fields, {len(unknown)} of them unknown to the spec"


def _write(position: str, record: object, fields: _Fields, sink: RowSink, rejects: Rejects) -> None:
    if not isinstance(record, dict):
        rejects.add(position, _as_json(record), "is no object")
        return
    found = fields.of(record)
    values = [found.pop(name, None) for name in fields.names]
    wrong = texts.fault([*values, *found.values()])
    if wrong:
        rejects.add(position, json.dumps(found | dict(zip(fields.names, values, strict=True))), wrong)
    else:
        sink.write(values, found)


class _Fields:
    """The fields of records, opened up where the spec leads into them (`properties.name`)."""

    def __init__(self, table: TableSpec) -> None:
        self.names = [column.at_source for column in table.columns]
        self.opened = texts.branches(self.names, ".")
        self.seen: dict[str, None] = {}

    def of(self, record: Mapping[str, object]) -> dict[str, str | None]:
        found = dict(self._opened_up(record, "")) if self.opened else record
        if not self.seen.keys() >= found.keys():
            self.seen.update(dict.fromkeys(found))
        return {name: as_text(value) for name, value in found.items()}

    def _opened_up(self, record: Mapping[str, object], prefix: str) -> Iterator[tuple[str, object]]:
        for key, value in record.items():
            name = prefix + key
            if name in self.opened and isinstance(value, dict):
                yield from self._opened_up(value, f"{name}.")
            elif name not in self.opened or value is not None:
                yield name, value


def as_text(value: object) -> str | None:
    """Return a value as text: what is neither text, number nor truth stays JSON."""
    if value is None or type(value) is str:
        return value
    if isinstance(value, str | Decimal) or type(value) is int:
        return str(value)
    return _as_json(value)


def _as_json(value: object) -> str:
    if isinstance(value, dict):
        inner = (f"{json.dumps(key, ensure_ascii=False)}: {_as_json(one)}" for key, one in value.items())
        return "{" + ", ".join(inner) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_as_json, value))}]"
    if isinstance(value, _Number | Decimal):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


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
                yield position, json.loads(text, parse_float=_Number, parse_int=_Number)
        except ValueError as error:
            if not raw.endswith(b"\n"):
                raise _broken_off(source, number) from error
            rejects.add(
                position, raw.decode(encoding, errors="backslashreplace").rstrip(), _what(error, encoding)
            )


def _what(error: ValueError, encoding: str) -> str:
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


class _Utf8:
    """A stream as UTF-8, which is what the parser reads; the start is kept."""

    def __init__(self, source: Source, encoding: str) -> None:
        self.source = source
        self.start = b""
        self.decoder = codecs.getincrementaldecoder("utf-8-sig" if encoding == "utf-8" else encoding)()
        self.passed = 0

    def read(self, size: int) -> bytes:
        raw = self.source.stream.read(size)
        try:
            data = self.decoder.decode(raw, final=not raw and size > 0).encode()
        except UnicodeDecodeError as error:
            raise DataError(
                f"{self.source.where} is not in its declared encoding near byte"
                f" {self.passed + error.start + 1}",
                fix="declare the file's true encoding",
            ) from error
        self.passed += len(raw)
        self.start += data[: KEPT_START - len(self.start)]
        # Half a character gives no data yet, which the parser would take for the end.
        return data if data or not raw or not size else self.read(size)


def _of_document(source: Source, container: JsonContainer) -> Iterator[Record]:
    stream = _Utf8(source, container.encoding)
    path = f"{container.records}.item" if container.records else "item"
    number = 0
    try:
        for number, record in enumerate(ijson.items(stream, path), start=1):
            yield f"{source.name}, record {number}", record
    except ijson.JSONError as error:
        raise DataError(
            f"{source.where} is not a whole JSON document: it breaks after record {number}",
            fix="ask the department to send the file again",
        ) from error
    if not number:
        _check_list(source, container.records, stream.start)


def _check_list(source: Source, path: str, start: bytes) -> None:
    """No record is fine where there is an empty list, and an error where there is none."""
    content: object = None
    if len(start) < KEPT_START:
        content = json.loads(start)
        for part in path.split(".") if path else ():
            content = content.get(part) if isinstance(content, dict) else None
    if not isinstance(content, list):
        raise DataError(
            f"{source.where} has no list {path or 'of records'}",
            fix="write records: in the spec, the path to the list of records",
        )
