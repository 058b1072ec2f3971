"""Rows that came as JSON objects: flattened as far as the spec looks into them, checked, staged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ingestion.http.answers import Ambiguous, Json, as_text, original, storable
from ingestion.records import Rejects
from ingestion.spec import TableSpec
from ingestion.stage import RowSink, Stage


class RowReader:
    """Takes the rows of one reading of a table, page by page."""

    def __init__(self, where: str, table: TableSpec, *, absent_allowed: bool = False) -> None:
        self.where = where
        self.absent_allowed = absent_allowed
        self.rejects = Rejects(where)
        self.rows = 0
        self.names = [column.at_source for column in table.columns]
        self.wanted = frozenset(self.names)
        # Objects that some column is inside of: person for person.name.
        self.opened = frozenset(
            name[:place] for name in self.names for place, sign in enumerate(name) if sign == "."
        )
        self.seen: dict[str, None] = {}

    def take(self, rows: Sequence[Json], page: str, stage: Stage, sink: RowSink) -> int:
        """Stage the rows of a page; return a number that other rows would hardly have, whatever their order.

        Raises DataError for a column that no row of the first page has.
        """
        before = len(self.seen)
        self.seen.update(self.fields(rows))
        if len(self.seen) > before:
            # What is missing later is missing from single rows: those are rejected.
            first = not before and not self.absent_allowed
            stage.columns_of(self.where, {**self.seen, **({} if first else dict.fromkeys(self.names))})
        content = 0
        for number, row in enumerate(rows, start=1):
            content += self._write(row, f"{page}, row {number}", sink)
        return content

    def fields(self, rows: Sequence[Json]) -> dict[str, None]:
        """Return the names of the fields of rows, as columns may call them; rows with others are rejected."""
        found: dict[str, None] = {}
        for row in rows:
            if isinstance(row, dict):
                found |= dict.fromkeys(self._flat(row))
        return {name: None for name in found if storable(name)}

    def check_seen(self, stage: Stage) -> None:
        """After all of a table was read: a column that no row had is missing, even where single rows may
        lack it."""
        if self.seen:
            stage.columns_of(self.where, self.seen)

    def _write(self, row: Json, position: str, sink: RowSink) -> int:
        try:
            values, extra = self.texts(row)
        except (ValueError, RecursionError) as error:
            # A reason of our own, never a parser's, which may quote the row.
            reason = str(error) if type(error) is ValueError else "the row has no text that can be stored"
            text = original(row)
            self.rejects.add(position, text, reason)
            return hash(text)
        sink.write(values, extra)
        self.rows += 1
        return hash((tuple(values), *extra.values()))

    def texts(self, row: Json) -> tuple[list[str | None], dict[str, str | None]]:
        """Return a row's texts in the spec's order, and what the spec doesn't know; ValueError says what is
        wrong with it."""
        if not isinstance(row, dict):
            raise ValueError("a row must be an object")
        if isinstance(row, Ambiguous):
            raise ValueError("a key is written twice")
        flat = self._flat(row)
        if not self.absent_allowed and not self.wanted <= flat.keys():
            missing = [name for name in self.names if name not in flat]
            raise ValueError(f"field {', '.join(missing)} is missing")
        values = [value if type(value) is str else as_text(value) for value in map(flat.get, self.names)]
        extra = {name: as_text(flat[name]) for name in flat if name not in self.wanted}
        together = "".join(filter(None, (*values, *extra, *extra.values())))
        if "\0" in together:
            raise ValueError("the row holds a NUL character")
        together.encode()  # half of a pair of surrogates is no character
        return values, extra

    def _flat(self, row: dict[str, Json]) -> dict[str, Json]:
        """Return a row with the objects that columns look into replaced by what is in them."""
        return row if self.opened.isdisjoint(row) else dict(self._members(row, ""))

    def _members(self, row: dict[str, Json], prefix: str) -> Iterator[tuple[str, Json]]:
        for name, value in row.items():
            place = prefix + name
            if place in self.opened and isinstance(value, dict) and not isinstance(value, Ambiguous):
                yield from self._members(value, f"{place}.")
            elif place in self.opened and value is None:
                yield from ((inner, None) for inner in self.names if inner.startswith(f"{place}."))
            else:
                yield place, value
