"""Every goal that a run can measure, by name, in the order in which they are measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from benchmarks import city, loads, pipe, tags
from benchmarks.depot import Depot
from benchmarks.finding import Finding
from benchmarks.town import Town

Place = TypeVar("Place")
_TABLE = "a table of 1 M rows × 12 columns"


@dataclass(frozen=True)
class Goal(Generic[Place]):
    """A goal: its short name, what is measured against what, and how."""

    name: str
    what: str
    against: str
    measure: Callable[[Place], Finding]


def load_goals(*, large: bool) -> list[Goal[Depot]]:
    """Goals of moving rows; the memory of 10 M rows only if asked for."""
    rows, file = pipe.row_pipe_name(), pipe.file_pipe_name()
    pages, mariadb = "reading its pages and copying them unchecked", "`mariadb --quick | psql copy`"
    memory = Goal("load_memory", "memory of any load, ten times the rows", "once the rows", loads.load_memory)
    if large:
        memory = Goal(memory.name, memory.what, memory.against, loads.large_load_memory)
    moving = [
        Goal("full_load", f"full load of {_TABLE} into `raw`", rows, loads.full_load),
        Goal("dlt_load", "full load of that table", "dlt, its faster backend", loads.dlt_load),
        Goal("snapshot", "snapshot compare-and-land of that table, 1 % changed", rows, loads.snapshot),
        Goal("csv_load", "GB18030 CSV of 1 M rows, each row checked, into `raw`", file, loads.csv_load),
        Goal("csv_quoted", "that CSV, 5 % of its lines with quotation marks", "without", loads.csv_quoted),
        Goal("api_load", "JSON API of 1 M rows, each row checked, into `raw`", pages, loads.api_load),
        Goal("mariadb_load", f"full load of {_TABLE} of MariaDB", mariadb, loads.mariadb_load),
        Goal(
            "mariadb_dlt_load",
            "full load of that MariaDB table",
            "dlt, its faster backend",
            loads.mariadb_dlt_load,
        ),
        Goal(
            "mariadb_snapshot",
            "snapshot compare-and-land of that MariaDB table, 1 % changed",
            mariadb,
            loads.mariadb_snapshot,
        ),
    ]
    return [*moving, memory] if large else [memory, *moving]


CITY_GOALS: tuple[Goal[Town], ...] = (
    Goal("simulated_city", "simulated city", "its people, goal for 1 M", city.simulated_city),
    Goal("full_build", "full build", "`create table as select *` over all raw tables", city.full_build),
    Goal("twice_the_city", "full build of twice the city", "once the city", city.twice_the_city),
    Goal("scoring", "scoring all contracts", "one sequential scan of each table", city.scoring),
    Goal(
        "first_return",
        "first return, all packages and consumers",
        "COPY pipe of the same rows",
        city.first_return,
    ),
    Goal("day_build", "build of a day, 1 % changed", "full build (5 % + 0.3 s a model)", city.day_build),
    Goal(
        "day_return",
        "return of a day, 1 % changed",
        "first return (20 % + 20 ms a delivery)",
        city.day_return,
    ),
    Goal(
        "wide_tags",
        "profile of 2,100 tags in 14 groups: build, a day, a search, a look-up",
        "the real tags, in proportion; full build of them; counting three groups; 100 ms",
        tags.wide_tags,
    ),
)


def goal_names() -> list[str]:
    """Return the name of every goal."""
    return [goal.name for goal in load_goals(large=False)] + [goal.name for goal in CITY_GOALS]


SERVING = ("scoring", "first_return", "day_return")

OUT_OF_SCOPE = {
    "source → township's table in Airflow, P95 ≤ 120 s": "measured apart, `python -m benchmarks.freshness`",
    "`make demo` ≤ 10 min, `make test` ≤ 15 min": "they time themselves",
}
