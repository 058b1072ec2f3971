"""How MySQL compares the column by which it is asked for rows."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from ingestion.extract.database_cursor import NUMBER, TIME, Kind, end_of, is_text, shortest
from ingestion.extract.mysql_catalogue import Column, identifier, literal
from ingestion.records import Days


class Comparison:
    """A column's values as numbers or times: as its type compares them, or as what its texts mean."""

    def __init__(self, column: Column, kind: Kind) -> None:
        self.column = column
        self.kind = kind
        self.in_text = is_text(column.type)
        self.value = self._meaning() if self.in_text else identifier(column.name)

    def since(self, value: str) -> str:
        """Choose the values not before this one, and those that mean nothing."""
        later = f"{self.value} >= {self._literal(value)}"
        return f"({later} or {self.value} is null)" if self.in_text or self.column.nullable else later

    def within(self, days: Days) -> str:
        """Choose the times of these days."""
        first, after = days.first.isoformat(), (days.last + timedelta(days=1)).isoformat()
        return f"{self.value} >= {self._literal(first)} and {self.value} < {self._literal(after)}"

    def greatest(self, relation: str, today: date) -> str:
        """Select the greatest value as text, of times the greatest up to a day."""
        bound = f"{self.value} < {self._literal(end_of(today))}" if self.kind == "time" else "true"
        return f"select cast(max({self.value}) as char) from {relation} where {bound}"  # noqa: S608 - quoted names and literals

    def _meaning(self) -> str:
        name = identifier(self.column.name)
        if self.kind == "number":
            return f"if({name} regexp {literal(NUMBER)}, cast({name} as decimal(65, 10)), null)"
        # Of bytes, which no collation compares.
        return f"if({name} regexp {literal(TIME)}, replace({self.column.text}, 'T', ' '), null)"

    def _literal(self, value: str) -> str:
        return f"{Decimal(value):f}" if self.kind == "number" else literal(shortest(value))
