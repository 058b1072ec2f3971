"""What rows of a table are made of: a load after a change of it reads everything."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from ingestion.spec import TableSpec


@dataclass(frozen=True)
class Shape:
    """The columns and where they come from, the columns of the key, and the column and kind of the mode."""

    relation: str
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...]
    cursor: tuple[str, ...]

    @classmethod
    def of(cls, table: TableSpec) -> Shape:
        """Return the shape a spec asks for."""
        cursor = table.cursor
        at_source = {column.name: column.at_source for column in table.columns}
        return cls(
            table.relation,
            tuple(at_source.items()),
            tuple(at_source[name] for name in table.key or table.column_names),
            (str(cursor.column), cursor.kind) if cursor else (),
        )

    @classmethod
    def read(cls, text: str) -> Shape | None:
        """Return the shape a ledger row holds; None if it was written otherwise."""
        try:
            held = json.loads(text)
            return cls(
                held["relation"],
                tuple((name, source) for name, source in held["columns"]),
                tuple(held["key"]),
                tuple(held["cursor"]),
            )
        except (ValueError, KeyError, TypeError):
            return None

    def text(self) -> str:
        """Return the shape as the ledger keeps it."""
        return json.dumps(asdict(self), ensure_ascii=False)
