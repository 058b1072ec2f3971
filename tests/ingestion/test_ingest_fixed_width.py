"""Fixed-width files: places in bytes, kinds of line end, and every way in which a line can be broken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from clinic import RESOURCE, Raw, source

from ingestion.errors import IngestError
from ingestion.extract import probe
from ingestion.run import ingest_source
from ingestion.spec import load_spec

Write = Callable[..., Path]
ACCOUNT = "clinic__account"
WIDTHS = {"id": 4, "name": 10, "amount": 6}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ACCOUNT.TXT"


def accounts(path: Path, encoding: str = "gbk", **more: object) -> dict[str, Any]:
    columns = [{"name": name, "label": name, "width": width} for name, width in WIDTHS.items()]
    account = {"name": "account", "title": "账户", "columns": columns, "key": ["id"], "resource": RESOURCE}
    return source({"type": "fixed_width", "path": str(path), "encoding": encoding, **more}, account)


def line(number: object, name: str, amount: object, encoding: str = "gbk") -> bytes:
    raw = name.encode(encoding)
    return f"{number:>4}".encode() + raw + b" " * (10 - len(raw)) + f"{amount:0>6}".encode()


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-8"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r\n\x1a"])
def test_columns_are_places_in_bytes(specs: Write, raw: Raw, file: Path, encoding: str, end: bytes) -> None:
    specs(accounts(file, encoding))
    rows = [line(1, "张三", 5, encoding), line(2, "李四 B", 12, encoding), line(3, "", 0, encoding)]
    file.write_bytes(end[:2].strip(b"\x1a").join(rows) + end)
    ingest_source("clinic")
    ingest_source("clinic")
    assert raw.current(ACCOUNT, "id name amount") == [
        ("1", "张三", "000005"),
        ("2", "李四 B", "000012"),
        ("3", "", "000000"),
    ]
    assert raw.runs() == [("account", "landed", 3, 0, 0), ("account", "landed", 0, 0, 0)]


def test_columns_may_leave_out_places_and_lines_above(specs: Write, raw: Raw, file: Path) -> None:
    spec = accounts(file, skip_lines=1)
    spec["tables"][0]["columns"] = [
        {"name": "amount", "label": "amount", "width": 6, "start": 15},
        {"name": "id", "label": "id", "width": 4, "start": 1},
    ]
    specs(spec)
    file.write_bytes("账户清单\n".encode("gbk") + line(1, "张三", 5) + b"\n")
    ingest_source("clinic")
    assert raw.current(ACCOUNT, "id amount") == [("1", "000005")]


BROKEN: list[tuple[bytes, str]] = [
    (line(9, "短", 1)[:-1], "is 19 bytes long instead of 20"),
    (line(9, "长", 1) + b"0", "is 21 bytes long instead of 20"),
    (b"   9 " + "错位错位".encode("gbk") + b"  00001", "column name is not gbk, or cuts a character in two"),
    (b"   9a\x00        000001", "holds a NUL character"),
]


@pytest.mark.parametrize(("broken", "reason"), BROKEN)
def test_a_broken_line_is_rejected_alone(
    specs: Write, raw: Raw, file: Path, broken: bytes, reason: str
) -> None:
    specs(accounts(file))
    if "cuts" in reason:
        broken = b"   9" + b" " * 9 + "错".encode("gbk") + b"00001"
    sound = [line(n, "张三", n) for n in range(30)]
    file.write_bytes(b"\r\n".join([*sound[:5], broken, *sound[5:]]) + b"\r\n")
    (load,) = ingest_source("clinic")
    assert (load.rows_inserted, load.rows_quarantined) == (30, 1)
    row = raw.conn.execute("select position, reason from ops.rejected_row where source = 'clinic'").fetchone()
    assert row == ("ACCOUNT.TXT, line 6", reason)


def test_another_layout_refuses_the_batch(specs: Write, raw: Raw, file: Path) -> None:
    spec = load_spec(specs(accounts(file)))
    file.write_bytes(b"\n".join(line(n, "张三", n) + b"2026" for n in range(30)) + b"\n")
    with pytest.raises(IngestError, match=r"30 of 30 records are broken.*is 24 bytes long instead of 20"):
        ingest_source("clinic")
    with pytest.raises(Exception, match="is 24 bytes long instead of 20"):
        probe(spec, spec.tables[0])
    assert raw.current(ACCOUNT, "id") == []


def test_a_file_without_line_ends_is_explained(specs: Write, file: Path) -> None:
    specs(accounts(file))
    file.write_bytes(b"x" * (1 << 20))
    with pytest.raises(IngestError, match="line 1 is longer than 1048576 bytes"):
        ingest_source("clinic")


def test_a_probe_says_what_lines_it_found(specs: Write, file: Path) -> None:
    spec = load_spec(specs(accounts(file)))
    file.write_bytes(line(1, "张三", 5) + b"\n")
    assert probe(spec, spec.tables[0]) == "ACCOUNT.TXT: lines of 20 bytes, 3 columns"
