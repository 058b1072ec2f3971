"""How any other database compares the column by which it is asked for rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from ingestion.extract.database_cursor import NUMBER, Kind, is_text, shortest
from ingestion.records import Days

_LIKE_A_DAY = "____-__-__%"


class Comparison:
    """A column's values as numbers or times: as its type compares them, or as what its texts mean."""

    def __init__(
        self,
        column: ColumnElement[Any],
        kind: Kind,
        type_: sa.types.TypeEngine[Any],
        name: str | None,
        dialect: str,
    ) -> None:
        self.column = column
        self.kind = kind
        self.type = type_
        self.in_sqlite = dialect == "sqlite"
        # SQLite has no type of times: it keeps texts.
        self.in_text = is_text(name) or (self.in_sqlite and kind == "time")

    def since(self, value: str) -> ColumnElement[bool] | None:
        """Choose the values not before this one, and those that mean nothing; None if it takes `picks`."""
        if self.kind == "number":
            if self.in_text:
                return None
            return sa.or_(self.column >= self._number(value), self.column.is_(None))
        if not self.in_text:
            return sa.or_(self.column >= self._time(value), self.column.is_(None))
        return sa.or_(
            sa.func.replace(self.column, "T", " ") >= shortest(value),
            self.column.not_like(_LIKE_A_DAY),
            self.column.is_(None),
        )

    def picks(self, value: str) -> Callable[[object], bool] | None:
        """Return what tells whether a value is not before this one, or means nothing; None if the database
        itself can choose. Databases have no common word for the number of a text that may be none.
        """
        if self.kind != "number" or not self.in_text:
            return None
        least = Decimal(value)
        is_number = re.compile(NUMBER).fullmatch
        return lambda found: not is_number(text := str(found)) or Decimal(text) >= least

    def within(self, days: Days) -> ColumnElement[bool]:
        """Choose the times of these days."""
        first, after = (self._time(day.isoformat()) for day in (days.first, days.last + timedelta(days=1)))
        return sa.and_(self.column >= first, self.column < after)

    def _number(self, value: str) -> object:
        number = Decimal(value)
        if isinstance(self.type, sa.Integer) or number == number.to_integral_value():
            return int(number.to_integral_value(ROUND_CEILING))
        return float(number) if self.in_sqlite else number

    def _time(self, value: str) -> object:
        if not self.in_text and isinstance(self.type, sa.DateTime):
            return datetime.fromisoformat(value)
        if not self.in_text and isinstance(self.type, sa.Date):
            return date.fromisoformat(value[:10])
        return shortest(value)
