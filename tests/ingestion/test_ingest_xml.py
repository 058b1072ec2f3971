"""XML files: paths, namespaces and encodings, and documents made to break or to reach what they must not."""

from __future__ import annotations

import time
import tracemalloc
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
COLUMNS = {"id": "@id", "name": "Name", "city": "Address/City", "kind": "Address/@kind"}
PATIENT = "clinic__patient"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "patients.xml"


def patients(path: Path, record: str = "Patient", columns: dict[str, str] | None = None) -> dict[str, Any]:
    listed = [{"name": a, "label": a, "source_name": b} for a, b in (columns or COLUMNS).items()]
    patient = {"name": "patient", "title": "患者", "columns": listed, "key": ["id"], "resource": RESOURCE}
    return source({"type": "xml", "path": str(path), "record": record}, patient)


def one(number: int, name: str = "甲") -> str:
    return (
        f'<Patient id="{number}"><Name>{name}</Name><Address kind="家"><City>烟台</City></Address></Patient>'
    )


def document(*records: str, declared: str = "UTF-8") -> str:
    return f'<?xml version="1.0" encoding="{declared}"?>\n<Data>{"".join(records)}</Data>'


ENCODINGS = [
    ("UTF-8", "utf-8"),
    ("UTF-8", "utf-8-sig"),
    ("UTF-16", "utf-16"),
    ("GB2312", "gbk"),
    ("gbk", "gbk"),
    ("GB18030", "gb18030"),
]


@pytest.mark.parametrize(("declared", "encoding"), ENCODINGS)
def test_every_declared_encoding_lands_the_same_text(
    specs: Write, raw: Raw, file: Path, declared: str, encoding: str
) -> None:
    specs(patients(file))
    # 镕 is in GBK and not in GB2312, which many declare and mean GBK by.
    file.write_bytes(document(one(1, "朱镕"), one(2), declared=declared).encode(encoding))
    ingest_source("clinic")
    ingest_source("clinic")
    assert raw.current(PATIENT, "id name city kind") == [
        ("1", "朱镕", "烟台", "家"),
        ("2", "甲", "烟台", "家"),
    ]
    assert raw.runs() == [("patient", "landed", 2, 0, 0), ("patient", "landed", 0, 0, 0)]


def test_namespaces_nulls_repeats_and_unknown_parts_are_kept_apart(
    specs: Write, raw: Raw, file: Path
) -> None:
    specs(patients(file))
    file.write_text(
        '<d:Data xmlns:d="urn:data" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><d:Head>1</d:Head>'
        '<d:Patient id="1"><!-- c --><d:Name xsi:nil="true"/><d:Address kind="家"><d:City/></d:Address>'
        "<d:Phone>1</d:Phone><d:Phone>2</d:Phone><d:Visit><d:On>x</d:On></d:Visit></d:Patient>"
        '<d:Patient id="2"><d:Name>A<![CDATA[&B]]></d:Name></d:Patient></d:Data>',
        encoding="utf-8",
    )
    ingest_source("clinic")
    first, second = raw.current(PATIENT, "id name city kind _extra")
    assert first[:4] == ("1", None, "", "家")
    assert '"Phone": "[\\"1\\", \\"2\\"]"' in first[4]
    assert "<d:On>x</d:On>" in first[4].replace(' xmlns:d=\\"urn:data\\"', "")
    assert second == ("2", "A&B", None, None, None)


def test_an_element_that_stands_several_times_is_a_list_whatever_it_holds(
    specs: Write, raw: Raw, file: Path
) -> None:
    specs(patients(file))
    nil = '<Name xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>'
    names = {1: '<Name>["x</Name><Name>y</Name>', 2: f"{nil}<Name>b</Name><Name>c</Name>"}
    records = [
        f'<Patient id="{n}">{text}<Address kind="家"><City/></Address></Patient>' for n, text in names.items()
    ]
    file.write_text(document(*records), encoding="utf-8")
    ingest_source("clinic")
    assert raw.current(PATIENT, "id name") == [("1", '["[\\"x", "y"]'), ("2", '[null, "b", "c"]')]


