"""The records of a CSV file, block by block: a block that is sound as it stands passes whole.

Three ways, each for what the one before cannot take: blocks without quotation marks, blocks that Python's
reader finds sound, and record by record. They accept and reject the same records; only their cost differs.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import repeat

from huiliu.errors import DataError
from ingestion.extract.text_lines import SEPARATOR, TextLines
from ingestion.records import Rejects
from ingestion.source_files import Source

BLOCK = 1 << 20
LONGEST_LINE = 16 << 20  # bytes; no table has such a line, but a file that is no CSV may
# Between parsed fields and records, which may hold line breaks.
_PARTS, _ENDS = SEPARATOR.decode(), "\x1e"


class CsvBlocks:
    """Reads a file below its header; sound records go to `lines`, broken ones to `rejects`."""

    def __init__(
        self,
        source: Source,
        encoding: str,
        delimiter: str,
        lines: TextLines,
        rejects: Rejects,
        *,
        block_size: int = BLOCK,
    ) -> None:
        self.source = source
        self.encoding = encoding
        self.delimiter = delimiter
        self.parts = delimiter.encode()
        self.lines = lines
        self.width = lines.layout.width
        self.rejects = rejects
        self.block_size = block_size
        self.number = 2  # of the line with which the next block begins

    def read(self) -> None:
        """Read to the end. Raises RefusedBatchError as soon as more records are broken than memory holds."""
        rest = b""
        while read := self.source.stream.read(self.block_size):
            # A line break is never part of a longer character in these encodings.
            cut = read.rfind(b"\n") + 1
            if not cut:
                rest += read
                self._check_length(rest)
                continue
            rest = self._take(rest + read[:cut], last=False) + read[cut:]
        self._take(rest, last=True)

    def _check_length(self, rest: bytes) -> None:
        if len(rest) - rest.rfind(b"\n") > LONGEST_LINE:
            raise DataError(
                f"{self.source.where}: a line after line {self.number} has more than"
                f" {LONGEST_LINE >> 20} MiB",
                fix="see that the file is CSV with a record a line",
            )

    def _take(self, raw: bytes, *, last: bool) -> bytes:
        """Take whole lines; return those at the end whose record is not complete yet."""
        if not raw:
            return b""
        rest = b""
        if not self._take_whole(raw):
            rest = self._take_one_by_one(raw, last=last)
        self.number += raw.count(b"\n") - rest.count(b"\n")
        return rest

    def _take_whole(self, raw: bytes) -> bool:
        try:
            text = raw.decode(self.encoding)
        except UnicodeDecodeError:
            return False
        if "\0" in text:
            return False
        if '"' in text:
            return self._take_parsed(text)
        return self._take_plain(raw if self.encoding == "utf-8" else text.encode())

    def _take_plain(self, block: bytes) -> bool:
        """Take a block without quotation marks, if each of its lines has the right number of fields."""
        block = block.replace(b"\r\n", b"\n").removesuffix(b"\n")
        records = block.split(b"\n")
        if (
            b"\r" in block
            or set(map(bytes.count, records, repeat(self.parts))) != {self.width - 1}
            or (self.width == 1 and b"" in records)
            or max(map(len, records)) > csv.field_size_limit()
        ):
            return False
        self.lines.take(records, self.parts, block=block)
        return True

    def _take_parsed(self, text: str) -> bool:
        """Take a block with quotation marks, if all its records are sound and the last is complete."""
        try:
            rows = [row for row in self._reader(io.StringIO(text, newline="\n")) if row]
        except csv.Error:
            return False
        if set(map(len, rows)) - {self.width}:
            return False
        self._take_rows(rows)
        return True

    def _take_rows(self, rows: list[list[str]]) -> None:
        if not rows:
            return
        block = _ENDS.join(map(_PARTS.join, rows))
        if block.count(_PARTS) + len(rows) == len(rows) * self.width and block.count(_ENDS) + 1 == len(rows):
            self.lines.take(block.encode().split(_ENDS.encode()), SEPARATOR, _ENDS.encode(), block.encode())
            return
        for row in rows:  # a field holds what parts them
            self.lines.take_one(row)

    def _reader(self, lines: Iterator[str] | io.StringIO) -> Iterator[list[str]]:
        return csv.reader(lines, delimiter=self.delimiter, strict=True)

    # Record by record --------------------------------------------------------------------------------------

    def _take_one_by_one(self, raw: bytes, *, last: bool) -> bytes:
        """Take what is sound of a block and reject the rest; return the lines of a record that goes on in the
        next block.
        """
        lines = raw.removesuffix(b"\n").split(b"\n")
        at = 0
        while at < len(lines):
            window = _Window(lines[at:], self.encoding)
            rows, sound, wrong = self._sound_rows(window)
            self._take_rows(rows)
            at += sound
            if wrong and window.ran_out and not last:
                return b"\n".join(lines[at:]) + b"\n"
            if wrong:  # only its first line: a stray quotation mark may have swallowed the others
                self._reject(lines[at], at, wrong, broken=window.broken)
                at += 1
        return b""

    def _sound_rows(self, window: _Window) -> tuple[list[list[str]], int, str | None]:
        """Return the records before the first wrong one, of how many lines they are, and what is wrong."""
        rows: list[list[str]] = []
        sound = 0
        try:
            for record in self._reader(iter(window)):
                if len(record) != self.width and record:
                    return rows, sound, f"{len(record)} fields where the header has {self.width}"
                if window.broken:
                    return rows, sound, "a further line of the record is broken"
                if record:
                    rows.append(record)
                sound = window.taken
        except csv.Error:
            return rows, sound, _wrong_quotes(window.lines[sound])
        return rows, sound, None

    def _reject(self, line: bytes, at: int, reason: str, *, broken: bool) -> None:
        whole = self._fault(line) if broken else None
        text = line.decode(self.encoding, errors="backslashreplace").rstrip("\r\n")
        self.rejects.add(f"{self.source.name}, line {self.number + at}", text, whole or reason)

    def _fault(self, line: bytes) -> str | None:
        """Say which column of a line is not in the encoding; None if the line itself is sound."""
        try:
            before = line.decode(self.encoding)
            if "\0" not in before:
                return None
            before, what = before[: before.index("\0")], "holds a NUL character"
        except UnicodeDecodeError as error:
            before = line[: error.start].decode(self.encoding)
            bad = line[error.start : error.end].hex(" ")
            what = f"holds bytes {bad}, which are not {self.encoding}"
        column = before.count(self.delimiter) + 1
        header = self.lines.layout.header
        name = f" ({header[column - 1]})" if column <= len(header) else ""
        return f"column {column}{name} {what}"


def _wrong_quotes(line: bytes) -> str:
    if b'"' in line:
        return "a quotation mark is not closed"
    return f"a line break stands within a field, or a field has more than {csv.field_size_limit()} characters"


class _Window:
    """Lines as text; `broken` once one was not in the encoding or held a NUL."""

    def __init__(self, lines: list[bytes], encoding: str) -> None:
        self.lines = lines
        self.encoding = encoding
        self.taken = 0
        self.broken = False
        self.ran_out = False

    def __iter__(self) -> Iterator[str]:
        for line in self.lines:
            self.taken += 1
            try:
                text = line.decode(self.encoding) + "\n"
                self.broken = self.broken or "\0" in text
            except UnicodeDecodeError:
                text = line.decode(self.encoding, errors="replace") + "\n"
                self.broken = True
            yield text
        self.ran_out = True
