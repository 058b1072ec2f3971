"""JSON files: lines and documents, what stays as it was written, and every way in which one can be broken."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from clinic import RESOURCE, Raw, source, table

from ingestion.containers.files import JsonContainer
from ingestion.errors import IngestError
from ingestion.extract import json_rows, probe
from ingestion.extract.json_rows import Document
from ingestion.run import ingest_source
from ingestion.spec import load_spec

Write = Callable[..., Path]
VISIT = "clinic__visit"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "visits.json"


def visits(path: Path, names: str = "id name", **container: object) -> dict[str, Any]:
    return source({"type": "json", "path": str(path), **container}, table("visit", names, key=["id"]))


def rejected(raw: Raw) -> list[tuple[Any, ...]]:
    return raw.conn.execute(
        "select position, raw_text, reason from ops.rejected_row where source = 'clinic' order by position"
    ).fetchall()


def test_values_stay_as_they_were_written(specs: Write, raw: Raw, file: Path) -> None:
    specs(visits(file, "id amount paid place phones note", lines=True))
    file.write_text(
        '{"id": 370602199001010011123, "amount": 1.10, "paid": true, "place": {"at": [121.40, 1E5]},'
        ' "phones": ["1", null], "note": ""}\r\n'
        '\n{"id": "b", "amount": -0.0, "paid": false, "place": null, "phones": [], "other": {"x": 1.50}}\n',
        encoding="utf-8",
    )
    ingest_source("clinic")
    ingest_source("clinic")
    assert raw.runs() == [("visit", "landed", 2, 0, 0), ("visit", "landed", 0, 0, 0)]
    assert raw.current(VISIT, "id amount paid place phones note _extra") == [
        ("370602199001010011123", "1.10", "true", '{"at": [121.40, 1E5]}', '["1", null]', "", None),
        ("b", "-0.0", "false", None, "[]", None, '{"other": "{\\"x\\": 1.50}"}'),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("lines", [True, False])
def test_every_encoding_lands_the_same_text(
    specs: Write, raw: Raw, file: Path, encoding: str, lines: bool
) -> None:
    specs(visits(file, lines=lines, encoding=encoding))
    records = [{"id": str(n), "name": f"姓名{n}𠮷"} for n in range(30)]
    texts = [json.dumps(one, ensure_ascii=False) for one in records]
    file.write_bytes(("\n".join(texts) + "\n" if lines else f"[{','.join(texts)}]").encode(encoding))
    ingest_source("clinic")
    assert len(raw.current(VISIT, "id")) == 30
    assert ("7", "姓名7𠮷") in raw.current(VISIT, "id name")


def test_geojson_lands_with_its_geometry_as_json(specs: Write, raw: Raw, file: Path) -> None:
    columns = [
        {"name": "id", "label": "编号", "source_name": "properties.id"},
        {"name": "name", "label": "名称", "source_name": "properties.name"},
        {"name": "geometry", "label": "位置"},
    ]
    place = {"name": "place", "title": "地点", "columns": columns, "key": ["id"], "resource": RESOURCE}
    specs(source({"type": "json", "path": str(file), "records": "features"}, place))
    file.write_text(
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"id": 1, "name": "甲",'
        ' "kind": "x"}, "geometry": {"type": "Point", "coordinates": [121.40, 37.5]}}], "total": 1}',
        encoding="utf-8",
    )
    (load,) = ingest_source("clinic")
    assert raw.current("clinic__place", "id name geometry _extra") == [
        (
            "1",
            "甲",
            '{"type": "Point", "coordinates": [121.40, 37.5]}',
            '{"properties.kind": "x", "type": "Feature"}',
        )
    ]
    assert load.notice is not None
    assert "properties.kind" in load.notice


BROKEN: list[tuple[bytes, str]] = [
    (b'{"id": 1,', "is not JSON from character 10"),
    (b'{"id": 1, "name": "\xff"}', "byte 20 is not utf-8"),
    (b'{"id": 1, "name": "a\\u0000"}', "holds a NUL character"),
    (b'{"id": 1, "name": "\\ud800"}', "holds half of a character (a lone surrogate)"),
    (b"[1, 2]", "is no object"),
    (b'"\\ud800"', "is no object"),
    (b'{"id": 1, "name": "a", "\\ud800": "b"}', "holds half of a character (a lone surrogate)"),
    (b'{"id": 1, "name": "a", "\\u0000": "b"}', "holds a NUL character"),
    (b'{"id": 1, "name": "a", "name": "b"}', "a key is written twice"),
    (b'{"id": 1, "name": {"a": [{"b": 1, "b": 2}]}}', "a key is written twice"),
    (b'{"id": 1, "name": NaN}', "is not JSON"),
    (b"[" * 100_000, "is nested too deeply"),
    (b'{"id": 1, "name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "is nested too deeply"),
    (b'{"id": 1, "name": ' + b"[" * 900 + b"]" * 900 + b"}", "is nested too deeply"),
]


@pytest.mark.parametrize(("line", "reason"), BROKEN)
def test_a_broken_line_is_rejected_alone(
    specs: Write, raw: Raw, file: Path, line: bytes, reason: str
) -> None:
    specs(visits(file, lines=True))
    sound = [f'{{"id": {n}, "name": "p"}}'.encode() for n in range(30)]
    file.write_bytes(b"\n".join([*sound[:10], line, *sound[10:]]) + b"\n")
    (load,) = ingest_source("clinic")
    assert (load.rows_inserted, load.rows_quarantined) == (30, 1)
    ((position, _, why),) = rejected(raw)
    assert (position, why) == ("visits.json, line 11", reason)


REFUSED: list[tuple[bytes, dict[str, Any], str]] = [
    (b'{"id": 1, "name": "p"}\n{"id": 2, "na', {"lines": True}, "line 2 breaks off"),
    (b'[{"id": 1, "name": "p"}, {"id": 2', {}, "not a whole JSON document: it breaks after record 1"),
    (b'[{"id": 1, "name": "p"}] trailing', {}, "not a whole JSON document"),
    (b'{"data": {"rows": []}}', {"records": "data.list"}, "has no list data.list"),
    (b'{"data": {"id": 1}}', {}, "has no list of records"),
    (b'[{"id": 1, "full_name": "p"}]', {}, "column name is missing; the source has full_name"),
    (b"[{'id': 1}]", {}, "not a whole JSON document"),
    ('[{"id": 1, "name": "姓"}]'.encode("gbk"), {}, "is not in its declared encoding near byte 21"),
    (b'{"list": []}', {"records": "list"}, "the source has no row"),
    (b'{"meta": "' + b"x" * 100_000 + b'", "list": []}', {"records": "list"}, "the source has no row"),
    (b'{"list": [], "list": []}', {"records": "list"}, "not a whole JSON document"),
    (b'[{"id": 1, "name": NaN}]', {}, "not a whole JSON document: it breaks after record 0"),
    (b'[{"id": 1, "name": "p"},]', {}, "not a whole JSON document: it breaks after record 1"),
    (b'{"data": {}, }', {"records": "data"}, "not a whole JSON document"),
]


@pytest.mark.parametrize(("content", "container", "message"), REFUSED)
def test_a_file_that_is_not_what_the_spec_says_lands_nothing(
    specs: Write, raw: Raw, file: Path, content: bytes, container: dict[str, Any], message: str
) -> None:
    specs(visits(file, **container))
    file.write_bytes(content)
    with pytest.raises(IngestError, match=message):
        ingest_source("clinic")
    assert raw.current(VISIT, "id") == []


HARMFUL = {
    "deep": ("[" * 200_000, "nested too deeply"),
    "deep behind a key": ('{"list": [{"id": ' + '{"a": ' * 200_000, "nested too deeply"),
    "deep beside the list": ('{"meta": ' + '{"a": ' * 200_000, "nested too deeply"),
    "endless": ('[{"id": 1, "name": "' + "x" * (20 << 20), "breaks after record 0"),
    "long number": ('[{"id": 1, "name": ' + "9" * 5000 + "}]", "1 record"),
}
READER = """
import resource, sys
from pathlib import Path
from ingestion.containers.files import JsonContainer
from ingestion.extract import json_file
from ingestion.records import Rejects
from ingestion.source_files import Source
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
path = Path(sys.argv[1])
container = JsonContainer(type="json", path=str(path), records=sys.argv[2])
with path.open("rb") as stream:
    try:
        records = json_file._records(Source("x", "x", stream, path), container, Rejects("x"))
        print(len(list(records)), "record")
    except json_file.DataError as error:
        print(error)
