"""What the rules on staging meet in the base layer, and the plants for C06: townships nobody lives in."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import md5

from own_warehouse import TODAY
from psycopg import sql
from toy_source import Row

from huiliu.database import Connection
from plants.planting import ENOUGH, Garden
from plants.proof import Tally
from plants.record import Draft, Kind, Plant
from soda_checks.contract import Contract
from soda_checks.ledger import find_failing
from soda_checks.relations import table_relation
from soda_checks.scan import Count
from soda_checks.verify import verify

DIVISION = "base.base_region__division"
_PERSON = "base.base_population__person"

_IDENTITY = """
create table base.base_population__identity as
select distinct identifier_key from staging.stg_police__resident
where is_usable and _row_key <> all(%s::uuid[])
"""


def make_identities(connection: Connection, garden: Garden) -> None:
    """The identities that staging leads to, but for those that S06 is to miss."""
    lost = [
        key
        for (_, key), number in garden.numbers.items()
        if number is not None and _is_lost(garden.plants[number])
    ]
    connection.execute(_IDENTITY, (lost,))
    connection.execute("grant select on base.base_population__identity to huiliu_score")


def _is_lost(plant: Plant) -> bool:
    return (plant.rule, plant.kind) == ("S06", "fault") and plant.draft.fate is None


def plant_regions(connection: Connection, contract: Contract) -> list[Plant]:
    """Make the region base of planted townships, and the residents of those that are not empty."""
    plants = [*_empty(), *_not_empty()]
    columns = dict.fromkeys([*plants[0].draft.rows[0], *(column.name for column in contract.columns)])
    definition = [
        sql.SQL("{} {}").format(sql.Identifier(it), sql.SQL("date" if it == "valid_until" else "text"))
        for it in columns
    ]
    connection.execute(
        sql.SQL("create table base.base_region__division ({})").format(sql.SQL(", ").join(definition))
    )
    connection.execute("create table base.base_population__person (township_code text)")
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into base.base_region__division (region_code, name, level, valid_until)"
            " values (%(region_code)s, %(name)s, %(level)s, %(valid_until)s)",
            [plant.draft.rows[0] for plant in plants],
        )
        cursor.executemany(
            "insert into base.base_population__person values (%(township_code)s)",
            [row for plant in plants for _, row in plant.draft.beside],
        )
    connection.execute("grant select on all tables in schema base to huiliu_score")
    return plants


def flagged_regions(connection: Connection, contract: Contract) -> tuple[set[str], Count]:
    """Row keys of the divisions that C06 flags, and what it counts."""
    (outcome,) = verify(connection, [(contract, table_relation(connection, contract, TODAY))])
    find_failing(connection, outcome)
    found = connection.execute("select row_key from pg_temp.failing where rule_id = 'C06'").fetchall()
    (check,) = (it for it in outcome.checks if it.attributes.rule_id == "C06")
    return {str(key) for (key,) in found}, Count(check.tested or 0, check.failed or 0)


def expected_regions(plants: list[Plant]) -> Count:
    """Townships in force are tested, and fail if they are faults."""
    rows = [plant.draft.rows[0] for plant in plants]
    tested = sum(row["level"] == "township" and row["valid_until"] is None for row in rows)
    return Count(tested, sum(plant.kind == "fault" for plant in plants))


def score_regions(plants: list[Plant], flagged: set[str]) -> Tally:
    """Count what was found and what was flagged without a fault."""
    tally = Tally()
    for plant in plants:
        tally.note(plant)
        code = plant.draft.rows[0]["region_code"] or ""
        hit = md5(code.encode(), usedforsecurity=False).hexdigest() in flagged
        if plant.kind == "fault":
            tally.faults += 1
            tally.found += hit
            tally.missed += [] if hit else [plant]
        else:
            tally.near_misses += 1
            tally.wrong += hit
            tally.accused += [(plant.table, "", code, plant)] if hit else []
    return tally


def _empty() -> Iterator[Plant]:
    for number in range(ENOUGH):
        code = f"37{10 + number % 80}{1 + number % 13:02d}{1 + number:03d}"
        near = (f"{int(code) + 500:09d}", f"{code[:8]}X", f"{code[:6]}000", f" {code}", code[:8], None)[
            number % 6
        ]
        neighbour = ((_PERSON, {"township_code": near}),)
        why = f"nobody lives there, but perhaps at {near}"
        yield _plant("fault", f"{code}000", "township", None, why, neighbour)


def _not_empty() -> Iterator[Plant]:
    cases = (
        ("township", None, 1, "one person lives there"),
        ("township", "2020-12-31", 0, "abolished, and empty since"),
        ("township", None, 3, "three live there"),
        ("district", None, 0, "a district has no residents of its own"),
        ("village", None, 0, "a village may be empty"),
        ("township", "2026-01-14", 0, "abolished yesterday"),
    )
    for number in range(ENOUGH):
        level, until, people, why = cases[number % len(cases)]
        code = f"41{10 + number % 80}{1 + number % 13:02d}{1 + number:03d}"
        residents = ((_PERSON, {"township_code": code}),) * people
        yield _plant("near_miss", f"{code}000", level, until, why, residents)


def _plant(
    kind: Kind, code: str, level: str, until: str | None, why: str, residents: tuple[tuple[str, Row], ...]
) -> Plant:
    row = {"region_code": code, "name": f"区划{code}", "level": level, "valid_until": until}
    return Plant("C06", DIVISION, "", kind, Draft(why, (row,), residents), code)
