"""Fixtures that need a server: an embedded PostgreSQL of the test session's own, never the developer's."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from huiliu import embedded_postgres
from huiliu.database import connect
from huiliu.provision import provision
from huiliu.settings import forget_settings


def use_home(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Point Huiliu to a home, with nothing of the developer's environment or .env."""
    for name in [name for name in os.environ if name.startswith("HUILIU_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HUILIU_HOME", str(home))
    monkeypatch.setenv("HUILIU_ENV_FILE", "")
    forget_settings()


@contextmanager
def home_of_its_own() -> Iterator[Path]:
    """An empty HUILIU_HOME for as long as it lasts; its server, if one was started, goes with it."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        # Not pytest's tmp_path: its parent is closed to the user who runs the server for root.
        folder = Path(tempfile.mkdtemp(prefix="huiliu-test-"))
        if os.geteuid() == 0:
            folder.chmod(0o711)
        use_home(monkeypatch, folder)
        try:
            yield folder
        finally:
            use_home(monkeypatch, folder)
            embedded_postgres.remove()
            shutil.rmtree(folder)
    forget_settings()


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """HUILIU_HOME of the session: embedded PostgreSQL up and provisioned, gone at the end."""
    with home_of_its_own() as folder:
        embedded_postgres.start()
        provision()
        yield folder


@pytest.fixture
def empty_home() -> Iterator[Path]:
    """A HUILIU_HOME of the test's own, with no server in it yet; afterwards the session's is back."""
    with home_of_its_own() as folder:
        yield folder


@pytest.fixture(scope="session")
def postgres_home(home: Path) -> Path:
    """The same home, by the name of what it holds."""
    return home


@pytest.fixture
def warehouse(home: Path) -> Iterator[psycopg.Connection]:
    """A connection to the warehouse as its owner; what the test does not commit is rolled back."""
    with connect("warehouse") as conn:
        yield conn
        conn.rollback()
