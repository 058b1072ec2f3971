"""The lock files name every library that pyproject.toml asks for, and no package index."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ["requirements-bootstrap.lock", "requirements.lock", "requirements-dev.lock"]


def locked(lock: str) -> set[str]:
    text = (ROOT / lock).read_text("utf-8")
    return {name.lower() for name in re.findall(r"^([A-Za-z0-9._-]+)(?:\[\S+\])?==", text, re.M)}


def asked_for(requirements: list[str]) -> set[str]:
    names = (re.match(r"[A-Za-z0-9._-]+", line) for line in requirements)
    return {found.group().lower() for found in names if found}


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_file_names_an_index(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    assert not re.search(r"https?://|^--(extra-)?index|^--find-links", text, re.M)


def test_every_library_asked_for_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = asked_for(project["dependencies"])
    assert needed <= locked("requirements.lock")
    assert needed | asked_for(project["optional-dependencies"]["dev"]) <= locked("requirements-dev.lock")
