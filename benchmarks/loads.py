"""Goals of moving rows into the raw layer."""

from __future__ import annotations

from statistics import median

from benchmarks.depot import FILE, TABLE, Depot
from benchmarks.finding import Finding, Ratio, in_turns, one, spread

_ROWS = 1_000_000
_ROUNDS = 3
_MOST_MEGABYTES = 200
_FLAT = 1.2  # memory at ten times the rows, as a ratio


def full_load(depot: Depot) -> Finding:
    """Load a database table for the first time, beside the COPY pipe."""
    depot.grow(_ROWS)
    ours, limit = in_turns([lambda: depot.load_first(TABLE), depot.pipe_rows], _ROUNDS)
    text = f"{depot.rows:,} rows: load {spread(ours)}, pipe {spread(limit)}"
    return one(median(ours) / median(limit), 1.5, text)


def snapshot(depot: Depot) -> Finding:
    """Compare a table, 1 % of it changed, with what landed last and land the differences."""
    depot.grow(_ROWS)
    depot.load_first(TABLE)

    def compare() -> float:
        depot.change()
        return depot.load(TABLE)

    # The first comparison also builds the last state and its indexes: once in a table's life.
    founding = compare()
    ours, limit = in_turns([compare, depot.pipe_rows], _ROUNDS)
    text = f"{depot.rows:,} rows: {spread(ours)}, pipe {spread(limit)}; first comparison {founding:.2f} s"
    return one(median(ours) / median(limit), 4, text)


def csv_load(depot: Depot) -> Finding:
    """Load a GB18030 CSV file, every record checked, beside decoding it straight into COPY."""
    depot.grow(_ROWS)
    ours, limit = in_turns([lambda: depot.load_first(FILE), depot.pipe_file], _ROUNDS)
    text = f"{depot.rows:,} rows: load {spread(ours)}, pipe {spread(limit)}"
    return one(median(ours) / median(limit), 2, text)


def load_memory(depot: Depot) -> Finding:
    """Compare the memory of loads (first, comparison, file) of 1 M rows with a tenth: first of all."""
    return _memory(depot, _ROWS // 10)


def large_load_memory(depot: Depot) -> Finding:
    """Compare the memory of loads (first, comparison, file) of 10 M rows with that of 1 M: last of all."""
    return _memory(depot, _ROWS)


def _memory(depot: Depot, rows: int) -> Finding:
    small, large = _peaks(depot, rows), _peaks(depot, 10 * rows)
    growth = max(large[kind] / small[kind] for kind in large)
    shown = ", ".join(f"{kind} {small[kind]:.0f} → {large[kind]:.0f} MB" for kind in large)
    text = f"{rows:,} → {10 * rows:,} rows: {shown}"
    return Finding((Ratio(max(large.values()), _MOST_MEGABYTES, "MB"), Ratio(growth, _FLAT)), text)


def _peaks(depot: Depot, rows: int) -> dict[str, float]:
    """Return the greatest memory of each kind of load, in megabytes."""
    depot.grow(rows)
    depot.load_first(TABLE)
    depot.change()
    depot.load(TABLE)
    depot.load_first(FILE)
    first, compared = depot.loads[TABLE][-2:]
    return {
        "table": first.megabytes,
        "comparison": compared.megabytes,
        "file": depot.loads[FILE][-1].megabytes,
    }
