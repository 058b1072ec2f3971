"""Departments that get corrections back, and the code of each one's login (reference/departments.csv)."""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path

from huiliu.errors import ConfigError
from huiliu.settings import PROJECT_ROOT

FILE = PROJECT_ROOT / "reference" / "departments.csv"
SCHEMA = "corrections"
"""The departments' schema in the city's front-end database."""


@cache
def load(path: Path = FILE) -> dict[str, str]:
    """Return department name -> code; ConfigError for a code or a name that is wrong or stands twice."""
    found: dict[str, str] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            code, name = row["code"], row["name"]
            if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", code) or not name.strip():
                raise ConfigError(f"{path.name}: {code},{name} is no department", fix="correct the line")
            if name in found or code in found.values():
                raise ConfigError(f"{path.name}: {code},{name} stands twice", fix="delete one of the lines")
            found[name] = code
    return found


def connection_name(city: str, code: str) -> str:
    """Return the name of the connection with which a department reads its list; `city` has 4 digits."""
    return f"department:{city}:{code}"
