"""Cities for the tests: one without any database, and ones that fill the session's source databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from huiliu import regions as region_files
from huiliu.regions import RegionChange, Regions
from simulator import city, rates
from simulator.places import from_regions
from simulator.state import State

START = date(2026, 1, 15)
DATA = Path(__file__).parent / "data"
CHANGES = [
    RegionChange(
        "371421000000", "陵县", "2014-10", "371402000000", "德城区", "a former name, made up for the test"
    )
]


@pytest.fixture(scope="session")
def other_city() -> Regions:
    """A city without villages: four districts of Dezhou."""
    return region_files.load(DATA / "dezhou.csv")


@pytest.fixture(scope="session")
def imagined(other_city: Regions) -> State:
    """The truth of a city of 6,000, made without any source; not to be changed."""
    places = from_regions(other_city, city.former_districts(CHANGES))
    return city.imagine(6000, 7, START, places, rates.load())


@pytest.fixture
def new_city(home: Path, other_city: Regions, tmp_path: Path) -> Callable[..., Path]:
    """Make a city of 2,000 in the session's source databases; returns the folder of its files."""

    def make(name: str = "city", *, persons: int = 2000, seed: int = 7) -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        city.create(persons, seed, START, other_city, folder, changes=CHANGES)
        return folder

    return make
