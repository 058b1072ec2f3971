"""A HUILIU_HOME of the benchmark's own, with its services, gone at the end."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from huiliu import embedded_postgres, services
from huiliu.connections import dsn
from huiliu.database import connect_to
from huiliu.provision import provision
from huiliu.settings import forget_settings

Say = Callable[[str], None]


@contextmanager
def home(name: str, say: Say) -> Iterator[Path]:
    """Run in an empty home, in the system's folder for temporary files: PostgreSQL and the sources' APIs."""
    folder = Path(tempfile.mkdtemp(prefix=f"huiliu-bench-{name}-"))
    if os.geteuid() == 0:
        folder.chmod(0o711)  # root runs the server as another user, who must reach its data
    before = {key: value for key, value in os.environ.items() if key.startswith("HUILIU_")}
    _environment({"HUILIU_HOME": str(folder), "HUILIU_ENV_FILE": ""})
    try:
        say(f"starting PostgreSQL in {folder.name}")
        services.up(["postgres"])
        provision()
        services.up(["source-api"])
        yield folder
    finally:
        services.down()
        embedded_postgres.remove()
        shutil.rmtree(folder, ignore_errors=True)
        _environment(before)


def _environment(values: dict[str, str]) -> None:
    for key in [key for key in os.environ if key.startswith("HUILIU_")]:
        del os.environ[key]
    os.environ.update(values)
    forget_settings()


def admin(database: str) -> str:
    """Return the connection string of the server's superuser to a database; it holds a password."""
    return dsn("admin").rpartition("/")[0] + "/" + database


def checkpoint() -> None:
    """Write what is still to be written, so that no measured run pays for the one before it."""
    with connect_to(dsn("admin"), "admin", autocommit=True) as conn:
        conn.execute("checkpoint")
