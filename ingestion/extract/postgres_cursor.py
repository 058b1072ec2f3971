"""How PostgreSQL compares the column by which it is asked for rows."""

from __future__ import annotations

import math
from datetime import date, timedelta
from decimal import Decimal

from psycopg import sql

from ingestion.extract.database_cursor import NUMBER, TIME, Kind, end_of, is_text, shortest
from ingestion.records import Days

_INTEGERS = ("smallint", "integer", "bigint")


class Comparison:
    """A column's values as numbers or times: as its type compares them, or as what its texts mean."""

    def __init__(self, column: sql.Identifier, type_name: str, kind: Kind) -> None:
        self.kind = kind
        self.type = type_name
        self.text = sql.SQL("{}::text").format(column)
        self.value = self._meaning() if is_text(type_name) else column

    def since(self, value: str) -> sql.Composed:
        """Choose the values not before this one, and those that mean nothing."""
        return sql.SQL("({0} >= {1} or {0} is null)").format(self.value, self._literal(value))

    def within(self, days: Days) -> sql.Composed:
        """Choose the times of these days."""
        first, after = days.first.isoformat(), (days.last + timedelta(days=1)).isoformat()
        return sql.SQL("{0} >= {1} and {0} < {2}").format(
            self.value, self._literal(first), self._literal(after)
        )

    def greatest(self, relation: sql.Composable, today: date) -> sql.Composed:
        """Select the greatest value, of times the greatest up to a day; none that is no ordinary number."""
        bound = (
            sql.SQL("{} ~ {}").format(self.text, sql.Literal(NUMBER))
            if self.kind == "number"
            else sql.SQL("{} < {}").format(self.value, self._literal(end_of(today)))
        )
        return sql.SQL("select max({})::text from {} where {}").format(self.value, relation, bound)

    def _meaning(self) -> sql.Composed:
        if self.kind == "number":
            return sql.SQL("(case when {0} ~ {1} then {0}::numeric end)").format(
                self.text, sql.Literal(NUMBER)
            )
        return sql.SQL("""(case when {0} ~ {1} then replace({0}, 'T', ' ') end collate "C")""").format(
            self.text, sql.Literal(TIME)
        )

    def _literal(self, value: str) -> sql.Literal:
        if self.kind == "time":
            return sql.Literal(shortest(value) if is_text(self.type) else value)
        if self.type in _INTEGERS:
            # Between two integers there is none, and only integers can use the column's index.
            return sql.Literal(math.ceil(Decimal(value)))
        return sql.Literal(Decimal(value) if is_text(self.type) else value)
