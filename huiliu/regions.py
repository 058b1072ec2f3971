"""The city that Huiliu serves: its districts, townships and villages, read from a file of region codes.

Codes have 12 digits, 2+2+2+3+3 (GB/T 2260, GB/T 10114). A consumer of data is a township (9 digits), a
district (6) or the city (4).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NoReturn

from huiliu.errors import ConfigError
from huiliu.settings import get_settings

# Level -> (digits of its code before the zeros, digits it shares with its parent, the parent's level).
_LEVELS: dict[str, tuple[int, int, str | None]] = {
    "province": (2, 0, None),
    "city": (4, 2, "province"),
    "district": (6, 4, "city"),
    "township": (9, 6, "district"),
    "village": (12, 9, "township"),
}
_CONSUMER_DIGITS = {"city": 4, "district": 6, "township": 9}


@dataclass(frozen=True, slots=True)
class Region:
    """A division: 12-digit code, name, level (province … village) and its parent's 12-digit code."""

    code: str
    name: str
    level: str
    parent_code: str


@dataclass(frozen=True, slots=True)
class RegionChange:
    """An abolished code and the one that took its place; ``valid_until`` is YYYY, YYYY-MM or YYYY-MM-DD."""

    old_code: str
    old_name: str
    valid_until: str
    new_code: str
    new_name: str
    what: str


@dataclass(frozen=True)
class Regions:
    """One city and everything under it, each list in the order of codes."""

    city: Region
    districts: list[Region]
    townships: list[Region]
    villages: list[Region]
    _by_consumer: dict[str, Region] = field(repr=False)

    @property
    def consumers(self) -> list[Region]:
        """Every consumer: the city, then districts, then townships."""
        return [self.city, *self.districts, *self.townships]

    @property
    def front_codes(self) -> list[str]:
        """Codes of the front-end databases: the city's (4 digits), then each district's (6)."""
        return [consumer_code(region) for region in (self.city, *self.districts)]

    def by_consumer_code(self, code: str) -> Region:
        """Return the region of a consumer code; ConfigError if the city has no such consumer."""
        region = self._by_consumer.get(code)
        if region is None:
            raise ConfigError(
                f"{self.city.name} has no consumer {code}",
                fix="give a township's 9 digits, a district's 6 or the city's 4",
            )
        return region

    def label(self, region: Region) -> str:
        """Return the name as people know it: a township with its district before it."""
        if region.level != "township":
            return region.name
        return f"{self._by_consumer[region.parent_code[:6]].name} {region.name}"


def consumer_code(region: Region) -> str:
    """Return a region's code as a consumer: 4, 6 or 9 digits; ValueError for a village."""
    if region.level not in _CONSUMER_DIGITS:
        raise ValueError(f"a {region.level} is no consumer of data")
    return region.code[: _CONSUMER_DIGITS[region.level]]


def front_code(code: str) -> str:
    """Return the front-end database that serves a consumer: its district's 6 digits, or the city's 4."""
    return code if len(code) == 4 else code[:6]


def front_schema(code: str) -> str:
    """Return the consumer's schema in its front-end database: t370602001, d370602 or c3706."""
    return {4: "c", 6: "d", 9: "t"}[len(code)] + code


def load(path: Path | None = None, city: str | None = None) -> Regions:
    """Read and check a file of region codes; ConfigError names file, row and column of what is wrong.

    ``city`` (4 or 12 digits; by default HUILIU_CITY) chooses where the file holds several.
    """
    settings = get_settings()
    return _load(path or settings.regions, city or settings.city)


@cache
def _load(path: Path, city: str | None) -> Regions:
    rows = _read_regions(path)
    chosen = _choose_city(path, rows, city)
    inside: dict[str, list[Region]] = {level: [] for level in _LEVELS}
    for code in sorted(rows):
        if code[:4] == chosen.code[:4]:
            inside[rows[code].level].append(rows[code])
    for level in ("district", "township"):
        if not inside[level]:
            raise ConfigError(
                f"{path} holds no {level} of {chosen.name}", fix="complete the file of region codes"
            )
    regions = Regions(chosen, inside["district"], inside["township"], inside["village"], {})
    regions._by_consumer.update({consumer_code(region): region for region in regions.consumers})
    return regions


