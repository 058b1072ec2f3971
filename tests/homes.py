"""Homes with an embedded PostgreSQL of the tests' own, never the developer's; any number side by side."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import pytest
from psycopg import sql

from huiliu import embedded_postgres, ports
from huiliu.database import connect
from huiliu.settings import forget_settings


def _ports_to_prefer() -> Iterator[int]:
    """Endless: 1,000 ports of this process's (a worker of pytest-xdist), from another one in each run.

    They lie below those that systems use for outgoing connections, so that nobody else takes one between its
    choice and its use.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first, begin = 10_000 + 1_000 * (worker % 20), os.getpid() % 1_000
    return cycle([*range(first + begin, first + 1_000), *range(first, first + begin)])


_PORTS = _ports_to_prefer()


def free_port() -> int:
    """Return a port on which a server of a test can soon listen."""
    return next(filter(ports.is_free, _PORTS))


def use_home(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Point Huiliu to a home and to ports of its own, with nothing of the developer's environment or .env."""
    for name in [name for name in os.environ if name.startswith("HUILIU_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HUILIU_HOME", str(home))
    monkeypatch.setenv("HUILIU_ENV_FILE", "")
    for service in ("POSTGRES", "AIRFLOW", "SOURCE_API"):
        monkeypatch.setenv(f"HUILIU_{service}_PORT", str(free_port()))
    forget_settings()


@contextmanager
def home_of_its_own() -> Iterator[Path]:
    """An empty HUILIU_HOME for as long as it lasts; its server, if one was started, goes with it."""
    try:
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
    finally:
        # Also when the home could not be removed: else every later test would look for its server.
        forget_settings()


def forget_durability() -> None:
    """Let the running server of this home wait for no disk, and notice soon that a client was killed.

    A killed process still loses nothing that it committed; only a machine that stops would.
    """
    settings = {"client_connection_check_interval": "100ms"}
    settings |= dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes"), "off")
    with connect("admin", autocommit=True) as admin:
        for name, value in settings.items():
            admin.execute(sql.SQL("alter system set {} = {}").format(sql.Identifier(name), value))
        admin.execute("select pg_reload_conf()")
