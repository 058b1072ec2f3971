"""What a scan must count, known from the record of plants and the clean rows, and what it does count.

Each binding is counted by itself, on the rows planted for it and the clean rows its table begins with: on all
rows, the plants of other rules would be in the count, and which of them fail here is nowhere on record.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from good_rows import good_rows
from own_warehouse import TODAY
from psycopg import sql

from huiliu.database import Connection
from plants.oracle import is_tested
from plants.planting import Garden, row_key
from soda_checks.conditions import Relation
from soda_checks.contract import BoundCheck, Column, Contract
from soda_checks.relations import SESSION, columns_of, rows_of, table_relation
from soda_checks.scan import Count, judge

Binding = tuple[str, str, str]
_TABLE, _PART, _JUDGED = "planted", "planted_here", "judged_here"


class Counting:
    """The counts of every binding, expected and found."""

    def __init__(self, garden: Garden) -> None:
        self._garden = garden
        self._own: dict[Binding, list[int]] = defaultdict(list)
        for number, plant in enumerate(garden.plants):
            self._own[plant.rule, plant.table, plant.column].append(number)

    def expected(self, binding: Binding) -> Count:
        """Rows to be tested, and those of them that fail, as the record has it."""
        rule, table, column = binding
        plants = [self._garden.plants[number] for number in self._own[binding]]
        failed = sum(plant.draft.fails for plant in plants if plant.kind == "fault")
        if rule == "C04":  # of files, not of rows
            return Count(sum((it.draft.manifest or (None,))[0] is not None for it in plants), failed)
        if rule == "S06" and not column:  # of all that landed, or stands in staging
            absent = sum(it.draft.fate in ("deleted", "waiting") for it in plants)
            return Count(len(self._garden.rows[table]) - absent, failed)
        rows = [self._garden.rows[table][position][0] for position in self._positions(binding)]
        return Count(sum(is_tested(rule, table, column, row) for row in rows), failed)

    def _positions(self, binding: Binding) -> list[int]:
        """Where the rows land that are counted for a binding: clean ones, and its plants'."""
        _, table, _ = binding
        planted = (self._garden.places[number] for number in self._own[binding])
        return [
            *range(len(good_rows(table))),
            *(position for places in planted for other, position in places if other == table),
        ]

    def found(
        self, connection: Connection, contracts: Iterable[Contract]
    ) -> Iterator[tuple[Binding, Count | None]]:
        """What the scan counts, a binding at a time; None where it could not be evaluated."""
        for contract in contracts:
            relation = table_relation(connection, contract, TODAY)
            rows = rows_of(connection, contract, relation, columns_of(connection, relation)).query
            _copy(connection, _TABLE, rows, sql.SQL("true"))
            for bound in contract.bound():
                binding = (bound.check.attributes.rule_id, contract.raw_table, bound.column)
                keys = [row_key(contract.raw_table, position) for position in self._positions(binding)]
                here = sql.SQL("_row_key = any({}::uuid[])").format(sql.Literal(keys))
                _copy(connection, _PART, sql.Identifier(SESSION, _TABLE), here)
                judged = judge(connection, _alone(contract, bound), Relation(SESSION, _PART, TODAY), _JUDGED)
                yield binding, judged.counts.get(0)
                _drop(connection, _PART, _JUDGED)
            _drop(connection, _TABLE)


def _alone(contract: Contract, bound: BoundCheck) -> Contract:
    """The contract with nothing in it but one check."""
    column = [Column(name=bound.column, checks=[bound.check])] if bound.column else []
    return contract.model_copy(update={"columns": column, "checks": [] if column else [bound.check]})


def _copy(connection: Connection, name: str, rows: sql.Composable, condition: sql.Composable) -> None:
    connection.execute(
        sql.SQL("create temporary table {} as select * from {} where {}").format(
            sql.Identifier(name), rows, condition
        )
    )


def _drop(connection: Connection, *names: str) -> None:
    connection.execute(
        sql.SQL("drop table {}").format(sql.SQL(", ").join(sql.Identifier(SESSION, it) for it in names))
    )
