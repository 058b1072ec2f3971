"""Which files are read, once or again, how they may be packed, and what their manifests must say."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from clinic import Raw, source, table

from huiliu.errors import ConfigError
from ingestion import file_choice, file_streams
from ingestion.errors import FatalIngestError, IngestError, RetryableIngestError
from ingestion.extract import probe
from ingestion.file_servers import FileServer, FoundFile, file_server
from ingestion.file_streams import ByteStream
from ingestion.records import Days
from ingestion.run import ingest_source
from ingestion.source_files import FileBatch
from ingestion.spec import load_spec

Write = Callable[..., Path]
VISIT = "clinic__visit"
APPEND = {"type": "append"}


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def visits(path: Path, container: dict[str, Any] | None = None, **more: object) -> dict[str, Any]:
    reached = {"type": "json", "lines": True, "path": str(path), **(container or {})}
    return source(reached, table("visit", "id name", key=["id"], **more))


def lines(*rows: tuple[int, str]) -> bytes:
    return b"".join(f'{{"id": {number}, "name": "{name}"}}\n'.encode() for number, name in rows)


class _UnmarkedName(zipfile.ZipInfo):
    """A name without the mark of UTF-8, as Windows (GBK) and macOS (UTF-8) write them."""

    encoding = "gbk"

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802 - zipfile's own name
        return self.filename.encode(self.encoding), self.flag_bits & ~0x800


def zipped(path: Path, members: dict[str, bytes], encoding: str = "gbk") -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            member = _UnmarkedName(name)
            member.encoding = encoding
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, content)


# Once, or again --------------------------------------------------------------------------------------------


def test_each_file_is_read_once_in_the_order_of_names(specs: Write, raw: Raw, inbox: Path) -> None:
    specs(visits(inbox / "*.jsonl", mode=APPEND))
    (inbox / "2.jsonl").write_bytes(lines((1, "corrected"), (2, "b")))
    (inbox / "1.jsonl").write_bytes(lines((1, "a")))
    ingest_source("clinic")
    (load,) = ingest_source("clinic")
    assert (load.rows_read, load.rows_inserted, load.rows_updated) == (0, 0, 0)
    (inbox / "3.jsonl").write_bytes(lines((3, "c")))
    (inbox / "4.jsonl.part").write_bytes(b"{")
    (load,) = ingest_source("clinic")
    assert (load.rows_read, load.rows_inserted) == (1, 1)
    assert raw.current(VISIT, "id name") == [("1", "corrected"), ("2", "b"), ("3", "c")]
    remembered = raw.conn.execute(
        "select path, size, checksum from ops.read_file where source = 'clinic' order by path"
    ).fetchall()
    assert [Path(path).name for path, _, _ in remembered] == ["1.jsonl", "2.jsonl", "3.jsonl"]
    assert remembered[2][1:] == (23, hashlib.sha256(lines((3, "c"))).hexdigest())


def test_a_file_that_changed_is_read_again_as_a_correction(specs: Write, raw: Raw, inbox: Path) -> None:
    specs(visits(inbox / "*.jsonl", mode=APPEND))
    file = inbox / "1.jsonl"
    file.write_bytes(lines((1, "a"), (2, "b")))
    ingest_source("clinic")
    file.write_bytes(lines((1, "a"), (2, "c")))
    (load,) = ingest_source("clinic")
    assert (load.rows_read, load.rows_updated) == (2, 1)
    assert load.notice == "1.jsonl changed after it was read: it was read again as a correction"


def test_a_file_that_was_only_touched_is_not_read_again(
    specs: Write, raw: Raw, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs(visits(inbox / "*.jsonl", mode=APPEND))
    file = inbox / "1.jsonl"
    file.write_bytes(lines((1, "a")))
    ingest_source("clinic")
    os.utime(file, (1, 1))
    (load,) = ingest_source("clinic")
    assert (load.rows_read, load.notice) == (0, None)
    # Now its time is known: it is not even opened.
    monkeypatch.setattr(FileBatch, "_opened", None)
    ingest_source("clinic")
    assert [run[1] for run in raw.runs()] == ["landed"] * 3


def test_a_new_column_of_the_spec_is_read_from_all_files(specs: Write, raw: Raw, inbox: Path) -> None:
    spec = visits(inbox / "*.jsonl", mode=APPEND)
    spec["tables"][0]["columns"].pop()
    specs(spec)
    (inbox / "1.jsonl").write_bytes(lines((1, "a")))
    (inbox / "2.jsonl").write_bytes(lines((2, "b")))
    ingest_source("clinic")
    specs(visits(inbox / "*.jsonl", mode=APPEND))
    (load,) = ingest_source("clinic")
    assert load.rows_read == 2
    assert raw.current(VISIT, "id name") == [("1", "a"), ("2", "b")]
    (load,) = ingest_source("clinic")
    assert load.rows_read == 0


def test_a_load_that_fails_remembers_no_file(specs: Write, raw: Raw, inbox: Path) -> None:
    specs(visits(inbox / "*.jsonl", mode=APPEND))
    (inbox / "1.jsonl").write_bytes(lines((1, "a")))
    (inbox / "2.jsonl").write_bytes(b"broken\n")
    with pytest.raises(FatalIngestError, match="1 of 2 records are broken"):
        ingest_source("clinic")
    (inbox / "2.jsonl").write_bytes(lines((2, "b")))
    ingest_source("clinic")
    assert raw.current(VISIT, "id") == [("1",), ("2",)]


def test_the_files_of_some_days_are_read_again(specs: Write, raw: Raw, inbox: Path) -> None:
    specs(visits(inbox / "*.jsonl", mode=APPEND))
    for number, name in enumerate(["v20260101", "v20260102_1", "w2026-01-03", "no date"]):
        (inbox / f"{name}.jsonl").write_bytes(lines((number, "a")))
    ingest_source("clinic")
    (load,) = ingest_source("clinic", days=Days(date(2026, 1, 2), date(2026, 1, 3)))
    assert (load.rows_read, load.rows_inserted) == (2, 0)
    with pytest.raises(FatalIngestError, match="no file's name holds a day from 2026-02-01 to 2026-02-02"):
        ingest_source("clinic", days=Days(date(2026, 2, 1), date(2026, 2, 2)))


# What is read last wins ------------------------------------------------------------------------------------

FIFTH = Days(date(2026, 1, 5), date(2026, 1, 5))


def test_a_back_fill_does_not_undo_what_later_files_corrected(specs: Write, raw: Raw, inbox: Path) -> None:
    specs(visits(inbox / "*.jsonl", mode=APPEND))
    (inbox / "v20260105.jsonl").write_bytes(lines((1, "old"), (2, "b")))
    ingest_source("clinic")
    (inbox / "v20260110.jsonl").write_bytes(lines((1, "corrected")))
    (inbox / "v20260104.jsonl").write_bytes(lines((2, "late")))
    ingest_source("clinic")
    for days in (FIFTH, None):
        (load,) = ingest_source("clinic", days=days)
        assert (load.rows_updated, load.notice) == (0, None)
    assert raw.current(VISIT, "id name") == [("1", "corrected"), ("2", "late")]
    (inbox / "v20260110.jsonl").rename(inbox / "archived")
    with pytest.raises(
        FatalIngestError, match=r"v20260110\.jsonl came later .* its corrections would be undone"
    ):
        ingest_source("clinic", days=FIFTH)
    assert raw.current(VISIT, "id name") == [("1", "corrected"), ("2", "late")]


def test_a_file_that_was_sent_again_wins_over_later_ones(specs: Write, raw: Raw, inbox: Path) -> None:
    specs(visits(inbox / "*.jsonl", mode=APPEND))
    for name, value in {"v20260105": "a", "v20260110": "b"}.items():
        (inbox / f"{name}.jsonl").write_bytes(lines((1, value)))
        ingest_source("clinic")
    (inbox / "v20260105.jsonl").write_bytes(lines((1, "mended")))
    (load,) = ingest_source("clinic", days=FIFTH)
    assert (load.rows_read, load.rows_updated) == (1, 1)
    (load,) = ingest_source("clinic", days=Days(date(2026, 1, 10), date(2026, 1, 10)))
    assert (load.rows_read, load.rows_updated) == (2, 0)
    assert raw.current(VISIT, "id name") == [("1", "mended")]


def of_columns(inbox: Path, names: str) -> dict[str, Any]:
    spec = visits(inbox / "*.jsonl", mode=APPEND)
    spec["tables"] = [table("visit", names, key=["id"], mode=APPEND)]
    return spec


def test_after_a_change_of_the_spec_files_are_read_in_the_order_in_which_they_came(
    specs: Write, raw: Raw, inbox: Path
) -> None:
    specs(of_columns(inbox, "id name"))
    (inbox / "v20260110.jsonl").write_text('{"id": 1, "name": "first", "kind": "x"}\n', encoding="utf-8")
    ingest_source("clinic")
    (inbox / "v20260105.jsonl").write_text('{"id": 1, "name": "late", "kind": "y"}\n', encoding="utf-8")
    ingest_source("clinic")
    for columns in ("id name kind", "id kind", "id name kind"):
        specs(of_columns(inbox, columns))
        (load,) = ingest_source("clinic")
        assert load.rows_read == 2
        assert raw.current(VISIT, "id kind") == [("1", "y")]
    (inbox / "v20260105.jsonl").unlink()
    specs(of_columns(inbox, "id kind"))
    (load,) = ingest_source("clinic")
    assert load.notice is not None
    assert "its corrections may be undone by what was read again: v20260105.jsonl" in load.notice


def test_a_column_that_comes_back_into_the_spec_is_read_from_files_already_known(
    specs: Write, raw: Raw, inbox: Path
) -> None:
    (inbox / "1.jsonl").write_bytes(lines((1, "a")))
    for columns, landed in {"id name": ("1", "a"), "id": ("1", None)}.items():
        specs(of_columns(inbox, columns))
        ingest_source("clinic")
        assert raw.current(VISIT, "id name") == [landed]
    specs(of_columns(inbox, "id name"))
    ingest_source("clinic")
    assert raw.current(VISIT, "id name") == [("1", "a")]
    (load,) = ingest_source("clinic")
    assert load.rows_read == 0


def test_a_file_without_a_byte_is_left_out_until_it_is_filled(specs: Write, raw: Raw, inbox: Path) -> None:
    spec = load_spec(specs(visits(inbox / "*.jsonl", mode=APPEND)))
    (inbox / "1.jsonl").write_bytes(lines((1, "a")))
    (inbox / "2.jsonl").write_bytes(b"")
    for rows in (1, 0):
        (load,) = ingest_source("clinic")
        assert (load.rows_read, load.notice) == (rows, "left out while empty: 2.jsonl")
    assert probe(spec, spec.tables[0]) == "1.jsonl: 2 fields, 0 of them unknown to the spec"
    (inbox / "2.jsonl").write_bytes(lines((2, "b")))
    (load,) = ingest_source("clinic")
    assert (load.rows_read, load.notice) == (1, None)


def test_a_link_to_a_file_is_a_file_and_a_folder_is_none(specs: Write, raw: Raw, inbox: Path) -> None:
    specs(visits(inbox / "in*", mode=APPEND))
    (inbox / "elsewhere").write_bytes(lines((1, "a")))
    (inbox / "in1").symlink_to(inbox / "elsewhere")
    (inbox / "in2").symlink_to(inbox / "nowhere")
    (inbox / "in3").mkdir()
    ingest_source("clinic")
    (load,) = ingest_source("clinic")
    assert (raw.current(VISIT, "id"), load.rows_read) == ([("1",)], 0)


def test_a_table_has_its_own_file_by_its_name(specs: Write, raw: Raw, inbox: Path) -> None:
    spec = visits(inbox / "{table}_*.jsonl")
    spec["tables"].append(table("bill", "id name", key=["id"]))
    specs(spec)
    (inbox / "visit_2026.jsonl").write_bytes(lines((1, "a")))
    (inbox / "bill_2026.jsonl").write_bytes(lines((2, "b")))
    ingest_source("clinic")
    assert (raw.current(VISIT, "id"), raw.current("clinic__bill", "id")) == ([("1",)], [("2",)])


# None, several, empty, unreadable --------------------------------------------------------------------------


def test_what_is_wrong_with_the_files_is_said(specs: Write, inbox: Path) -> None:
    spec = load_spec(specs(visits(inbox / "*.jsonl")))
    for names, message in [
        ([], r"there is no file .*\*\.jsonl"),
        (["1.jsonl", "2.jsonl"], r"several files match .*: 1\.jsonl, 2\.jsonl"),
    ]:
        for name in names:
            (inbox / name).write_bytes(lines((1, "a")))
        with pytest.raises(FatalIngestError, match=message):
            ingest_source("clinic")
        with pytest.raises(Exception, match=message):
            probe(spec, spec.tables[0])
    (inbox / "1.jsonl").unlink()
    (inbox / "2.jsonl").write_bytes(b"")
    with pytest.raises(FatalIngestError, match=r"2\.jsonl is empty"):
        ingest_source("clinic")


@pytest.mark.parametrize("mode", [APPEND, {"type": "snapshot"}])
@pytest.mark.parametrize("name", ["*.jsonl", "1.jsonl"])
def test_a_folder_that_is_not_there_is_no_empty_one(
    specs: Write, raw: Raw, inbox: Path, mode: dict[str, str], name: str
) -> None:
    specs(visits(inbox / name, mode=mode))
    (inbox / "1.jsonl").write_bytes(lines((1, "a")))
    ingest_source("clinic")
    inbox.rename(inbox.with_name("not mounted"))
    with pytest.raises(
        RetryableIngestError, match=r"the folder .*/inbox is not there\. Fix: see that it is mounted"
    ):
        ingest_source("clinic")
    assert raw.current(VISIT, "id") == [("1",)]


def test_a_path_that_names_something_unknown_is_a_wrong_spec(specs: Write) -> None:
    specs(visits(Path("{hom}/x.jsonl")))
    with pytest.raises(
        FatalIngestError, match=r"names something unknown\. Fix: use one of {home}, {regions}"
    ):
        ingest_source("clinic")


def test_a_file_we_may_not_read_is_a_matter_of_rights(inbox: Path) -> None:
    file = inbox / "1.jsonl"
    file.write_bytes(lines((1, "a")))
    file.chmod(0)
    with file_server(None, "clinic.visit", 1) as server:
        found = server.look(str(file))
        assert found is not None
        with _not_root(), pytest.raises(ConfigError, match="this machine refuses to open"):
            server.open(found)


@contextmanager
def _not_root() -> Iterator[None]:
    """Whoever is root may read everything, so take that right off for a moment."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    yield
    os.seteuid(before)


