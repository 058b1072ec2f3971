"""A row that changes is written: without a database, every table of every source over some days."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from huiliu.regions import Regions
from simulator import city, days, emission
from simulator.places import from_regions
from simulator.rates import Rates, load
from simulator.registry import TABLES
from simulator.state import State
from tests.simulator.conftest import CHANGES

DAYS = 4  # long enough for each of the daily events, moves of households with gone members among them


def _shown(state: State) -> dict[str, tuple[np.ndarray, pa.Table]]:
    """Return the keys and rows, faults included, every source has now."""
    shown = {}
    for table in TABLES:
        keys = emission.present(state, table)
        parts = [part.select([n for n in part.column_names if n != "updated_at"]) for part in
                 emission.rows(state, table, keys)]  # fmt: skip
        shown[table.full_name] = (keys, pa.concat_tables(parts) if parts else pa.table({}))
    return shown


def _differing(before: pa.Table, after: pa.Table) -> np.ndarray:
    """Return which rows of two tables of one length differ."""
    differs = np.zeros(before.num_rows, dtype=bool)
    for name in before.column_names:
        old, new = (it[name].fill_null("\0") if pa.types.is_string(it[name].type) else it[name]
                    for it in (before, after))  # fmt: skip
        differs |= np.asarray(pc.fill_null(pc.not_equal(old, new), False))
    return differs


def _a_day(state: State, rates: Rates) -> dict[str, emission.Change]:
    days.pass_day(state, rates)
    changes = emission.changes(state, rates, state.before)
    state.clear_step()
    return {change.table.full_name: change for change in changes}


def test_what_is_not_written_has_not_changed(other_city: Regions) -> None:
    rates = load()
    state = city.imagine(4000, 3, date(2026, 1, 29), from_regions(other_city, city.former_districts(CHANGES)),
                         rates)  # fmt: skip
    list(emission.everything(state, rates))
    state.clear_step()
    before, compared = _shown(state), 0
    for _ in range(DAYS):
        changes = _a_day(state, rates)
        after = _shown(state)
        for name, (keys, rows) in before.items():
            change = changes.get(name)
            written = np.union1d(change.write, change.delete) if change else np.empty(0, dtype=np.int64)
            now, rows_now = after[name]
            kept = np.setdiff1d(keys, written)
            assert np.isin(kept, now).all(), f"{name}: rows vanish without being deleted"
            assert np.isin(np.setdiff1d(now, keys), written).all(), f"{name}: rows appear unwritten"
            same = [table.take(pa.array(np.searchsorted(of, kept))) for of, table in
                    ((keys, rows), (now, rows_now))] if len(kept) else []  # fmt: skip
            if same:
                assert not _differing(*same).any(), f"{name}: rows change unwritten"
                compared += len(kept)
        before = after
    assert compared > DAYS * 50_000
