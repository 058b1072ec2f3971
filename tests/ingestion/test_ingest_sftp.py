"""Files on a real SFTP server: only a known one is spoken to, and whatever it does, nothing half lands."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from clinic import Raw, source, table
from sftp_server import PASSWORD, Server, new_key, serving

from huiliu.settings import forget_settings
from ingestion.errors import FatalIngestError, RetryableIngestError
from ingestion.extract import probe
from ingestion.run import ingest_source
from ingestion.spec import load_spec

Write = Callable[..., Path]
LINES = "".join(f'{{"id": {n}, "name": "p{n}"}}\n' for n in range(1, 20_001))


def visits(path: str = "visits.jsonl", **more: object) -> dict[str, Any]:
    container = {"type": "json", "lines": True, "server": "outbox", "path": path, "timeout_seconds": 3}
    return source(container, table("visit", "id name", key=["id"], **more))


@pytest.fixture
def connect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set the address, the secret and the known host keys of a server."""

    def connect(server: Server, *, secret: str = PASSWORD, known: str | None = None) -> None:
        known_hosts = tmp_path / "known_hosts"
        known_hosts.write_text(server.known_host if known is None else known, encoding="utf-8")
        monkeypatch.setenv("HUILIU_KNOWN_HOSTS", str(known_hosts))
        monkeypatch.setenv("HUILIU_URL_OUTBOX", server.address)
        monkeypatch.setenv("HUILIU_SECRET_OUTBOX", secret)
        forget_settings()

    return connect


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "served"
    (folder / "out").mkdir(parents=True)
    (folder / "out" / "visits.jsonl").write_text(LINES, encoding="utf-8")
    return folder


Connect = Callable[..., None]


def test_a_file_lands_from_a_server(specs: Write, raw: Raw, connect: Connect, root: Path) -> None:
    path = specs(visits())
    with serving(root) as server:
        connect(server)
        ingest_source("clinic")
        ingest_source("clinic")
        spec = load_spec(path)
        assert probe(spec, spec.tables[0]) == "visits.jsonl: 2 fields, 0 of them unknown to the spec"
    assert raw.runs() == [("visit", "landed", 20_000, 0, 0), ("visit", "landed", 0, 0, 0)]


def test_a_private_key_opens_the_server_too(
    specs: Write, raw: Raw, connect: Connect, root: Path, tmp_path: Path
) -> None:
    specs(visits())
    key = new_key(tmp_path / "login_key")
    with serving(root, authorized=key) as server:
        connect(server, secret=key.read_text(encoding="utf-8").replace("\n", "\\n"))
        ingest_source("clinic")
    assert raw.runs() == [("visit", "landed", 20_000, 0, 0)]


def test_each_file_of_a_folder_is_read_once(specs: Write, raw: Raw, connect: Connect, root: Path) -> None:
    specs(visits("*.jsonl", mode={"type": "append"}))
    with serving(root) as server:
        connect(server)
        ingest_source("clinic")
        (root / "out" / "visits2.jsonl").write_text('{"id": 0, "name": "new"}\n', encoding="utf-8")
        (root / "out" / "visits3.jsonl.part").write_text('{"id"', encoding="utf-8")
        (load,) = ingest_source("clinic")
    assert (load.rows_read, load.rows_inserted) == (1, 1)


def test_an_archive_on_a_server_lands_with_its_manifest(
    specs: Write, raw: Raw, connect: Connect, root: Path
) -> None:
    specs(visits("visits.zip", manifest={"type": "file", "format": "checksum", "path": "{path}.sha256"}))
    archive = root / "out" / "visits.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("visits.jsonl", LINES)
    checksum = hashlib.sha256(archive.read_bytes()).hexdigest()
    (root / "out" / "visits.zip.sha256").write_text(f"{checksum}  visits.zip\n", encoding="utf-8")
    with serving(root) as server:
        connect(server)
        ingest_source("clinic")
    assert raw.runs() == [("visit", "landed", 20_000, 0, 0)]


REFUSED: list[tuple[dict[str, str], str]] = [
    ({"secret": "wrong"}, "file server outbox refuses user huiliu.*HUILIU_SECRET_OUTBOX"),
    ({"secret": "-----BEGIN OPENSSH PRIVATE KEY-----\\nnone"}, "HUILIU_SECRET_OUTBOX is no private key"),
    ({"known": "127.0.0.1 ssh-ed25519 AAAA=broken\n"}, r"the known hosts in .*known_hosts cannot be read"),
    ({"known": ""}, r"the host key of file server outbox is unknown \(SHA256:.*ssh-keyscan -p \d+ 127.0.0.1"),
]