@pytest.mark.parametrize("ends", [b"", b'{"id": 2'])
def test_a_file_still_being_written_is_worth_a_retry(
    specs: Write, raw: Raw, inbox: Path, ends: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs(visits(inbox / "1.jsonl"))
    file = inbox / "1.jsonl"
    file.write_bytes(lines((1, "a")) + ends)
    as_it_was = FileServer.open

    def open_and_write_on(server: FileServer, found: FoundFile) -> ByteStream:
        opened = as_it_was(server, found)
        if file.stat().st_size == found.size:
            opened = BytesIO(file.read_bytes())
            file.write_bytes(lines((1, "a"), (2, "b")))
        return opened

    monkeypatch.setattr(FileServer, "open", open_and_write_on)
    with pytest.raises(RetryableIngestError, match=r"1\.jsonl changed while it was read"):
        ingest_source("clinic")
    monkeypatch.undo()
    assert raw.current(VISIT, "id") == []


# Packed ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
def test_the_member_of_an_archive_lands(specs: Write, raw: Raw, inbox: Path, encoding: str) -> None:
    specs(visits(inbox / "*.zip", {"member": "就诊*.jsonl"}))
    zipped(inbox / "数据.zip", {"就诊一月.jsonl": lines((1, "a")), "说明.txt": b"?"}, encoding)
    ingest_source("clinic")
    ingest_source("clinic")
    assert raw.runs() == [("visit", "landed", 1, 0, 0), ("visit", "landed", 0, 0, 0)]


def test_all_members_land_from_archives_that_add(specs: Write, raw: Raw, inbox: Path) -> None:
    specs(visits(inbox / "*.dat", {"zipped": True}, mode=APPEND))
    zipped(inbox / "1.dat", {"b.jsonl": lines((1, "later")), "a.jsonl": lines((1, "a"), (2, "b"))})
    ingest_source("clinic")
    assert raw.current(VISIT, "id name") == [("1", "later"), ("2", "b")]


def test_a_gzipped_file_lands(specs: Write, raw: Raw, inbox: Path) -> None:
    specs(visits(inbox / "*.gz"))
    (inbox / "1.jsonl.gz").write_bytes(gzip.compress(lines((1, "a"))))
    ingest_source("clinic")
    assert raw.current(VISIT, "id") == [("1",)]


def test_an_archive_lands_only_if_it_is_whole(specs: Write, raw: Raw, inbox: Path) -> None:
    specs(visits(inbox / "1.zip"))
    path = inbox / "1.zip"
    many = lines(*[(n, os.urandom(20).hex()) for n in range(2000)])
    zipped(path, {"a.jsonl": many})
    good = path.read_bytes()
    middle = len(good) // 2
    for content, message in [
        (good[:middle], "the packed file is broken"),
        (good[:middle] + bytes(64) + good[middle + 64 :], "the packed file is broken"),
        (_encrypted(good), "is encrypted"),
        (b"PK\x05\x06" + bytes(18), "no member matches .*; it holds nothing"),
    ]:
        path.write_bytes(content)
        with pytest.raises(FatalIngestError, match=message):
            ingest_source("clinic")
    zipped(path, {"a.jsonl": many, "b.jsonl": many})
    with pytest.raises(FatalIngestError, match="several members match"):
        ingest_source("clinic")
    assert raw.current(VISIT, "id") == []


def _encrypted(content: bytes) -> bytes:
    """Set the flag that says so, in both headers of the member."""
    local, central = content.index(b"PK\x03\x04") + 6, content.index(b"PK\x01\x02") + 8
    changed = bytearray(content)
    changed[local] |= 1
    changed[central] |= 1
    return bytes(changed)


@pytest.mark.parametrize("name", ["bomb.zip", "bomb.gz"])
def test_a_decompression_bomb_is_refused(
    specs: Write, raw: Raw, inbox: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_streams, "HARMLESS", 1 << 20)
    specs(visits(inbox / name))
    bomb = (lines((1, "a")) + b"\n" * 4096) * 2000
    if name.endswith("zip"):
        zipped(inbox / name, {"a.jsonl": bomb})
    else:
        (inbox / name).write_bytes(gzip.compress(bomb))
    with pytest.raises(FatalIngestError, match="unpacks to more than 250 times its size"):
        ingest_source("clinic")
    assert raw.current(VISIT, "id") == []


# Manifests -------------------------------------------------------------------------------------------------


def with_manifest(inbox: Path, **manifest: object) -> dict[str, Any]:
    return visits(inbox / "*", manifest={"type": "file", **manifest}, mode=APPEND)


def test_a_file_lands_when_its_manifest_has_come_and_agrees(specs: Write, raw: Raw, inbox: Path) -> None:
    specs(with_manifest(inbox, checksum_field="md5", algorithm="md5"))
    content = lines((1, "a"), (2, "b"))
    (inbox / "1.jsonl").write_bytes(content)
    with pytest.raises(RetryableIngestError, match=r"manifest 1\.jsonl\.json of 1\.jsonl is not there yet"):
        ingest_source("clinic")
    said = {"rows": 2, "md5": hashlib.md5(content, usedforsecurity=False).hexdigest().upper()}
    manifest = inbox / "1.jsonl.json"
    for wrong, message in [
        ({"rows": 3}, "1.jsonl.json says 3 rows, there are 2"),
        ({"md5": "0" * 32}, "1.jsonl.json says checksum 0{32}, it is"),
        ({"md5": None}, "says no md5"),
        ({"rows": "many"}, "rows is no number of rows"),
    ]:
        manifest.write_text(json.dumps(said | wrong), encoding="utf-8")
        with pytest.raises(FatalIngestError, match=message):
            ingest_source("clinic")
    manifest.write_text("{", encoding="utf-8")
    with pytest.raises(FatalIngestError, match="is not JSON"):
        ingest_source("clinic")
    manifest.write_text(json.dumps(said), encoding="utf-8")
    ingest_source("clinic")
    assert raw.current(VISIT, "id") == [("1",), ("2",)]


@pytest.mark.parametrize("algorithm", ["md5", "sha256", "sm3"])
def test_a_file_of_checksums_is_a_manifest_too(specs: Write, raw: Raw, inbox: Path, algorithm: str) -> None:
    specs(with_manifest(inbox, format="checksum", path="{folder}/SUMS", algorithm=algorithm))
    names = ["1.jsonl", "2.jsonl"]
    for name in names:
        (inbox / name).write_bytes(lines((int(name[0]), "a")))
    sums = [hashlib.new(algorithm, (inbox / name).read_bytes()).hexdigest() for name in names]
    text = "".join(f"{one}  ./{name}\n" for one, name in zip(sums, names, strict=True))
    (inbox / "SUMS").write_text(text.replace(sums[1], sums[0]), encoding="utf-8")
    with pytest.raises(FatalIngestError, match="SUMS says checksum"):
        ingest_source("clinic")
    (inbox / "SUMS").write_text(text.partition("\n")[0], encoding="utf-8")
    with pytest.raises(FatalIngestError, match=r"SUMS has no line for 2\.jsonl"):
        ingest_source("clinic")
    (inbox / "SUMS").write_text(text, encoding="utf-8")
    ingest_source("clinic")
    assert raw.current(VISIT, "id") == [("1",), ("2",)]


def test_each_file_is_held_against_its_own_manifest(specs: Write, raw: Raw, inbox: Path) -> None:
    specs(with_manifest(inbox))
    for name, says, rows in [("a", 2, 1), ("b", 2, 3), ("c", 1, 1)]:
        (inbox / f"{name}.jsonl").write_bytes(lines(*[(n, name) for n in range(rows)]))
        (inbox / f"{name}.jsonl.json").write_text(json.dumps({"rows": says}), encoding="utf-8")
    with pytest.raises(FatalIngestError, match=r"a\.jsonl\.json says 2 rows, there are 1"):
        ingest_source("clinic")
    (inbox / "a.jsonl.json").write_text('{"rows": 1}', encoding="utf-8")
    with pytest.raises(FatalIngestError, match=r"b\.jsonl\.json says 2 rows, there are 3"):
        ingest_source("clinic")
    (inbox / "b.jsonl.json").write_text('{"rows": 3}', encoding="utf-8")
    (load,) = ingest_source("clinic")
    assert load.rows_read == 5


def test_days_are_found_in_the_names_of_files() -> None:
    names = ["a20260105.csv", "2026-01-05", "x_2026_01_05_2", "2026年01月05日", "20261305", "120260105"]
    found = [file_choice.days_in(name) for name in names]
    assert found == [[date(2026, 1, 5)]] * 4 + [[], []]


def test_several_faults_of_files_stay_with_their_table(specs: Write, raw: Raw, inbox: Path) -> None:
    spec = visits(inbox / "{table}.jsonl")
    spec["tables"].insert(0, table("gone", "id name", key=["id"]))
    specs(spec)
    (inbox / "visit.jsonl").write_bytes(lines((1, "a")))
    with pytest.raises(IngestError, match=r"clinic\.gone: there is no file"):
        ingest_source("clinic")
    assert raw.current(VISIT, "id") == [("1",)]
