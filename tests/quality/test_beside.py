"""Timeliness from the load ledger, accessibility from the probes: beside the six, and never 1 untested."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
from own_warehouse import TODAY
from toy_source import ToySource

from huiliu.database import connect
from soda_checks.beside import DAYS, beside_scores

TABLE = ("table", "staging.stg_toy__person")
LEVELS = [("city", "3706"), ("department", "市公安局"), ("source", "toy"), TABLE]


@pytest.fixture
def resource(toy: ToySource) -> Iterator[ToySource]:
    """The toy's table in the catalogue, due every day."""
    _catalogue(toy, "person", "0 1 * * *")
    yield toy
    toy.connection.execute("truncate ops.resource cascade")


def _catalogue(toy: ToySource, table: str, cadence: str) -> None:
    toy.connection.execute(
        "insert into ops.resource values (%s, 'toy', %s, '人员', '市公安局', 'city', '无条件共享', true, %s)",
        [f"toy.{table}", table, cadence],
    )


def _loaded(toy: ToySource, days_ago: int, status: str = "landed", first_day: date | None = None) -> None:
    toy.connection.execute(
        "insert into ops.load_run (source, table_name, mode, business_date, status, first_day)"
        " values ('toy', 'person', 'snapshot', %s, %s, %s)",
        [TODAY - timedelta(days=days_ago), status, first_day],
    )


def _probed(toy: ToySource, days_ago: int, passed: bool) -> None:
    toy.connection.execute(
        "insert into ops.mount_probe (resource_id, business_date, passed) values ('toy.person', %s, %s)",
        [TODAY - timedelta(days=days_ago), passed],
    )


def _scores(toy: ToySource) -> dict[tuple[str, str], tuple[Decimal | None, Decimal | None]]:
    """(timeliness, accessibility) of each level, as the scoring's role sees them."""
    with connect("warehouse:score") as connection:
        found = list(beside_scores(connection, toy.contracts.values(), "3706", TODAY))
    by_place = {(it.level, it.name, it.dimension): it.score for it in found}
    return {
        place: (by_place[(*place, "timeliness")], by_place[(*place, "accessibility")])
        for place in sorted({(it.level, it.name) for it in found})
    }


def test_a_source_never_due_nor_probed_has_no_score(resource: ToySource) -> None:
    assert _scores(resource) == dict.fromkeys(LEVELS, (None, None))
    # Loaded today only: the day is not over, and nothing was due before.
    _loaded(resource, 0)
    assert _scores(resource)[TABLE] == (None, None)


def test_a_table_outside_the_catalogue_has_no_score(toy: ToySource) -> None:
    assert _scores(toy) == dict.fromkeys(LEVELS, (None, None))


def test_timeliness_is_the_share_of_due_days_with_a_load_that_landed(resource: ToySource) -> None:
    # Due from the first try on: landed, failed, failed and then landed, nothing but a back-fill.
    _loaded(resource, 4)
    _loaded(resource, 3, "failed")
    _loaded(resource, 2, "failed")
    _loaded(resource, 2)
    _loaded(resource, 1, first_day=TODAY - timedelta(days=40))
    assert _scores(resource) == dict.fromkeys(LEVELS, (Decimal("0.5"), None))


def test_a_load_is_due_by_the_cadence_and_counts_for_a_month(resource: ToySource) -> None:
    # Every Monday; 15 January 2026 is a Thursday. The loads of other days were not due.
    resource.connection.execute("update ops.resource set cadence = '0 1 * * 1'")
    _loaded(resource, 100, "failed")
    for days_ago in (3, 10, 2):
        _loaded(resource, days_ago)
    mondays = [day for day in range(1, DAYS + 1) if (TODAY - timedelta(days=day)).weekday() == 0]
    assert _scores(resource)[TABLE][0] == round(Decimal(2) / len(mondays), 6)


def test_accessibility_is_the_share_of_probes_that_passed_within_a_month(resource: ToySource) -> None:
    for days_ago, passed in ((0, True), (5, False), (29, True), (30, False), (-1, False)):
        _probed(resource, days_ago, passed)
    assert _scores(resource)[TABLE] == (None, round(Decimal(2) / 3, 6))


def test_tables_are_pooled_by_their_counts(resource: ToySource) -> None:
    # A table counts for its source, department and the city with as many days as it was due.
    other = resource.contract.model_copy(update={"dataset": "huiliu/staging/stg_toy__firm"})
    contracts = [resource.contract, other]
    _catalogue(resource, "firm", "0 1 * * *")
    for days_ago in (3, 2, 1):
        _loaded(resource, days_ago)
    resource.connection.execute(
        "insert into ops.load_run (source, table_name, mode, business_date, status)"
        " values ('toy', 'firm', 'snapshot', %s, 'failed')",
        [TODAY - timedelta(days=1)],
    )
    with connect("warehouse:score") as connection:
        found = list(beside_scores(connection, contracts, "3706", TODAY))
    timely = {(it.level, it.name): it.score for it in found if it.dimension == "timeliness"}
    assert timely["table", "staging.stg_toy__firm"] == 0
    assert timely[TABLE] == 1
    assert timely["source", "toy"] == timely["city", "3706"] == Decimal("0.75")