"""


@pytest.mark.parametrize("what", HARMFUL)
def test_a_document_made_to_break_its_reader_ends_in_an_error(file: Path, what: str) -> None:
    content, message = HARMFUL[what]
    file.write_text(content, encoding="utf-8")
    records = "list" if "list" in what or "key" in what else ""
    done = subprocess.run(
        [sys.executable, "-c", READER, str(file), records], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert message in done.stdout


def test_a_document_is_the_same_in_pieces_of_any_size() -> None:
    records = [1, 12.25, -3e-7, 's"]', [], {}, {"k": [1]}, True]
    text = json.dumps({"a": [1, {"x": None}], "data": {"z": {}, "list": records}}, indent=1)
    wanted = [json_rows.parsed(json.dumps(one)) for one in records]
    for size in range(1, 30):
        assert list(_in_pieces(text, size).records(["data", "list"])) == wanted
    for end in range(len(text)):
        with pytest.raises(ValueError, match=r"."):
            list(_in_pieces(text[:end], 7).records(["data", "list"]))


def _in_pieces(text: str, size: int) -> Document:
    stream = io.StringIO(text)
    return Document(lambda _: stream.read(size))


def test_a_field_that_some_records_lack_is_null(specs: Write, raw: Raw, file: Path) -> None:
    specs(visits(file))
    file.write_text('[{"id": 1}, {"id": 2, "name": "p"}]', encoding="utf-8")
    ingest_source("clinic")
    assert raw.current(VISIT, "id name") == [("1", None), ("2", "p")]


def test_a_probe_compares_the_first_records_with_the_spec(specs: Write, file: Path) -> None:
    spec = load_spec(specs(visits(file)))
    file.write_text('[{"id": 1, "name": "p", "age": 3}]', encoding="utf-8")
    assert probe(spec, spec.tables[0]) == "visits.json: 3 fields, 1 of them unknown to the spec"
    file.write_text('[{"id": 1, "age": 3}]', encoding="utf-8")
    with pytest.raises(Exception, match="column name is missing"):
        probe(spec, spec.tables[0])


@pytest.mark.parametrize("lines", [True, False])
def test_memory_stays_flat(specs: Write, raw: Raw, file: Path, lines: bool) -> None:
    specs(visits(file, lines=lines))
    records = (f'{{"id": {n}, "name": "{"p" * 200}"}}' for n in range(40_000))
    file.write_text("\n".join(records) if lines else f"[{','.join(records)}]", encoding="utf-8")
    tracemalloc.start()
    ingest_source("clinic")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 << 20  # the file has 9 MB
    assert raw.runs() == [("visit", "landed", 40_000, 0, 0)]


def test_records_belong_to_documents_only() -> None:
    fault = JsonContainer(type="json", path="x", lines=True, records="data").fault(None)
    assert fault == "records belongs to a whole document, not to lines"
