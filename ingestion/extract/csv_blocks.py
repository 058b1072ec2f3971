"""The records of a CSV file, block by block: a block that is sound as it stands passes whole.

Three ways, each for what the one before cannot take: blocks without quotation marks, blocks that Python's
reader finds sound, and record by record. They accept and reject the same records; only their cost differs.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import repeat

from huiliu.errors import DataError
from ingestion.extract.text_lines import SEPARATOR, TextLines
from ingestion.records import Rejects
from ingestion.source_files import Source

BLOCK = 1 << 20
LONGEST_LINE = 16 << 20  # bytes; no table has such a line, but a file that is no CSV may
_ENDS = "\x1e"  # between parsed records, which may hold line breaks


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
        separator = SEPARATOR.decode()
        if separator in text or _ENDS in text:
            for row in rows:
                self.lines.take_one(row)
        elif rows:
            block = _ENDS.join(map(separator.join, rows)).encode()
            ends = _ENDS.encode()
            self.lines.take(block.split(ends), SEPARATOR, ends, block)
        return True

    def _reader(self, lines: Iterator[str] | io.StringIO) -> Iterator[list[str]]:
        return csv.reader(lines, delimiter=self.delimiter, strict=True)

    # Record by record --------------------------------------------------------------------------------------

    def _take_one_by_one(self, raw: bytes, *, last: bool) -> bytes:
        """Take what is sound of a block, reject the rest; lines that are sound by themselves go together."""
        lines = raw.split(b"\n")
        if not lines[-1]:
            lines.pop()
        sound: list[bytes] = []
        at = 0
        while at < len(lines):
            record = self._sound(lines[at])
            if record is not None:
                sound.append(record)
                at += 1
                continue
            self._pass(sound)
            taken = self._take_one(lines, at, last=last)
            if not taken:
                return b"\n".join(lines[at:]) + b"\n"
            at += taken
        self._pass(sound)
        return b""

    def _sound(self, line: bytes) -> bytes | None:
        """Return a line that is a sound record without quotation marks, in UTF-8; None if it is not one."""
        try:
            text = line.removesuffix(b"\r").decode(self.encoding)
        except UnicodeDecodeError:
            return None
        odd = not text or '"' in text or "\0" in text or "\r" in text or len(line) > csv.field_size_limit()
        return None if odd or text.count(self.delimiter) != self.width - 1 else text.encode()

    def _pass(self, sound: list[bytes]) -> None:
        if sound:
            self.lines.take(sound, self.parts)
            sound.clear()

    def _take_one(self, lines: Sequence[bytes], at: int, *, last: bool) -> int:
        """Take or reject the record that begins with a line; return of how many lines it was, 0 if it goes on
        in the next block.
        """
        window = _Lines(lines, at, self.encoding)
        try:
            record = next(self._reader(window), [])
        except csv.Error:
            if window.ran_out and not last:
                return 0
            self._reject(lines[at], at, _wrong_quotes(lines[at]), broken=window.broken)
            return 1  # a quotation mark that never closes: its other lines are read again
        if len(record) == self.width and not window.broken:
            self.lines.take_one(record)
        elif record:
            wrong = f"{len(record)} fields where the header has {self.width}"
            if len(record) == self.width:
                wrong = "a further line of the record is broken"
            self._reject(lines[at], at, wrong, broken=window.broken)
            return 1
        return window.taken

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


class _Lines:
    """Lines of a block from one on, as text; `broken` if one is not in the encoding or holds a NUL."""

    def __init__(self, lines: Sequence[bytes], at: int, encoding: str) -> None:
        self.lines = lines
        self.at = at
        self.encoding = encoding
        self.taken = 0
        self.broken = False
        self.ran_out = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self.at + self.taken == len(self.lines):
            self.ran_out = True
            raise StopIteration
        raw = self.lines[self.at + self.taken] + b"\n"
        self.taken += 1
        try:
            text = raw.decode(self.encoding)
        except UnicodeDecodeError:
            self.broken = True
            return raw.decode(self.encoding, errors="replace")
        self.broken = self.broken or "\0" in text
        return text
