"""Column tables of the simulator: numpy columns of one length, where a row's id is its position + 1."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Column = NDArray[Any]

# "No date", "no person": far outside every real value, so that comparisons with real values stay simple.
NEVER = np.int32(2**31 - 1)


def write_parquet(rows: pa.Table, path: Path) -> None:
    """Write rows plainly: most values differ, so a dictionary of them costs more than it saves."""
    pq.write_table(rows, path, use_dictionary=False, compression="lz4", write_statistics=False)


class Table:
    """Rows are only ever appended or changed in place, so ids stay valid for the life of the city."""

    def __init__(self, columns: Mapping[str, Any]) -> None:
        """Make a table from dtypes (empty) or from arrays of equal length."""
        self._columns: dict[str, Column] = {
            name: value if isinstance(value, np.ndarray) else np.empty(0, dtype=value)
            for name, value in columns.items()
        }

    def __getitem__(self, name: str) -> Column:
        """Return a column; writing into it changes the table."""
        return self._columns[name]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(next(iter(self._columns.values())))

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return list(self._columns)

    @property
    def ids(self) -> Ints:
        """Ids of all rows."""
        return np.arange(1, len(self) + 1, dtype=np.int64)

    def append(self, **values: ArrayLike) -> Ints:
        """Append rows (scalars are repeated) and return their ids; every column must be given."""
        if set(values) != set(self._columns):
            raise ValueError(f"columns differ: {sorted(set(values) ^ set(self._columns))}")
        size = max((np.size(value) for value in values.values() if np.ndim(value)), default=1)
        first = len(self) + 1
        for name, column in self._columns.items():
            new = np.broadcast_to(np.asarray(values[name]), (size,)).astype(column.dtype)
            self._columns[name] = np.concatenate([column, new])
        return np.arange(first, first + size, dtype=np.int64)

    def keep(self, mask: Mask) -> None:
        """Drop rows (only for tables whose row ids nobody refers to)."""
        self._columns = {name: column[mask] for name, column in self._columns.items()}

    def save(self, path: Path) -> None:
        """Write the table as Parquet."""
        write_parquet(pa.table({name: pa.array(column) for name, column in self._columns.items()}), path)

    @classmethod
    def load(cls, path: Path) -> Table:
        """Read a table written by ``save``."""
        stored = pq.read_table(path)
        return cls({name: stored.column(name).to_numpy().copy() for name in stored.column_names})
