"""CSV files: encodings, and every way in which a record can be broken."""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from clinic import RESOURCE, Raw, source

from huiliu.errors import DataError
from ingestion import drift
from ingestion.errors import IngestError, RetryableIngestError
from ingestion.extract import csv_file
from ingestion.run import ingest_source
from ingestion.spec import TableSpec, load_spec

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
    check = drift.check

    def meanwhile(
        where: str, table: TableSpec, present: dict[str, str | None], known: dict[str, str]
    ) -> tuple[str, ...]:
        os.utime(file, ns=(1, 1))
        return check(where, table, present, known)

    monkeypatch.setattr(drift, "check", meanwhile)
    with pytest.raises(RetryableIngestError, match="changed while it was read"):
        ingest_source("clinic")
    assert raw.current(FIRM, "name") == []


def test_what_copy_would_take_for_a_sign_lands_as_it_stands(specs: Write, raw: Raw, file: Path) -> None:
    specs(firms(file))
    rows = [("\\.", "\\N", "a\\tb"), ("tab\there", "", "反斜杠\\"), ("甲\u001f乙", "1", "2")]
    write(file, *[",".join(row) for row in rows])
    ingest_source("clinic")
    ingest_source("clinic")
    assert raw.runs()[-1] == ("firm", "landed", 0, 0, 0)
    assert raw.current(FIRM, "name capital address") == sorted(rows)
    assert raw.state_agrees(FIRM)


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\x84\x31\x95\x33", "gb18030"),
        (b"\x84\x31\x95\x33", "gbk"),
    ],
)
def test_a_byte_order_mark_is_no_part_of_the_first_name(
    specs: Write, raw: Raw, file: Path, mark: bytes, encoding: str
) -> None:
    specs(firms(file, encoding))
    write(file, "甲公司,1万,地址", encoding=encoding.removesuffix("-sig"))
    file.write_bytes(mark + file.read_bytes())
    ingest_source("clinic")
    assert raw.current(FIRM, "name") == [("甲公司",)]


def test_a_file_of_wide_characters_is_named(specs: Write, file: Path) -> None:
    specs(firms(file))
    write(file, "甲公司,1万,地址", encoding="utf-16")
    with pytest.raises(IngestError, match=r"is in utf-16, the spec says gb18030. Fix: have the file sent in"):
        ingest_source("clinic")


def test_a_file_whose_lines_end_in_another_way_is_an_error(specs: Write, file: Path) -> None:
    specs(firms(file))
    file.write_bytes(f"{HEADER}\r甲,1万,地址\r".encode("gb18030"))
    with pytest.raises(IngestError, match=r"firms.csv: line 1 is no header in gb18030"):
        ingest_source("clinic")


def test_columns_in_another_order_and_columns_the_spec_does_not_know_are_kept(
    specs: Write, raw: Raw, file: Path
) -> None:
    specs(firms(file))
    file.write_text(
        '注册地址,状态,企业名称,,注册资金\n路1号,"开\t业",甲,,1万\n路2号,,乙,,2万\n', encoding="gb18030"
    )
    ingest_source("clinic")
    assert raw.current(FIRM, "name capital address _extra") == [
        ("乙", "2万", "路2号", None),
        ("甲", "1万", "路1号", '{"状态": "开\\t业"}'),
    ]
    file.write_text(
        '企业名称,注册资金,注册地址,状态\n甲,1万,路1号,"开\t业"\n乙,2万,路2号,停业\n', encoding="gb18030"
    )
    ingest_source("clinic")
    assert raw.runs()[-1] == ("firm", "landed", 0, 1, 0)
    assert raw.state_agrees(FIRM)


@pytest.mark.parametrize("delimiter", ["|", "\t", ";", "，"])
def test_any_delimiter_parts_the_fields(specs: Write, raw: Raw, file: Path, delimiter: str) -> None:
    spec = firms(file)
    spec["container"]["delimiter"] = delimiter
    specs(spec)
    lines = [HEADER, "甲,1万,地址", '乙,,"路1号, 2楼"']
    file.write_text("".join(line.replace(",", delimiter) + "\n" for line in lines), encoding="gb18030")
    ingest_source("clinic")
    address = f"路1号{delimiter} 2楼"
    assert raw.current(FIRM, "name capital address") == [("乙", "", address), ("甲", "1万", "地址")]


def test_rows_that_come_twice_are_told_apart(specs: Write, raw: Raw, file: Path) -> None:
    specs(firms(file))
    write(file, *["甲公司,1万,地址"] * 3, "乙公司,1万,地址")
    ingest_source("clinic")
    write(file, *["甲公司,1万,地址"] * 2, "乙公司,1万,地址")
    ingest_source("clinic")
    assert raw.runs() == [("firm", "landed", 4, 0, 0), ("firm", "landed", 0, 0, 1)]


def test_each_new_file_is_read_once_with_a_header_of_its_own(specs: Write, raw: Raw, tmp_path: Path) -> None:
    specs(firms(tmp_path / "firms-*.csv*", key=["name"], mode={"type": "append"}))
    (tmp_path / "firms-1.csv").write_text(f"{HEADER}\n甲,1万,路1号\n乙,2万,路2号\n", encoding="gb18030")
    ingest_source("clinic")
    packed = gzip.compress("注册地址,企业名称,注册资金\n路9号,乙,2万\n路3号,丙,3万\n".encode("gb18030"))
    (tmp_path / "firms-2.csv.gz").write_bytes(packed)
    ingest_source("clinic")
    ingest_source("clinic")
    assert [run[2:] for run in raw.runs()] == [(2, 0, 0), (1, 1, 0), (0, 0, 0)]
    assert raw.current(FIRM, "name address") == [("丙", "路3号"), ("乙", "路9号"), ("甲", "路1号")]


def test_a_probe_checks_the_header_and_guesses_the_rows(specs: Write, file: Path) -> None:
    path = specs(firms(file))
    write(file, *[f"公司{n},1万,地址" for n in range(50)])
    spec = load_spec(path)
    assert csv_file.probe(spec, spec.container, spec.tables[0]) == "firms.csv: 3 columns, about 50 rows"
    write(file, *[f"公司{n},1万,地址" for n in range(100_000)])
    found = re.search(r"about ([\d,]+) rows", csv_file.probe(spec, spec.container, spec.tables[0]))
    assert found
    assert 95_000 < int(found[1].replace(",", "")) < 105_000
    file.write_bytes("企业名称,注册资本\n".encode("gb18030"))
    with pytest.raises(DataError, match="column 注册资金, 注册地址 is missing"):
        csv_file.probe(spec, spec.container, spec.tables[0])
