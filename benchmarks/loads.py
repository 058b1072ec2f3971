"""Goals of moving rows into the raw layer."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from benchmarks import dlt, workplace
from benchmarks.depot import API, FILE, QUOTED, TABLE, Depot
from benchmarks.finding import Finding, NotMeasuredError, Ratio, faster, in_turns, one, spread
from benchmarks.mariadb import MariadbDepot

_ROWS = 1_000_000
_ROUNDS = 3
_MOST_MEGABYTES = 200
_FLAT = 1.2  # memory at ten times the rows, as a ratio

Work = Callable[[], float]


def full_load(depot: Depot) -> Finding:
    """Load a database table for the first time, beside the COPY pipe."""
    depot.grow(_ROWS)
    return _beside_pipe(lambda: depot.load_first(TABLE), depot.pipe_rows, 1.5)


def dlt_load(depot: Depot) -> Finding:
    """Load the same table with dlt, between two loads of ours."""
    depot.grow(_ROWS)
    source = depot.address.replace("postgresql://", "postgresql+psycopg2://", 1)
    return _beside_dlt(lambda: depot.load_first(TABLE), source, depot.address)


def snapshot(depot: Depot) -> Finding:
    """Compare a table, 1 % of it changed, with what landed last and land the differences."""
    depot.grow(_ROWS)
    depot.load_first(TABLE)

    def compare() -> float:
        depot.change()
        return depot.load(TABLE)

    return _compared(compare, depot.pipe_rows)


def csv_load(depot: Depot) -> Finding:
    """Load a GB18030 CSV file, every record checked, beside decoding it straight into COPY."""
    depot.grow(_ROWS)
    return _beside_pipe(lambda: depot.load_first(FILE), depot.pipe_file, 2)


def csv_quoted(depot: Depot) -> Finding:
    """Load a CSV file with quotation marks in 5 % of its lines, beside the same without."""
    depot.grow(_ROWS)
    ours, plain = in_turns([lambda: depot.load_first(QUOTED), lambda: depot.load_first(FILE)], _ROUNDS)
    return one(median(ours) / median(plain), 2, f"{spread(ours)}, without quotation marks {spread(plain)}")


def api_load(depot: Depot) -> Finding:
    """Load a JSON API, beside reading its pages and copying their values unchecked."""
    depot.grow(_ROWS)
    depot.serve()
    return _beside_pipe(lambda: depot.load_first(API), depot.pipe_api, 2)


def mariadb_load(depot: Depot) -> Finding:
    """Load a MariaDB table for the first time, beside its client piped into COPY."""
    mariadb = _mariadb(depot, _ROWS)
    return _beside_pipe(mariadb.load_first, mariadb.pipe_rows, 1.5)


def mariadb_dlt_load(depot: Depot) -> Finding:
    """Load the same MariaDB table with dlt, between two loads of ours."""
    mariadb = _mariadb(depot, _ROWS)
    address = mariadb.server.url("depot")
    native = "mysql://" + address.partition("://")[2]
    return _beside_dlt(mariadb.load_first, native.replace("mysql://", "mysql+pymysql://", 1), native)


def mariadb_snapshot(depot: Depot) -> Finding:
    """Compare a MariaDB table, 1 % of it changed, with what landed last and land the differences."""
    mariadb = _mariadb(depot, _ROWS)
    mariadb.load_first()

    def compare() -> float:
        mariadb.change()
        return mariadb.load()

    return _compared(compare, mariadb.pipe_rows)


def load_memory(depot: Depot) -> Finding:
    """Compare the memory of every kind of load of 1 M rows with a tenth: first of all."""
    return _memory(depot, _ROWS // 10)


def large_load_memory(depot: Depot) -> Finding:
    """Compare the memory of every kind of load of 10 M rows with that of 1 M: last of all."""
    return _memory(depot, _ROWS)


def _beside_pipe(load: Work, pipe: Work, at_most: float) -> Finding:
    ours, limit = in_turns([load, pipe], _ROUNDS)
    return one(median(ours) / median(limit), at_most, f"load {spread(ours)}, limit {spread(limit)}")


def _compared(compare: Work, pipe: Work) -> Finding:
    # The first comparison also builds the last state and its indexes: once in a table's life.
    founding = compare()
    ours, limit = in_turns([compare, pipe], _ROUNDS)
    text = f"{spread(ours)}, limit {spread(limit)}; first comparison {founding:.2f} s"
    return one(median(ours) / median(limit), 4, text)


def _beside_dlt(load: Work, source: str, native: str) -> Finding:
    before = load()
    theirs = dlt.load(source, native, workplace.admin("warehouse"), _ROWS)
    ours = [before, load()]
    shown = ", ".join(f"dlt with {backend} {seconds:.1f} s" for backend, seconds in theirs.items())
    return faster(min(theirs.values()), median(ours), 8, f"load {spread(ours)}, {shown}")


def _mariadb(depot: Depot, rows: int) -> MariadbDepot:
    missing = MariadbDepot.missing()
    if missing:
        raise NotMeasuredError(f"{missing} is not installed: run scripts/install_test_servers.sh as root")
    if depot.mariadb is None:
        depot.mariadb = MariadbDepot.open(depot.home)
        depot.stack.callback(depot.mariadb.close)
    depot.mariadb.grow(rows)
    return depot.mariadb


def _memory(depot: Depot, rows: int) -> Finding:
    small, large = _peaks(depot, rows), _peaks(depot, 10 * rows)
    growth = max(large[kind] / small[kind] for kind in large)
    shown = ", ".join(f"{kind} {small[kind]:.0f} → {large[kind]:.0f} MB" for kind in large)
    text = f"{rows:,} → {10 * rows:,} rows: {shown}"
    return Finding((Ratio(max(large.values()), _MOST_MEGABYTES, "MB"), Ratio(growth, _FLAT)), text)


def _peaks(depot: Depot, rows: int) -> dict[str, float]:
    """Return the greatest memory of each kind of load, in megabytes."""
    depot.grow(rows)
    depot.serve()
    for source in (TABLE, FILE, API):
        depot.load_first(source)
    peaks = {
        "table": depot.loads[TABLE][-1].megabytes,
        "file": depot.loads[FILE][-1].megabytes,
        "API": depot.loads[API][-1].megabytes,
    }
    depot.change()
    depot.load(TABLE)
    peaks["comparison"] = depot.loads[TABLE][-1].megabytes
    if MariadbDepot.missing() is None:
        mariadb = _mariadb(depot, rows)
        mariadb.load_first()
        peaks["MariaDB table"] = mariadb.loads[-1].megabytes
        mariadb.change()
        mariadb.load()
        peaks["MariaDB comparison"] = mariadb.loads[-1].megabytes
    return peaks
