"""Frozen models: a version is Splink settings with all probabilities, and how frequent names are."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huiliu.errors import ConfigError

FOLDER = Path(__file__).parent / "models"
CURRENT = "person_v1"
_VERSION = re.compile(r"[a-z]+_v[0-9]+")


@dataclass(frozen=True)
class Model:
    """A version, its Splink settings, and the Parquet file with the columns name, frequency."""

    version: str
    settings: dict[str, Any]
    frequencies: Path


def load(version: str = CURRENT, folder: Path = FOLDER) -> Model:
    """Read a version; ConfigError if there is none, or one half of it is missing."""
    settings, frequencies = _files(version, folder)
    if not settings.is_file() or not frequencies.is_file():
        raise ConfigError(
            f'Linkage model "{version}" is not in {folder.name}/',
            fix='name a version that is there, or train it with "huiliu link train"',
        )
    return Model(version, json.loads(settings.read_text(encoding="utf-8")), frequencies)


def new_files(version: str, folder: Path = FOLDER) -> tuple[Path, Path]:
    """Return where a new version's settings and frequencies go; ConfigError if it exists: versions are
    frozen."""
    files = _files(version, folder)
    if any(path.exists() for path in files):
        raise ConfigError(
            f'Linkage model "{version}" exists and is frozen', fix="train a new version under the next number"
        )
    return files


def _files(version: str, folder: Path) -> tuple[Path, Path]:
    if not _VERSION.fullmatch(version):
        raise ConfigError(
            f'"{version}" is no name of a linkage model', fix="name it like person_v2: letters, _v, a number"
        )
    return folder / f"{version}.json", folder / f"{version}_names.parquet"
