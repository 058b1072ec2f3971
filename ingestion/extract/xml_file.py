"""XML files as streams: an element a record, its columns child elements or attributes; no DTDs."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, islice

from lxml import etree

from huiliu.errors import DataError
from ingestion import drift, source_files
from ingestion.containers.files import XmlContainer
from ingestion.extract import texts
from ingestion.records import Extracted, Rejects, Wanted
from ingestion.source_files import Source
from ingestion.spec import SourceSpec, TableSpec
from ingestion.stage import Stage

PROBED_RECORDS = 1000
BLOCK = 1 << 17  # bytes; the elements of one are held in memory
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*encoding\s*=\s*["']([\w.-]+)["']""")
# What calls itself GB2312 often is GBK; GB18030 holds both.
_CHINESE = {"gb2312", "gbk", "gb18030", "cp936", "x-gbk", "euc-cn", "hz-gb-2312"}

_UNICODE = {"utf-8", "utf-16", "utf-16-le", "utf-16-be"}
_TEXTS = {*_UNICODE, "ascii", "gb18030", "big5", "big5hkscs", "iso8859-1", "cp1252"}  # as Python names them

Text = str | None
Record = tuple[str, dict[str, Text]]  # position and fields


def extract(
    spec: SourceSpec, container: XmlContainer, table: TableSpec, wanted: Wanted, stage: Stage
) -> Extracted:
    """Stage every record. A field that no record has fails the table; one that some lack is null."""
    names = [column.at_source for column in table.columns]
    with source_files.reading(spec, container, table, wanted, stage) as files:
        rejects = Rejects(files.where)
        with stage.rows() as sink:
            for source in files.sources(lambda: sink.rows + len(rejects.kept)):
                document = _Document(source, container, names)
                for position, found in document.records():
                    values = [found.pop(name, None) for name in names]
                    wrong = texts.fault([*values, *found.values()])
                    if wrong:
                        rejects.add(position, json.dumps(values, ensure_ascii=False), wrong)
                    else:
                        sink.write(values, found)
                if document.seen:
                    stage.columns_of(source.where, dict.fromkeys(document.seen))
        return files.extracted(sink.rows, rejects)


def probe(spec: SourceSpec, container: XmlContainer, table: TableSpec) -> str:
    """Read the first records and compare their fields with the spec; return what was found."""
    with source_files.probing(spec, container, table) as source:
        document = _Document(source, container, [column.at_source for column in table.columns])
        read = sum(1 for _ in islice(document.records(), PROBED_RECORDS))
        if not read and not table.may_be_empty:
            raise DataError(
                f"{source.where} has no element {container.record}", fix="correct record in the spec"
            )
        unknown = drift.check(source.where, table, dict.fromkeys(document.seen), {}) if read else ()
        return f"{source.name}: {len(document.seen)} fields, {len(unknown)} of them unknown to the spec"


