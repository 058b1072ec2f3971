"""A vertical system: its tables, and how its files are written if it is not a database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

if TYPE_CHECKING:
    from simulator.state import State
    from simulator.systems.source_table import SourceTable


class Shown(Protocol):
    """What a system shows in this step, as Arrow tables of text columns."""

    def whole(self, table: str) -> pa.Table:
        """Return every row of a table as the source has it now."""
        ...

    def written(self, table: str) -> pa.Table:
        """Return the rows of this step only: those new or changed; all of them in a new city."""
        ...


@dataclass(frozen=True)
class System:
    """A source. Without ``write`` it is a PostgreSQL database of its own.

    ``write(state, shown, folder)`` brings the files in ``folder`` ($HUILIU_HOME/sources/<name>, empty in
    a new city) to the state of this step; repeated, it writes the same bytes.
    """

    name: str
    tables: tuple[SourceTable, ...]
    write: Callable[[State, Shown, Path], None] | None = None

    @property
    def is_database(self) -> bool:
        """Whether the source is a database."""
        return self.write is None