def load_changes(path: Path | None = None) -> list[RegionChange]:
    """Read and check the abolished codes and their successors; may be empty."""
    path = path or get_settings().region_changes
    changes = []
    for number, row in _rows(path, RegionChange):
        change = RegionChange(**row)
        for column in ("old_code", "new_code"):
            if not re.fullmatch(r"\d{12}", row[column]):
                _reject(path, number, column, "must be 12 digits")
        if not re.fullmatch(r"\d{4}(-\d{2}){0,2}", change.valid_until):
            _reject(path, number, "valid_until", "must be YYYY, YYYY-MM or YYYY-MM-DD")
        changes.append(change)
    return changes


def _read_regions(path: Path) -> dict[str, Region]:
    regions: dict[str, Region] = {}
    lines: dict[str, int] = {}
    for number, row in _rows(path, Region):
        region = Region(**row)
        _check_itself(path, number, region)
        if region.code in regions:
            _reject(path, number, "code", f"{region.code} stands in row {lines[region.code]} already")
        regions[region.code] = region
        lines[region.code] = number
    levels_present = {region.level for region in regions.values()}
    for region in regions.values():
        _check_parent(path, lines[region.code], region, regions, levels_present)
    return regions


def _check_itself(path: Path, number: int, region: Region) -> None:
    if not re.fullmatch(r"\d{12}", region.code):
        _reject(path, number, "code", f'"{region.code}" must be 12 digits')
    if not region.name.strip():
        _reject(path, number, "name", "must not be empty")
    if region.level not in _LEVELS:
        _reject(path, number, "level", f'"{region.level}" must be one of {", ".join(_LEVELS)}')
    digits = _LEVELS[region.level][0]
    if region.code[digits:].strip("0"):
        _reject(path, number, "code", f"{region.code} of a {region.level} must end in {12 - digits} zeros")


def _check_parent(
    path: Path, number: int, region: Region, regions: dict[str, Region], present: set[str]
) -> None:
    _, shared, parent_level = _LEVELS[region.level]
    if parent_level is None or parent_level not in present:
        # The uppermost level of a file names a parent outside it.
        return
    parent = regions.get(region.parent_code)
    if parent is None:
        _reject(path, number, "parent_code", f'"{region.parent_code}" of {region.code} is not in the file')
    if parent.level != parent_level or region.code[:shared] != parent.code[:shared]:
        _reject(path, number, "parent_code", f"{parent.code} is not the {parent_level} of {region.code}")


def _choose_city(path: Path, rows: dict[str, Region], wanted: str | None) -> Region:
    cities = [region for region in rows.values() if region.level == "city"]
    names = ", ".join(f"{region.code[:4]} {region.name}" for region in cities) or "none"
    if wanted is None:
        if len(cities) == 1:
            return cities[0]
        raise ConfigError(
            f"{path} must hold one city, or HUILIU_CITY say which; it holds: {names}",
            fix="set HUILIU_CITY to the city's 4- or 12-digit code",
        )
    for region in cities:
        if region.code[:4] == wanted[:4]:
            return region
    raise ConfigError(
        f"{path} holds no city {wanted}; it holds: {names}",
        fix="correct HUILIU_CITY, or name another file in HUILIU_REGIONS",
    )


def _rows(path: Path, kind: type[Region] | type[RegionChange]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line number, column -> value) of a CSV that has at least the columns of ``kind``."""
    columns = list(kind.__dataclass_fields__)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            for column in columns:
                if column not in (reader.fieldnames or []):
                    _reject(path, 1, column, "is missing from the header")
            for row in reader:
                for column in columns:
                    if row[column] is None:
                        _reject(path, reader.line_num, column, "is missing")
                yield reader.line_num, {column: row[column].strip() for column in columns}
    except FileNotFoundError as error:
        raise ConfigError(
            f"There is no file {path}", fix="correct HUILIU_REGIONS or HUILIU_REGION_CHANGES"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8", fix="save it as UTF-8 CSV") from error


def _reject(path: Path, number: int, column: str, why: str) -> NoReturn:
    raise ConfigError(f"{path}, row {number}, column {column}: {why}", fix="correct that row of the file")
