"""CSV files: encodings, and every way in which a record can be broken."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from clinic import RESOURCE, Raw, source

from ingestion.errors import IngestError, RetryableIngestError
from ingestion.extract import csv_file
from ingestion.run import ingest_source
from ingestion.spec import TableSpec

Write = Callable[..., Path]
FIRM = "clinic__firm"


def firms(path: Path, encoding: str = "gb18030", **more: object) -> dict[str, Any]:
    columns = [
        {"name": "name", "label": "企业名称", "source_name": "企业名称"},
        {"name": "capital", "label": "注册资金", "source_name": "注册资金"},
        {"name": "address", "label": "注册地址", "source_name": "注册地址"},
    ]
    firm = {"name": "firm", "title": "企业", "columns": columns, "resource": RESOURCE, **more}
    return source({"type": "csv", "path": str(path), "encoding": encoding}, firm)


HEADER = "企业名称,注册资金,注册地址"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "firms.csv"


def write(path: Path, *lines: str | bytes, encoding: str = "gb18030") -> None:
    raw = [line if isinstance(line, bytes) else line.encode(encoding) for line in (HEADER, *lines)]
    path.write_bytes(b"\r\n".join(raw) + b"\r\n")


@pytest.mark.parametrize("encoding", ["gb18030", "gbk", "utf-8", "utf-8-sig"])
def test_every_encoding_lands_the_same_text(specs: Write, raw: Raw, file: Path, encoding: str) -> None:
    specs(firms(file, encoding))
    write(
        file,
        "甲公司,1万,地址",
        '乙公司,,"路1号, 2楼\n内院"',
        "乙公司,,",
        encoding=encoding.removesuffix("-sig"),
    )
    if encoding == "utf-8-sig":
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    ingest_source("clinic")
    ingest_source("clinic")
    assert raw.runs() == [("firm", "landed", 3, 0, 0), ("firm", "landed", 0, 0, 0)]
    assert raw.current(FIRM, "name capital address") == [
        ("乙公司", "", ""),
        ("乙公司", "", "路1号, 2楼\n内院"),
        ("甲公司", "1万", "地址"),
    ]


BROKEN: list[tuple[str | bytes, str]] = [
    ("坏,1万", "2 fields where the header has 3"),
    ("坏,1万,地,址", "4 fields where the header has 3"),
    ("坏,1万,".encode("gb18030") + b"\xff\xff", "column 3 (注册地址) holds bytes ff, which are not gb18030"),
    (b"\x00,1,2", "column 1 (企业名称) holds a NUL character"),
    ('坏,"1万,地址', "a quotation mark is not closed"),
]


@pytest.mark.parametrize(("line", "reason"), BROKEN)
def test_a_broken_record_is_rejected_alone(
    specs: Write, raw: Raw, file: Path, line: str | bytes, reason: str
) -> None:
    specs(firms(file))
    sound = [f"公司{n},{n}万,地址{n}" for n in range(1, 61)]
    write(file, *sound[:30], line, *sound[30:])
    (load,) = ingest_source("clinic")
    assert (load.rows_read, load.rows_inserted, load.rows_quarantined) == (61, 60, 1)
    rejected = raw.conn.execute(
        "select position, raw_text, reason from ops.rejected_row where batch_id = %s", [load.batch_id]
    ).fetchall()
    text = line.decode("gb18030", errors="backslashreplace") if isinstance(line, bytes) else line
    assert rejected == [("firms.csv, line 32", text.replace("\0", "\\x00"), reason)]
    assert len(raw.current(FIRM, "name")) == 60


def test_too_many_broken_records_refuse_the_batch(specs: Write, raw: Raw, file: Path) -> None:
    specs(firms(file))
    write(file, *[f"公司{n},{n}万,地址" for n in range(18)], "坏", "坏")
    with pytest.raises(
        IngestError, match=r"2 of 20 records are broken, more than the allowed 5.0%; the first"
    ):
        ingest_source("clinic")
    assert raw.current(FIRM, "name") == []
    kept = raw.conn.execute("select position from ops.rejected_row where source = 'clinic'").fetchall()
    assert kept == [("firms.csv, line 20",), ("firms.csv, line 21",)]
    write(file, *[f"公司{n},{n}万,地址" for n in range(20)])
    ingest_source("clinic")
    assert raw.runs()[-1] == ("firm", "landed", 20, 0, 0)


@pytest.mark.parametrize(("declared", "true"), [("utf-8", "gb18030"), ("gb18030", "utf-8")])
def test_the_wrong_encoding_is_named_with_the_right_one(
    specs: Write, raw: Raw, file: Path, declared: str, true: str
) -> None:
    specs(firms(file, declared))
    write(file, "甲公司,1万,地址", encoding=true)
    with pytest.raises(
        IngestError, match=f"firms.csv is in {true}.*, the spec says {declared}. Fix: write encoding"
    ):
        ingest_source("clinic")
    specs(firms(file, true))
    ingest_source("clinic")
    assert raw.current(FIRM, "name") == [("甲公司",)]


def test_a_renamed_column_is_named_on_both_sides(specs: Write, file: Path) -> None:
    specs(firms(file))
    file.write_bytes("企业名称,注册资本,注册地址\r\n甲,1,2\r\n".encode("gb18030"))
    with pytest.raises(
        IngestError, match=r"column 注册资金 is missing; the source has 注册资本.*source_name: 注册资本"
    ):
        ingest_source("clinic")


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "there is no file"), (b"", "is empty"), (HEADER.encode("gb18030"), "the source has no row")],
)
def test_a_missing_or_empty_file_is_an_error(
    specs: Write, file: Path, content: bytes | None, message: str
) -> None:
    specs(firms(file))
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(IngestError, match=message):
        ingest_source("clinic")


def test_a_file_that_may_be_empty_lands_nothing(specs: Write, raw: Raw, file: Path) -> None:
    specs(firms(file, may_be_empty=True))
    write(file)
    ingest_source("clinic")
    assert raw.runs() == [("firm", "landed", 0, 0, 0)]


def test_an_emptied_file_is_an_error(specs: Write, raw: Raw, file: Path) -> None:
    specs(firms(file, may_be_empty=True))
    write(file, "甲公司,1万,地址")
    ingest_source("clinic")
    write(file)
    with pytest.raises(IngestError, match="none of the 1 rows"):
        ingest_source("clinic")
    assert raw.current(FIRM, "name") == [("甲公司",)]


def test_a_file_still_being_written_is_worth_a_retry(
    specs: Write, raw: Raw, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs(firms(file))
    write(file, "甲公司,1万,地址")
    check = csv_file.check_columns

    def meanwhile(where: str, table: TableSpec, present: Iterable[str]) -> str | None:
        os.utime(file, ns=(1, 1))
        return check(where, table, present)

    monkeypatch.setattr(csv_file, "check_columns", meanwhile)
    with pytest.raises(RetryableIngestError, match="changed while it was read"):
        ingest_source("clinic")
    assert raw.current(FIRM, "name") == []
