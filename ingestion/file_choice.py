"""Which files a table means: its path filled in, and the one, or those of some days, among what was found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from huiliu.errors import ConfigError, DataError
from huiliu.settings import get_settings
from ingestion.containers.files import FileContainer
from ingestion.file_servers import FileServer, FoundFile
from ingestion.records import Days
from ingestion.spec import TableSpec

_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)([-_.年]?)(\d\d)(?:\2|月)(\d\d)(?!\d)")


def pattern(server: FileServer, container: FileContainer, table: TableSpec) -> str:
    """Return the path of a table's files, filled in; ConfigError if it names something unknown."""
    template = container.path or table.relation
    settings = get_settings()
    values = {
        "home": settings.home,
        "regions": settings.regions,
        "region_changes": settings.region_changes,
        "registry": settings.registry_file
        or settings.home / "sources" / "enterprise_registry" / "enterprises.csv",
        "table": table.relation,
    }
    try:
        return server.at(template.format_map(values))
    except (KeyError, ValueError, IndexError) as error:
        raise ConfigError(
            f"{server.where}: the path {template!r} names something unknown",
            fix=f"use one of {{{'}, {'.join(values)}}}",
        ) from error


def only(found: Sequence[FoundFile], where: str, pattern: str) -> FoundFile:
    """Return the one file found; DataError for none or several."""
    if not found:
        raise DataError(
            f"{where}: there is no file {pattern}",
            fix="put the department's file there, or correct the path",
        )
    if len(found) > 1:
        names = ", ".join(one.name for one in found)
        raise DataError(
            f"{where}: several files match {pattern}: {names}",
            fix="leave the one to be loaded, or write mode: {type: append} if each adds rows",
        )
    return found[0]


def check_filled(found: FoundFile, where: str) -> None:
    """Raise DataError for a file without a byte."""
    if found.size == 0:
        raise DataError(f"{where}: {found.path} is empty", fix="ask the department to send the file again")


def of_days(found: Sequence[FoundFile], days: Days, where: str) -> list[FoundFile]:
    """Choose the files whose names hold one of the days (YYYYMMDD or YYYY-MM-DD)."""
    chosen = [one for one in found if any(days.first <= day <= days.last for day in days_in(one.name))]
    if not chosen:
        raise DataError(
            f"{where}: no file's name holds a day from {days.first} to {days.last}",
            fix="ask the department to send the files of those days again",
        )
    return chosen


def days_in(name: str) -> list[date]:
    """Return the days a name holds."""
    days = []
    for year, _, month, day in _DAY.findall(name):
        try:
            days.append(date(int(year), int(month), int(day)))
        except ValueError:
            continue  # digits that are no date
    return days
