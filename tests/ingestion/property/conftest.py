"""Sources of every container, and a process that loads and is killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sftp_server
from api_server import ApiServer, serving
from cut_line import Line
from file_sources import FILES, ServedFile
from killing import Killer
from sources import ApiSource, MysqlSource, PostgresSource, Source, SqliteSource

from huiliu.settings import forget_settings

Open = Callable[[str, bool], Source]


@pytest.fixture(scope="session")
def killer(home: Path) -> Iterator[Killer]:
    killer = Killer()
    yield killer
    killer.close()


@pytest.fixture(scope="session")
def api_server() -> Iterator[ApiServer]:
    with serving(ApiServer()) as server:
        yield server


@pytest.fixture(scope="session")
def sftp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sftp_server.Server]:
    with sftp_server.serving(tmp_path_factory.mktemp("sftp") / "served") as server:
        yield server


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line()
    yield line
    line.close()


@pytest.fixture
def open_source(
    request: pytest.FixtureRequest, specs: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: Line
) -> Open:
    """Open a source by the name of its container; files may be a folder of which each is read once."""
    del specs  # whose settings come first

    def open_source(container: str, by_days: bool) -> Source:
        opened = find(container, by_days)
        forget_settings()
        return opened

    def find(container: str, by_days: bool) -> Source:
        if container == "postgres":
            return PostgresSource(request.getfixturevalue("clinic"), request, line)
        if container == "mysql":
            return MysqlSource(request.getfixturevalue("mariadb"), request, line)
        if container == "sql":
            return SqliteSource(tmp_path, request)
        if container == "http_api":
            server: ApiServer = request.getfixturevalue("api_server")
            line.target = int(server.url.rpartition(":")[2])
            monkeypatch.setenv("HUILIU_URL_CLINIC_API", f"http://127.0.0.1:{line.port}")
            return ApiSource(server, line)
        if container == "sftp":
            return _served(request.getfixturevalue("sftp"), by_days)
        folder = tmp_path / "files"
        folder.mkdir()
        return FILES[container](folder, by_days=by_days)

    def _served(server: sftp_server.Server, by_days: bool) -> ServedFile:
        line.target = server.port
        known_hosts = tmp_path / "known_hosts"
        known_hosts.write_text(
            server.known_host.replace(f":{server.port} ", f":{line.port} "), encoding="utf-8"
        )
        monkeypatch.setenv("HUILIU_KNOWN_HOSTS", str(known_hosts))
        monkeypatch.setenv("HUILIU_URL_OUTBOX", server.address.replace(f":{server.port}/", f":{line.port}/"))
        monkeypatch.setenv("HUILIU_SECRET_OUTBOX", sftp_server.PASSWORD)
        return ServedFile(server.root / "out", by_days=by_days, line=line)

    return open_source
