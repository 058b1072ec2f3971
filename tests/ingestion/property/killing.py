"""Loads in processes that are killed (SIGKILL) after so many exchanges with PostgreSQL servers.

One process holds what a load imports and forks for each of them, so that a kill costs no more than a load.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psycopg

from huiliu.database import advisory_lock, connect
from huiliu.settings import forget_settings
from ingestion import extract, spec
from ingestion.run import ingest_source


class Killer:
    """Starts loads and kills them."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def load(self, specs: Path, exchanges: int) -> str:
        """Load `clinic`, and kill the load after so many exchanges; return what became of it: killed, done or
        failed. Whatever was killed has let go of the source's lock when this returns.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        settings = {name: text for name, text in os.environ.items() if name.startswith("HUILIU_")}
        asked = json.dumps({"specs": str(specs), "settings": settings, "exchanges": exchanges})
        self._process.stdin.write(f"{asked}\n")
        self._process.stdin.flush()
        became = self._process.stdout.readline().strip()
        with connect("warehouse:ingest") as conn, advisory_lock(conn, "ingest:clinic", wait_seconds=20):
            return became

    def close(self) -> None:
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()


def _serve() -> None:
    for module in pkgutil.iter_modules(extract.__path__, f"{extract.__name__}."):
        importlib.import_module(module.name)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _load(**json.loads(line))
        _, status = os.waitpid(child, 0)
        became = "killed" if os.WIFSIGNALED(status) else "failed" if os.WEXITSTATUS(status) else "done"
        sys.stdout.write(f"{became}\n")
        sys.stdout.flush()


def _load(specs: str, settings: Mapping[str, str], exchanges: int) -> None:
    status = 1
    try:
        os.environ.update(settings)
        forget_settings()
        spec.SOURCES = Path(specs)
        _die_after(exchanges)
        ingest_source("clinic")
        status = 0
    finally:
        os._exit(status)


def _die_after(exchanges: int) -> None:
    wait, left = psycopg.Connection.wait, exchanges

    def counting(self: psycopg.Connection, *args: object, **more: object) -> object:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return wait(self, *args, **more)  # type: ignore[arg-type]  # handed through

    psycopg.Connection.wait = counting  # type: ignore[method-assign, assignment]  # the point of it


if __name__ == "__main__":
    _serve()