class _Document:
    """One XML document; `seen` are the fields its records have shown so far."""

    def __init__(self, source: Source, container: XmlContainer, names: list[str]) -> None:
        self.source = source
        self.path = [part for part in container.record.split("/") if part]
        self.wanted = frozenset(names)
        self.opened = texts.branches(names, "/")
        self.seen: dict[str, None] = {}

    def records(self) -> Iterator[Record]:
        """Yield the records; what was read is forgotten block by block."""
        blocks = _utf8(self.source)
        try:
            root, start = self._root(blocks)
            parser = _parser(("start", "end"), ("{*}" + self.path[-1], root))
            yield from self._parsed(parser, start, blocks)
        except etree.XMLSyntaxError as error:
            line, column = error.position
            raise DataError(
                f"{self.source.where} is not well-formed XML: line {line}, column {column}",
                fix="ask the department to send the file again, whole",
            ) from error

    def _root(self, blocks: Iterator[bytes]) -> tuple[str, list[bytes]]:
        """Return the name of the root element, and the blocks read to find it."""
        parser, read = _parser(("start",), None), []
        try:
            for block in blocks:
                read.append(block)
                parser.feed(block)
                for _, element in parser.read_events():
                    if element.getroottree().docinfo.doctype:
                        raise self._typed()
                    return element.tag, read
            parser.close()
        except etree.XMLSyntaxError as error:
            if any(b"<!DOCTYPE" in block for block in read):
                raise self._typed() from error
            raise
        raise AssertionError("a document without a root is not well-formed")

    def _typed(self) -> DataError:
        return DataError(
            f"{self.source.where} declares a document type, which is not read: it can reach other files and"
            " swell without limit",
            fix="ask the department for the document without <!DOCTYPE",
        )

    def _parsed(
        self, parser: etree.XMLPullParser, start: list[bytes], blocks: Iterator[bytes]
    ) -> Iterator[Record]:
        number, root = 0, None
        for block in chain(start, blocks):
            parser.feed(block)
            for event, element in parser.read_events():
                if event == "start":
                    root = element if root is None else root
                elif self._is_record(element):
                    number += 1
                    yield self._record(number, element)
            if root is not None:
                self._forget(root)
        parser.close()

    def _is_record(self, element: etree._Element) -> bool:
        for part in reversed(self.path):
            if element is None or local(element.tag) != part:
                return False
            element = element.getparent()
        return True

    def _forget(self, element: etree._Element) -> None:
        """Drop what is complete: all but the last child, down to the element still being read."""
        while len(element) and not self._is_record(element):
            del element[:-1]
            element = element[-1]

    def _record(self, number: int, element: etree._Element) -> Record:
        collected: dict[str, list[Text]] = {}
        self._collect(element, "", collected)
        found = {name: held[0] if len(held) == 1 else _listed(held) for name, held in collected.items()}
        if not self.seen.keys() >= found.keys():
            self.seen.update(dict.fromkeys(found))
        return f"{self.source.name}, record {number}, line {element.sourceline}", found

    def _collect(self, element: etree._Element, prefix: str, found: dict[str, list[Text]]) -> None:
        for key, value in element.items():
            if key != _NIL:
                found.setdefault(f"{prefix}@{local(key)}", []).append(value)
        for child in element.iterchildren(tag=etree.Element):
            name = prefix + local(child.tag)
            if name in self.opened:
                self._collect(child, f"{name}/", found)
            if name not in self.opened or name in self.wanted:
                found.setdefault(name, []).append(_text(child))


def _parser(events: tuple[str, ...], tags: tuple[str, ...] | None) -> etree.XMLPullParser:
    return etree.XMLPullParser(
        events,
        tag=tags,
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
    )


@lru_cache(maxsize=4096)
def local(tag: str) -> str:
    """Return a name without its namespace."""
    return tag.rpartition("}")[2]


def _text(element: etree._Element) -> Text:
    if element.get(_NIL) in ("true", "1"):
        return None
    if not len(element):
        return element.text or ""
    if next(element.iterchildren(tag=etree.Element), None) is None:
        return "".join(element.itertext(etree.Element))
    return str(etree.tostring(element, encoding="unicode", with_tail=False))


def _listed(texts: list[Text]) -> str:
    """Return an element that stands several times as a JSON list."""
    return json.dumps(texts, ensure_ascii=False)


def _utf8(source: Source) -> Iterator[bytes]:
    """Yield the document as UTF-8: libxml2 knows fewer Chinese encodings, and is stricter."""
    block = source.stream.read(BLOCK)
    declared = _DECLARED.match(block.removeprefix(codecs.BOM_UTF8))
    name = declared[1].decode().lower() if declared else "utf-8"
    if block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        name = "utf-16"
    decoder, name = _decoder(name, source.where)
    passed = 0
    while block:
        try:
            yield decoder.decode(block).encode()
        except UnicodeDecodeError as error:
            raise DataError(
                f"{source.where} is not in its declared encoding {name} near byte {passed + error.start + 1}",
                fix="ask the department to send the file again in the encoding it declares",
            ) from error
        passed += len(block)
        block = source.stream.read(BLOCK)


def _decoder(declared: str, where: str) -> tuple[codecs.IncrementalDecoder, str]:
    """Return what decodes a document, and the name of its encoding; DataError if that is none of texts."""
    try:
        name = "gb18030" if declared in _CHINESE else codecs.lookup(declared).name
    except LookupError as error:
        raise _unknown(declared, where) from error
    if name not in _TEXTS:  # Python's codecs know more: hex, or rot13
        raise _unknown(declared, where)
    name = "utf-8-sig" if name == "utf-8" else name
    return codecs.getincrementaldecoder(name)(), name


def _unknown(declared: str, where: str) -> DataError:
    return DataError(f"{where} is in {declared}, which is unknown", fix="ask the department for UTF-8")
