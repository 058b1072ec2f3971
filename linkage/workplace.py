"""Where a step keeps what it copies out of the warehouse: names and ID numbers, for nobody else to read."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huiliu.settings import get_settings


@contextmanager
def private_folder(name: str) -> Iterator[Path]:
    """Give an empty folder under HUILIU_HOME that only this user can open, and remove it at the end.

    What a killed run of the same name left in it goes first.
    """
    folder = get_settings().home / "linkage" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
