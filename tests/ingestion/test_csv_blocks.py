"""Whatever way a block of CSV takes, it gives the rows and the rejects of the simple way, and right keys."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import Any, BinaryIO, cast

import csv_reference
import pytest
from clinic import RESOURCE
from hypothesis import given, settings
from hypothesis import strategies as st

from huiliu.errors import DataError
from ingestion import row_hash
from ingestion.extract import csv_blocks
from ingestion.extract.csv_blocks import CsvBlocks
from ingestion.extract.repeated_keys import RepeatedKeys
from ingestion.extract.text_lines import Layout, TextLines
from ingestion.raw_table import RawTable
from ingestion.records import Rejects
from ingestion.source_files import Source
from ingestion.spec import TableSpec
from ingestion.stage import Batch, Stage, as_extra

LIMIT = 40  # characters of a field, so that a quotation mark left open soon ends
PIECES = ["a", "中", "𠀀", " ", '"', '""', "\n", "\r\n", "\r", "\0", "\x1f", "\x1e", "\\", "\\.", "\\N", "\t"]
BROKEN = [b"\xff", b"\x81", b"n" * 45]
SHAPES = {
    "of one column": ["k"],
    "as the spec": ["k", "x", "y"],
    "in another order": ["y", "k", "x"],
    "with more columns": ["k", "more", "y", "x", "中"],
}


@pytest.fixture(autouse=True, scope="module")
def _small_fields() -> Iterator[None]:
    before = csv.field_size_limit(LIMIT)
    yield
    csv.field_size_limit(before)


class Written:
    """Takes the place of a COPY and reads back what it was given."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data

    def rows(self) -> list[list[str | None]]:
        lines = self.data.decode().split("\n")[:-1]
        return [[_unescaped(field) for field in line.split("\t")] for line in lines]


def _unescaped(field: str) -> str | None:
    if field == "\\N":
        return None
    escapes = {"\\": "\\", "t": "\t", "n": "\n", "r": "\r"}
    text = ""
    characters = iter(field)
    for character in characters:
        text += escapes[next(characters)] if character == "\\" else character
    return text


def _columns(header: list[str]) -> list[str]:
    return [name for name in ("k", "x", "y") if name in header]


def _table(header: list[str], key: list[str]) -> TableSpec:
    columns = [{"name": name, "label": name} for name in _columns(header)]
    return TableSpec.model_validate(
        {"name": "t", "title": "t", "key": key, "columns": columns, "resource": RESOURCE}
    )


class Reading:
    """A file read in blocks, and what came of it."""

    def __init__(
        self,
        content: bytes,
        encoding: str,
        delimiter: str,
        header: list[str],
        key: list[str],
        *,
        direct: bool,
        block_size: int,
    ) -> None:
        table = _table(header, key)
        stage = Stage(cast("Any", None), RawTable("s", table), Batch(7, date(2026, 1, 15)), direct, {})
        layout = Layout.of(table, header, [name for name in header if name not in table.column_names])
        self.written, self.rejects = Written(), Rejects("s.t")
        self.keys = RepeatedKeys(io.BytesIO(), kept=5)
        self.lines = TextLines(stage, cast("Any", self.written), layout, self.keys)
        source = Source("t.csv", "s.t: t.csv", cast("BinaryIO", io.BytesIO(content)), None)
        CsvBlocks(source, encoding, delimiter, self.lines, self.rejects, block_size=block_size).read()


def _expected(record: list[str], header: list[str], key: list[str], *, direct: bool) -> list[str | None]:
    named = dict(zip(header, record, strict=True))
    columns = _columns(header)
    values = [named[name] for name in columns]
    extra = as_extra({name: text or None for name, text in named.items() if name not in columns})
    row: list[str | None] = [*values, *([extra] if len(header) > 3 else [])]
    row.append(row_hash.of_texts([named[name] for name in key] if key else values))
    return row if direct else [*row, row_hash.of_texts(values, extra)]


def _contents(encoding: str, delimiter: str, width: int) -> st.SearchStrategy[bytes]:
    """Sound lines among pieces of anything."""
    field = st.sampled_from(["", "a", "中文", "b c", "1"])
    quoted = st.sampled_from(['"a"', '"中""文"', '"x\ny"', f'"{delimiter}"', "'"])
    sound = st.lists(field, min_size=width, max_size=width).map(delimiter.join)
    sound_rest = st.lists(field, min_size=width - 1, max_size=width - 1).map(
        lambda fields: "".join(delimiter + one for one in fields)
    )
    mixed = st.lists(field | quoted, min_size=width - 1, max_size=width).map(delimiter.join)
    piece = st.sampled_from([*PIECES, *BROKEN, delimiter])
    strange = st.sampled_from([*PIECES, *BROKEN])
    one_strange = st.tuples(sound, strange) if width == 1 else st.tuples(strange, sound_rest)
    line = sound | sound | sound | mixed | one_strange | st.lists(piece, max_size=8)
    ended = st.tuples(line, st.sampled_from(["\n", "\n", "\r\n", ""]))

    def encoded(part: str | bytes) -> bytes:
        return part if isinstance(part, bytes) else part.encode(encoding, errors="ignore")

    def joined(lines: list[tuple[Any, str]]) -> bytes:
        return b"".join(b"".join(map(encoded, line)) + encoded(end) for line, end in lines)

    return st.lists(ended, max_size=30).map(joined)


@settings(max_examples=400, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("shape", SHAPES)
def test_every_way_gives_the_rows_and_rejects_of_the_simple_one(shape: str, data: st.DataObject) -> None:
    header = SHAPES[shape]
    encoding = data.draw(st.sampled_from(["utf-8", "gb18030", "gbk"]))
    delimiter = data.draw(st.sampled_from([",", ",", "|", "\t", "，", "\\", "\x1f"]))
    key = data.draw(st.sampled_from([[], ["k"], ["k"], _columns(header)[::-1][:2]]))
    direct = data.draw(st.booleans())
    content = data.draw(_contents(encoding, delimiter, len(header)))
    block_size = data.draw(st.integers(1, 200))
    reading = Reading(content, encoding, delimiter, header, key, direct=direct, block_size=block_size)
    records, rejected = csv_reference.read(content, encoding, delimiter, len(header))
    rows = [_expected(record, header, key, direct=direct) for record in records]
    assert reading.written.rows() == rows
    assert [kept.position for kept in reading.rejects.kept] == [f"t.csv, line {n}" for n in rejected]
    assert reading.lines.rows == len(rows)
    keys = sorted(str(row[-1 if direct else -2]) for row in rows)
    assert reading.keys.none() == all(one != other for one, other in pairwise(keys))


def test_a_file_without_line_breaks_is_no_csv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_blocks, "LONGEST_LINE", 1000)
    with pytest.raises(DataError, match="a line after line 3 has more than"):
        Reading(b"1,2,3\n" + b"x" * 2000, "utf-8", ",", ["k", "x", "y"], [], direct=True, block_size=100)
