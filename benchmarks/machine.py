"""The machine of a run, as it stands above the results."""

from __future__ import annotations

import os
import platform

from huiliu.database import connect


def load() -> float:
    """Return the machine's load of the last minute."""
    return os.getloadavg()[0]


def memory() -> float:
    """Return the machine's memory in gigabytes (10⁹ bytes)."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def postgres_version() -> str:
    """Return the version of the embedded PostgreSQL."""
    with connect("admin") as conn:
        row = conn.execute("show server_version").fetchone()
    return str(row[0]) if row else "unknown"


def describe(version: str) -> str:
    """Return cores, memory, system and versions on one line."""
    parts = (
        f"{os.cpu_count()} cores",
        f"{memory():.0f} GB of memory",
        f"{platform.system()} {platform.machine()}",
        f"embedded PostgreSQL {version}",
        f"Python {platform.python_version()}",
    )
    return "Machine: " + ", ".join(parts) + "."
