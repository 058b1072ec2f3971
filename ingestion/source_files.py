"""Where file sources lie: the templates of the specs filled in, and the checks every file gets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huiliu.errors import ConfigError, DataError, TransientError
from huiliu.settings import get_settings


def resolve(template: str, where: str) -> Path:
    """Return the one file a template means (its last part may be a glob); raises if none, or several."""
    settings = get_settings()
    values = {
        "home": settings.home,
        "regions": settings.regions,
        "region_changes": settings.region_changes,
        "registry": settings.registry_file
        or settings.home / "sources" / "enterprise_registry" / "enterprises.csv",
    }
    try:
        path = Path(template.format_map(values))
    except (KeyError, ValueError, IndexError) as error:
        raise ConfigError(
            f"{where}: the path {template!r} names something unknown",
            fix=f"use one of {{{'}, {'.join(values)}}}",
        ) from error
    if "*" not in path.name:
        found = [path] if path.is_file() else []
    else:
        # An open workbook leaves a lock file (~$name) beside it.
        found = sorted(one for one in path.parent.glob(path.name) if not one.name.startswith(("~$", ".")))
    if not found:
        raise DataError(
            f"{where}: there is no file {path}", fix="put the department's file there, or correct the path"
        )
    if len(found) > 1:
        names = ", ".join(one.name for one in found)
        raise DataError(f"{where}: several files match {path}: {names}", fix="leave the one to be loaded")
    if found[0].stat().st_size == 0:
        raise DataError(f"{where}: {found[0]} is empty", fix="ask the department to send the file again")
    return found[0]


@contextmanager
def unchanged(path: Path, where: str) -> Iterator[None]:
    """Raise TransientError if the file changes while it is read: it is still being written."""
    before = path.stat()
    yield
    after = path.stat()
    if (before.st_size, before.st_mtime_ns, before.st_ino) != (
        after.st_size,
        after.st_mtime_ns,
        after.st_ino,
    ):
        raise TransientError(
            f"{where}: {path.name} changed while it was read", fix="load it when it is complete"
        )