@pytest.mark.parametrize(("settings", "message"), REFUSED)
def test_a_server_that_is_not_known_or_refuses_us_is_not_read(
    specs: Write, connect: Connect, root: Path, settings: dict[str, str], message: str
) -> None:
    specs(visits())
    with serving(root) as server:
        connect(server, **settings)
        with pytest.raises(FatalIngestError, match=message):
            ingest_source("clinic")


def test_a_changed_host_key_is_refused(specs: Write, connect: Connect, root: Path, tmp_path: Path) -> None:
    specs(visits())
    with serving(root) as server:
        other = Server(root, server.port, new_key(tmp_path / "other_key"))
        connect(server, known=other.known_host)
        with pytest.raises(FatalIngestError, match=r"shows another host key .*may be posing as the server"):
            ingest_source("clinic")


PASSING = {
    "die": "could not read /out/visits.jsonl on file server outbox",
    "stall": "could not read /out/visits.jsonl on file server outbox",
    "grow": "visits.jsonl changed while it was read",
    "vanish": "/out/visits.jsonl went away before it was read",
}


@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_in_mid_file_lands_nothing_and_is_worth_a_retry(
    specs: Write, raw: Raw, connect: Connect, root: Path, fault: str
) -> None:
    specs(visits())
    with serving(root, fault) as server:
        connect(server)
        with pytest.raises(RetryableIngestError, match=PASSING[fault]):
            ingest_source("clinic")
    assert raw.current("clinic__visit", "id") == []
    (root / "out" / "visits.jsonl").write_text(LINES, encoding="utf-8")
    with serving(root) as server:
        connect(server)
        ingest_source("clinic")
    assert raw.runs()[-1] == ("visit", "landed", 20_000, 0, 0)


def test_a_file_we_may_not_read_is_a_matter_of_rights(specs: Write, connect: Connect, root: Path) -> None:
    specs(visits())
    with serving(root, "deny") as server:
        connect(server)
        with pytest.raises(FatalIngestError, match=r"file server outbox refuses to open /out/visits\.jsonl"):
            ingest_source("clinic")


def test_a_missing_file_is_an_error(specs: Write, connect: Connect, root: Path) -> None:
    specs(visits("gone*.jsonl"))
    with serving(root) as server:
        connect(server)
        with pytest.raises(FatalIngestError, match=r"there is no file /out/gone\*\.jsonl"):
            ingest_source("clinic")


@pytest.mark.parametrize("mode", ["append", "snapshot"])
@pytest.mark.parametrize("path", ["gone/*.jsonl", "gone/visits.jsonl"])
def test_a_missing_folder_is_worth_a_retry(
    specs: Write, raw: Raw, connect: Connect, root: Path, mode: str, path: str
) -> None:
    specs(visits(path, mode={"type": mode}))
    (root / "out" / "gone").mkdir()
    (root / "out" / "gone" / "visits.jsonl").write_text(LINES, encoding="utf-8")
    with serving(root) as server:
        connect(server)
        ingest_source("clinic")
        (root / "out" / "gone").rename(root / "out" / "moved")
        with pytest.raises(
            RetryableIngestError, match="the folder /out/gone is not there on file server outbox"
        ):
            ingest_source("clinic")
    assert len(raw.current("clinic__visit", "id")) == 20_000


def test_a_server_that_is_down_is_worth_a_retry(specs: Write, connect: Connect, root: Path) -> None:
    specs(visits())
    with serving(root) as server:
        pass
    connect(server)
    with pytest.raises(RetryableIngestError, match="file server outbox cannot be reached"):
        ingest_source("clinic")


def test_a_password_in_the_address_is_refused_without_being_shown(
    specs: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs(visits())
    monkeypatch.setenv("HUILIU_URL_OUTBOX", "sftp://me:topsecret@127.0.0.1/out")
    forget_settings()
    with pytest.raises(FatalIngestError, match="HUILIU_URL_OUTBOX is not the address") as caught:
        ingest_source("clinic")
    assert "topsecret" not in str(caught.value)
