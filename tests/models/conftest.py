"""A small simulated city, collected and built once for the tests of the models, in a home of their own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from huiliu import business_date, embedded_postgres
from huiliu.database import connect
from huiliu.provision import provision
from ingestion.run import ensure_raw_tables, ingest
from simulator import city
from simulator import days as passing
from tests.dirtier_rates import dirtier
from tests.homes import forget_durability, home_of_its_own
from tests.source_server import source_apis
from transformation.build import BuildResult, build
from transformation.dbt_runner import DbtProject

PERSONS = 3000
SEED = 20260115


def set_date(day: date) -> None:
    """Write the business date."""
    with connect("warehouse") as connection:
        business_date.set(connection, day)
        connection.commit()


def collect() -> None:
    """Load the sources and let every batch through the staging gate, whose rules have tests of their own."""
    ensure_raw_tables()
    with source_apis():
        ingest()
    with connect("warehouse") as connection:
        connection.execute(
            "insert into ops.batch_gate (batch_id, status, decided_by)"
            " select batch_id, 'passed', 'tests/models' from ops.load_run"
            " where status = 'landed' and batch_id not in (select batch_id from ops.batch_gate)"
        )
        connection.commit()


@cache
def project() -> DbtProject:
    """The real project, parsed once for all builds of the city."""
    return DbtProject()


def build_all(*, full_refresh: bool = False) -> BuildResult:
    """Build every model; a failed one fails the test that asked for it."""
    result = build(full_refresh=full_refresh, project=project())
    assert [(run.name, run.message) for run in result.failed] == []
    return result


def next_day() -> date:
    """Let a day pass in the city, collect it and build it."""
    day = passing.advance(1)
    set_date(day)
    collect()
    build_all()
    return day


@pytest.fixture(scope="package")
def built_city() -> Iterator[Path]:
    """HUILIU_HOME of a city of 3,000 that is collected and built."""
    with home_of_its_own() as folder:
        embedded_postgres.start()
        forget_durability()
        provision()
        set_date(city.create(PERSONS, SEED, rates=dirtier()))
        collect()
        build_all()
        yield folder
