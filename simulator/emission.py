"""From truth to source rows: which rows a step writes or deletes, and what stands in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator import dirt
from simulator.corruption import positions
from simulator.rates import Rates
from simulator.registry import TABLES
from simulator.state import State, union
from simulator.systems.source_table import FIRST_EXTRA, Columns, SourceTable
from simulator.table import Ints

CHUNK = 200_000  # rows projected at a time: bounds the memory of a big city
_DAY = 86_400
_OPENING = 8 * 3600  # offices write between 8:00 and 18:00
_SCRIPTED = (
    20 * 3600
)  # scripted changes come after them, so that a watermark passed earlier in the day still sees them


@dataclass(frozen=True)
class Change:
    """Rows of one table to write (new or again) and keys to delete in one step."""

    table: SourceTable
    write: Ints
    delete: Ints

    def __bool__(self) -> bool:
        """Whether anything changes."""
        return bool(len(self.write) or len(self.delete))


def plant_new(state: State, rates: Rates, table: SourceTable, new: Ints) -> Ints:
    """Plant faults in rows written for the first time; returns all keys to write, extra rows included."""
    spec = rates.dirt.get(table.full_name)
    if spec is None or not len(new):
        return new
    rng = state.rng_of(f"dirt {table.full_name}")
    extras = [
        dirt.plant(state, table, chunk, table.project(state, chunk), spec, rng) for chunk in _chunks(new)
    ]
    return np.concatenate([new, *extras])


def everything(state: State, rates: Rates) -> Iterator[Change]:
    """Plant the faults of a new city and yield what each table holds."""
    before = dict.fromkeys(state.tables, 0)
    for table in TABLES:
        dirt.record_late(state, table, before)
        keys = table.every(state)
        keys = keys[table.visible(state, keys)]
        yield Change(table, plant_new(state, rates, table, keys), np.empty(0, dtype=np.int64))


def changes(state: State, rates: Rates, before: dict[str, int]) -> list[Change]:
    """Plant the faults of this step's new rows and return what changes in each table."""
    result = []
    for table in TABLES:
        dirt.record_late(state, table, before)
        new = union(state.added.get(table.full_name, []))
        new = new[table.visible(state, new)]
        touched = np.setdiff1d(union(state.touched.get(table.full_name, [])), new)
        removed = _with_seconds(state, table, union(state.removed.get(table.full_name, [])))
        new_keys = plant_new(state, rates, table, new)
        again = _with_extras(state, table, touched)
        write = np.setdiff1d(np.union1d(new_keys, again), np.union1d(removed, _withheld(state, table)))
        faulty = np.intersect1d(again, state.faults_of(table.full_name)["key"].to_numpy())
        for chunk in _chunks(faulty):
            dirt.follow_truth(state, table, chunk, table.project(state, _entities(state, table, chunk)))
        dirt.forget(state, table, removed)
        result.append(Change(table, write, removed))
    return [change for change in result if change]


def present(state: State, table: SourceTable) -> Ints:
    """Return the keys of all rows a source table holds now."""
    keys = table.every(state)
    keys = keys[table.visible(state, keys)]
    # Second rows have the highest keys: all stay in order without sorting a whole city.
    keys = np.concatenate([keys, _seconds(state, table, keys)])
    return keys[~np.isin(keys, _withheld(state, table))]


def _withheld(state: State, table: SourceTable) -> Ints:
    withheld = state["withheld"]
    return np.asarray(withheld["key"][withheld["table"] == table.number])


def _with_extras(state: State, table: SourceTable, keys: Ints) -> Ints:
    """Return visible entity keys and the keys of their second rows.

    Keys of second rows stand for themselves.
    """
    base = keys[keys < FIRST_EXTRA]
    base = base[table.visible(state, base)]
    return union([_with_seconds(state, table, base), keys[keys >= FIRST_EXTRA]])


def _with_seconds(state: State, table: SourceTable, keys: Ints) -> Ints:
    return np.union1d(keys, _seconds(state, table, keys))


def _seconds(state: State, table: SourceTable, keys: Ints) -> Ints:
    """Return the keys of the second rows of keys, ascending."""
    extra = state["extra"]
    mine = np.flatnonzero(extra["table"] == table.number)
    return np.sort(extra["key"][mine[np.isin(extra["of"][mine], keys)]])


def _entities(state: State, table: SourceTable, keys: Ints) -> Ints:
    """Return the entity each key is a row of."""
    extra = state["extra"]
    mine = extra["table"] == table.number
    place = positions(keys, extra["key"][mine])
    return np.where(place >= 0, extra["of"][mine][place], keys) if mine.any() else keys


def _chunks(keys: Ints) -> list[Ints]:
    return [keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK)]


def rows(state: State, table: SourceTable, keys: Ints) -> Iterator[pa.Table]:
    """Yield the source rows of keys, in chunks, as the source has them: faults included."""
    for chunk in _chunks(keys):
        of = _entities(state, table, chunk)
        columns: Columns = table.project(state, of)
        columns = dirt.lay_over(state, table, chunk, columns)
        if table.key:
            columns[table.key] = table.key_text(state, chunk, of)
        if table.stamped:
            columns["updated_at"] = _stamps(state, chunk)
        yield pa.table({name: columns[name] for name, _ in table.columns})


def _stamps(state: State, keys: Ints) -> pa.Array:
    """Return when each row was last written.

    Spread over the past in a new city, else within the business day.
    """
    spread = (keys * 2_654_435_761 + state.meta.step * 40_503) % 2**32
    seconds = _OPENING + spread % 36_000
    if state.meta.scripted_today:
        seconds = np.full(len(keys), _SCRIPTED + 60 * state.meta.scripted_today)
    day = state.today - 1 - (spread >> 8) % 900 if state.meta.step == 0 else np.full(len(keys), state.today)
    return pc.cast(pa.array((day * _DAY + seconds).astype(np.int64)), pa.timestamp("s"))