def test_many_repeats_take_no_more_time_than_they_are_long(specs: Write, raw: Raw, file: Path) -> None:
    specs(patients(file))
    many = "<Phone>13800000000</Phone>" * 30_000
    file.write_text(document(one(1).replace("<Name>", f"{many}<Name>")), encoding="utf-8")
    begun = time.perf_counter()
    ingest_source("clinic")
    assert time.perf_counter() - begun < 10  # parsed anew at each repeat: minutes
    assert raw.current(PATIENT, "id") == [("1",)]


def test_a_path_tells_elements_of_the_same_name_apart(specs: Write, raw: Raw, file: Path) -> None:
    specs(patients(file, "Data/In/Item", {"id": "@id"}))
    file.write_text(
        '<Data><Out><Item id="0"/></Out><In><Item id="1"><Sub><Item id="9"/></Sub></Item></In></Data>',
        encoding="utf-8",
    )
    ingest_source("clinic")
    assert raw.current(PATIENT, "id") == [("1",)]


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
HOSTILE = {
    "a file of ours": '<!DOCTYPE Data [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    "another server": '<!DOCTYPE Data SYSTEM "http://127.0.0.1:1/data.dtd">',
    "a billion laughs": f'<!DOCTYPE Data [<!ENTITY l0 "ha">{LAUGHS}<!ENTITY x "&l9;">]>',
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_document_that_declares_a_type_is_refused(specs: Write, raw: Raw, file: Path, what: str) -> None:
    specs(patients(file))
    body = document(one(1, "&x;") if "SYSTEM" not in HOSTILE[what] or "ENTITY" in HOSTILE[what] else one(1))
    file.write_text(body.replace("<Data>", HOSTILE[what] + "<Data>"), encoding="utf-8")
    with pytest.raises(IngestError, match="declares a document type, which is not read") as caught:
        ingest_source("clinic")
    assert "root:" not in str(caught.value)
    assert raw.current(PATIENT, "id") == []


REFUSED = [
    (document(one(1), one(2))[:-20].encode(), r"is not well-formed XML: line 2, column \d+"),
    (document(one(1), "<Patient></Name>").encode(), "is not well-formed XML: line 2"),
    (document(one(1, "&nothing;")).encode(), "is not well-formed XML"),
    (document(one(1)).encode("gbk"), "is not in its declared encoding utf-8-sig near byte"),
    (document(one(1), declared="klingon").encode(), "is in klingon, which is unknown"),
    (document(one(1), declared="hex").encode(), "is in hex, which is unknown"),
    (document(one(1), declared="idna").encode(), "is in idna, which is unknown"),
    (document(one(1), declared="unicode_escape").encode(), "is in unicode_escape, which is unknown"),
    (
        document(one(1).replace("Name", "FullName")).encode(),
        "column Name is missing; the source has FullName",
    ),
    (document().encode(), "the source has no row"),
    (b"not xml", "is not well-formed XML: line 1"),
]


@pytest.mark.parametrize(("content", "message"), REFUSED)
def test_a_broken_document_lands_nothing(
    specs: Write, raw: Raw, file: Path, content: bytes, message: str
) -> None:
    specs(patients(file))
    file.write_bytes(content)
    with pytest.raises(IngestError, match=message):
        ingest_source("clinic")
    assert raw.current(PATIENT, "id") == []


def test_a_probe_compares_the_first_records_with_the_spec(specs: Write, file: Path) -> None:
    spec = load_spec(specs(patients(file)))
    file.write_text(document(one(1)), encoding="utf-8")
    assert probe(spec, spec.tables[0]) == "patients.xml: 4 fields, 0 of them unknown to the spec"
    file.write_text(document("<Person/>"), encoding="utf-8")
    with pytest.raises(Exception, match="has no element Patient"):
        probe(spec, spec.tables[0])


def test_memory_stays_flat_whatever_else_the_document_holds(specs: Write, raw: Raw, file: Path) -> None:
    specs(patients(file))
    others = f"<Others>{'<Other><A>b</A></Other>' * 200_000}</Others>"
    file.write_text(document(others, *[one(n) for n in range(20_000)]), encoding="utf-8")
    before = _resident()
    tracemalloc.start()
    ingest_source("clinic")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20
    assert _resident() - before < 60 << 20  # libxml2's tree of the whole document takes 150 MB
    assert raw.runs() == [("patient", "landed", 20_000, 0, 0)]


def _resident() -> int:
    """The most memory this process ever held, in bytes."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) << 10
