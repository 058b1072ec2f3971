"""Making the plants of every binding, and landing all of them at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import md5
from random import Random
from uuid import UUID

from good_rows import MAKERS, good_rows
from own_warehouse import TODAY
from psycopg import sql
from toy_source import Row

from huiliu.database import Connection
from plants import (
    accuracy,
    accuracy_codes,
    association,
    completeness,
    conformity,
    conformity_texts,
    consistency,
    consistency_tables,
    loads,
    uniqueness,
)
from plants.fresh import Fresh
from plants.record import KINDS, Ask, Fate, Kind, Plant, Recipes
from soda_checks.contract import Contract

SEED = 20260115
ENOUGH = 108
"""Plants of a kind for each rule, at the least; a binding has at least one."""

RECIPES: dict[str, Recipes] = (
    completeness.RECIPES
    | accuracy_codes.RECIPES
    | accuracy.RECIPES
    | conformity.RECIPES
    | conformity_texts.RECIPES
    | consistency.RECIPES
    | consistency_tables.RECIPES
    | association.RECIPES
    | uniqueness.RECIPES
)


@dataclass
class Garden:
    """The record of plants, and all rows to be landed, with the plant that each belongs to (None: clean)."""

    plants: list[Plant] = field(default_factory=list)
    rows: dict[str, list[tuple[Row, int | None]]] = field(default_factory=lambda: defaultdict(list))
    places: list[list[tuple[str, int]]] = field(default_factory=list)
    """Of each plant, table and position of its rows and of those beside."""

    def add(self, plant: Plant) -> None:
        """Note a plant and its rows. Rows beside a fault count as clean ones."""
        number = len(self.plants)
        beside = number if plant.kind == "near_miss" else None
        landing: list[tuple[str, Row, int | None]] = [(plant.table, row, number) for row in plant.draft.rows]
        landing += [(table, row, beside) for table, row in plant.draft.beside]
        self.places.append([])
        for table, row, owner in landing:
            self.places[number].append((table, len(self.rows[table])))
            self.rows[table].append((row, owner))
        self.plants.append(plant)

    @cached_property
    def numbers(self) -> dict[tuple[str, str], int | None]:
        """Table and key of every row -> the number of its plant."""
        return {
            (table, row_key(table, position)): number
            for table, rows in self.rows.items()
            for position, (_, number) in enumerate(rows)
        } | {
            (plant.table, loads.file_key(plant.table, number)): number
            for number, plant in enumerate(self.plants)
            if plant.draft.manifest is not None
        }


def row_key(table: str, position: int) -> str:
    """Key of the row that lands at a position."""
    return str(UUID(md5(f"{table} {position}".encode(), usedforsecurity=False).hexdigest()))


def lay_out(contracts: Mapping[str, Contract]) -> Garden:
    """Faults and near misses for every binding of the staging tables, among clean rows of every table."""
    garden, fresh = Garden(), Fresh()
    for table in MAKERS:
        garden.rows[table] = [(row, None) for row in good_rows(table)]
    for rule, bindings in sorted(bindings_of(contracts).items()):
        recipes = RECIPES.get(rule)
        if recipes is None:
            continue
        draw = Random(f"{SEED} {rule}")  # noqa: S311 - plants, no secret
        each = max(recipes.each, -(-ENOUGH // len(bindings)))
        for kind in KINDS:
            for plant in _plants(rule, bindings, kind, recipes, each, draw, fresh):
                garden.add(plant)
    return garden


def bindings_of(contracts: Mapping[str, Contract]) -> dict[str, list[tuple[str, str]]]:
    """Rule -> the raw tables and columns whose staging it is bound to."""
    bindings: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for contract in contracts.values():
        if contract.layer == "staging":
            for bound in contract.bound():
                bindings[bound.check.attributes.rule_id].append((contract.raw_table, bound.column))
    return bindings


def _plants(
    rule: str,
    bindings: list[tuple[str, str]],
    kind: Kind,
    recipes: Recipes,
    each: int,
    draw: Random,
    fresh: Fresh,
) -> Iterator[Plant]:
    ready = recipes.faults if kind == "fault" else recipes.near_misses
    position = 0
    for turn in range(each * len(bindings)):
        table, column = bindings[turn // each]
        ask = Ask(table, column, turn, draw, fresh)
        # A recipe that does not fit this binding gives its turn to the next.
        for _ in ready:
            draft = ready[position % len(ready)](ask)
            position += 1
            if draft is not None:
                what = draft.why if draft.case is None else draft.case
                case = (table, column, what) if recipes.placed else what
                yield Plant(rule, table, column, kind, draft, case)
                break
        else:
            raise LookupError(f"no {kind} of {rule} fits {table} {column}: add one to tests/quality/plants")


def land(connection: Connection, garden: Garden) -> None:
    """Land the rows of each table, make its staging table, and let files and rows meet what was planned."""
    for table, rows in garden.rows.items():
        batch = loads.begin(connection, table)
        held = connection.execute(
            "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0"
            " and not attisdropped and attname not like '\\_%%'",
            (f"raw.{table}",),
        ).fetchall()
        columns = [str(row[0]) for row in held]
        statement = sql.SQL("copy {} ({}, _row_key, _op, _batch_id, _loaded_on) from stdin").format(
            sql.Identifier("raw", table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for position, (row, _) in enumerate(rows):
                values = [row.get(column) for column in columns]
                copy.write_row((*values, row_key(table, position), "I", batch, TODAY))
        connection.execute(sql.SQL("analyze {}").format(sql.Identifier("raw", table)))
        _stage(connection, table)
        plants = {number: it for number, it in enumerate(garden.plants) if it.table == table}
        loads.befall(connection, table, _fates(table, rows, plants))
        loads.send_files(connection, table, plants)


def _fates(
    table: str, rows: Sequence[tuple[Row, int | None]], plants: Mapping[int, Plant]
) -> Iterator[tuple[str, Fate]]:
    """The fates of the rows that are to meet one, those beside them apart."""
    for position, (row, number) in enumerate(rows):
        plant = None if number is None else plants.get(number)
        if plant is not None and plant.draft.fate is not None and row in plant.draft.rows:
            yield row_key(table, position), plant.draft.fate


def _stage(connection: Connection, table: str) -> None:
    connection.execute(
        sql.SQL(
            "set role huiliu_build; create table {table} as select * from {view};"
            " grant select on {table} to huiliu_score; reset role; analyze {table}"
        ).format(
            table=sql.Identifier("staging", f"stg_{table}"),
            view=sql.Identifier("staging", f"stg_{table}_typed"),
        )
    )
