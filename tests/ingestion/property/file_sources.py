"""Files that hold whatever the model says, of every form, on this machine and on an SFTP server."""

from __future__ import annotations

import csv
import io
import json
import os
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from cut_line import Line
from lxml import etree
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from sources import Picture, Source

_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


class FileSource(Source):
    """A file, or a folder of files."""

    suffix: str

    def __init__(self, folder: Path, *, by_days: bool) -> None:
        self.folder = folder
        self.by_days = by_days
        self.written = 0

    @property
    def container(self) -> dict[str, Any]:
        return {"path": str(self.folder / self._pattern), **self.form}

    @property
    def _pattern(self) -> str:
        return f"*{self.suffix}" if self.by_days else f"rows{self.suffix}"

    @property
    @abstractmethod
    def form(self) -> dict[str, Any]:
        """The container without its place."""

    @abstractmethod
    def content(self, picture: Picture) -> bytes:
        """Write the file."""

    def put(self, picture: Picture) -> None:
        path = self.folder / f"{picture.name}{self.suffix}"
        content = self.content(picture)
        if path.exists() and path.read_bytes() == content:
            return
        path.write_bytes(content)
        self.written += 1  # a server's clock may count whole seconds
        os.utime(path, (1_768_000_000 + self.written,) * 2)


class CsvFile(FileSource):
    suffix = ".csv"
    empty_is_none = True
    quoting: ClassVar[Any] = csv.QUOTE_ALL
    encoding = "utf-8"
    line_end = "\n"

    @property
    def form(self) -> dict[str, Any]:
        return {"type": "csv", "encoding": self.encoding}

    def held(self, text: str | None) -> str | None:
        return text or ""

    def content(self, picture: Picture) -> bytes:
        file = io.StringIO()
        out = csv.writer(file, quoting=self.quoting, lineterminator=self.line_end)
        out.writerow(picture.columns)
        for number, row in enumerate(picture.rows):
            if number < picture.broken:
                file.write(f"only one field{self.line_end}")
            out.writerow([row[name] for name in picture.columns])
        return file.getvalue().encode(self.encoding)


class ChineseCsvFile(CsvFile):
    """As a Chinese Excel writes it: GB18030, quotation marks only where they must be."""

    quoting: ClassVar[Any] = csv.QUOTE_MINIMAL
    encoding = "gb18030"
    line_end = "\r\n"


class ExcelFile(FileSource):
    suffix = ".xlsx"

    def rejected(self, number: int, columns: Sequence[str], listed: Sequence[str]) -> str:
        return str(columns)

    @property
    def form(self) -> dict[str, Any]:
        return {"type": "excel", "header_rows": 1}

    def held(self, text: str | None) -> str | None:
        if text is None:
            return None
        # What begins with = is a formula, not a text; line ends of Windows are not kept.
        return ILLEGAL_CHARACTERS_RE.sub("", text).replace("\r", "").lstrip("=")[:32_000] or None

    def content(self, picture: Picture) -> bytes:
        book = Workbook()
        sheet = book.active
        sheet.append(list(picture.columns))
        for number, row in enumerate(picture.rows):
            if number < picture.broken:
                sheet.append([*["x"] * len(picture.columns), "stray"])
            sheet.append([row[name] for name in picture.columns])
        file = io.BytesIO()
        book.save(file)
        return file.getvalue()


class JsonLinesFile(FileSource):
    suffix = ".jsonl"
    lines = True

    @property
    def form(self) -> dict[str, Any]:
        return {"type": "json", "lines": True}

    def content(self, picture: Picture) -> bytes:
        records = [
            json.dumps(row, ensure_ascii=number % 2 == 0) for number, row in enumerate(_shown(picture))
        ]
        return "".join(f"{record}\n" for record in ['{"id": '] * picture.broken + records).encode()


class JsonDocument(FileSource):
    suffix = ".json"
    breaks = False  # one broken record breaks the document

    @property
    def form(self) -> dict[str, Any]:
        return {"type": "json", "records": "data.list", "encoding": "gb18030"}

    def content(self, picture: Picture) -> bytes:
        document = {"data": {"list": _shown(picture)}}
        return json.dumps(document, ensure_ascii=False).encode("gb18030")


class XmlFile(FileSource):
    suffix = ".xml"
    breaks = False  # one broken record breaks the document

    @property
    def form(self) -> dict[str, Any]:
        return {"type": "xml", "record": "Visit"}

    def held(self, text: str | None) -> str | None:
        if text is None:
            return None
        return "".join(
            sign for sign in text if sign in "\t\n\r" or (sign >= " " and sign not in "\ufffe\uffff")
        )

    def content(self, picture: Picture) -> bytes:
        root = etree.Element("Visits")
        for row in _shown(picture):
            record = etree.SubElement(root, "Visit")
            for name, text in row.items():
                part = etree.SubElement(record, name)
                part.text = text
                if text is None:
                    part.set(_NIL, "true")
        return bytes(etree.tostring(root, encoding="gb18030", xml_declaration=True))


class FixedWidthFile(FileSource):
    suffix = ".txt"
    drifts = False  # it has no names of columns
    widths: ClassVar[dict[str, int]] = {"id": 8, "name": 24, "note": 24, "moved": 19}

    @property
    def form(self) -> dict[str, Any]:
        return {"type": "fixed_width", "encoding": "gb18030"}

    def held(self, text: str | None) -> str | None:
        plain = "".join(sign for sign in text or "" if sign.isprintable())
        while len(plain.encode("gb18030")) > self.widths["name"]:
            plain = plain[: len(plain) // 2]
        return plain.strip()

    def content(self, picture: Picture) -> bytes:
        lines = [b"a broken line"] * picture.broken
        for row in picture.rows:
            fields = [(row[name] or "").encode("gb18030").ljust(width) for name, width in self.widths.items()]
            lines.append(b"".join(fields))
        return b"\r\n".join(lines) + b"\r\n"


class ServedFile(JsonLinesFile):
    """Lines of JSON on an SFTP server."""

    def __init__(self, folder: Path, *, by_days: bool, line: Line) -> None:
        super().__init__(folder, by_days=by_days)
        self.line = line

    @property
    def container(self) -> dict[str, Any]:
        return {"path": self._pattern, "server": "outbox", "timeout_seconds": 5, **self.form}


def _shown(picture: Picture) -> list[dict[str, str | None]]:
    return [{name: row[name] for name in picture.columns} for row in picture.rows]


FILES: dict[str, type[FileSource]] = {
    "csv": CsvFile,
    "csv-gb18030": ChineseCsvFile,
    "excel": ExcelFile,
    "json-lines": JsonLinesFile,
    "json": JsonDocument,
    "xml": XmlFile,
    "fixed_width": FixedWidthFile,
}
