"""Planting faults in source rows and recording each of them; laying the recorded faults over clean rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.random import Generator

from simulator.calendar import to_date
from simulator.corruption import contradict, corrupt, positions, possible
from simulator.rates import Kind, TableDirt
from simulator.state import FAULT_SCHEMA, State
from simulator.systems.source_table import FIRST_EXTRA, Columns, SourceTable
from simulator.table import NEVER, Column, Ints, Mask
from simulator.text import Strings, dates

NO_COLUMN = ""


def _record(
    state: State,
    table: SourceTable,
    keys: Ints,
    column: str,
    kind: str,
    original: Strings,
    planted: Strings,
    of: Ints,
) -> None:
    count = len(keys)
    if not count:
        return
    rows = pa.table(
        {
            "source": pa.repeat(table.source, count),
            "table_name": pa.repeat(table.name, count),
            "key": keys,
            "row_key": table.key_text(state, keys, of),
            "column_name": pa.repeat(pa.scalar(column or None, pa.string()), count),
            "kind": pa.repeat(kind, count),
            "original": original,
            "planted": planted,
            "person_id": table.person(state, of),
            "planted_on": pa.repeat(pa.scalar(to_date(state.today), pa.date32()), count),
        },
        schema=FAULT_SCHEMA,
    )
    state.faults[table.full_name] = pa.concat_tables([state.faults_of(table.full_name), rows])


def plant(
    state: State, table: SourceTable, keys: Ints, clean: Columns, dirt: TableDirt, rng: Generator
) -> Ints:
    """Plant faults in rows written for the first time; returns keys of the extra rows this makes."""
    spoilt = np.zeros(len(keys), dtype=bool)
    _plant_identity(state, table, keys, clean, dirt, spoilt, rng)
    for column, kinds in dirt.values.items():
        spoilt |= _plant_column(state, table, keys, clean, column, kinds, rng)
    extras = []
    for column, rate in dirt.contradictory.items():
        at = _some(~spoilt, rate, rng)
        extras.append(_second_rows(state, table, keys, clean, column, at, rng))
        spoilt[at] = True
    extras.append(repeat(state, table, keys[_some(~spoilt, dirt.duplicate, rng)]))
    return np.concatenate(extras)


def _some(allowed: Mask, rate: float, rng: Generator) -> Ints:
    return np.flatnonzero(allowed & (rng.random(len(allowed)) < rate)).astype(np.int64)


def _plant_identity(
    state: State,
    table: SourceTable,
    keys: Ints,
    clean: Columns,
    dirt: TableDirt,
    spoilt: Mask,
    rng: Generator,
) -> None:
    """Plant at most one fault among all identity columns of a row: one draw decides which."""
    choices = [
        (column, kind, rate) for column, kinds in dirt.identity.items() for kind, rate in kinds.items()
    ]
    if not choices:
        return
    choice = np.searchsorted(np.cumsum([rate for _, _, rate in choices]), rng.random(len(keys)), side="right")
    for number, (column, kind, _) in enumerate(choices):
        at = np.flatnonzero(choice == number)
        if column.endswith("name") and kind == "blank":
            # A veteran's name stays: a quarantined row elsewhere must be recognisable by it.
            at = at[~np.isin(table.person(state, keys[at]), state["service"]["person"])]
        spoilt |= _spoil(state, table, keys, clean, column, kind, at, rng)


def _plant_column(
    state: State,
    table: SourceTable,
    keys: Ints,
    clean: Columns,
    column: str,
    kinds: Mapping[Kind, float],
    rng: Generator,
) -> Mask:
    choice = np.searchsorted(np.cumsum(list(kinds.values())), rng.random(len(keys)), side="right")
    spoilt = np.zeros(len(keys), dtype=bool)
    for number, kind in enumerate(kinds):
        spoilt |= _spoil(state, table, keys, clean, column, kind, np.flatnonzero(choice == number), rng)
    return spoilt


def _spoil(
    state: State,
    table: SourceTable,
    keys: Ints,
    clean: Columns,
    column: str,
    kind: str,
    at: Column,
    rng: Generator,
) -> Mask:
    form = table.forms[column]
    originals = clean[column].take(pa.array(at))
    fit = possible(form, kind, originals)
    at, originals = at[fit], originals.filter(pa.array(fit))
    mask = np.zeros(len(keys), dtype=bool)
    mask[at] = True
    if len(at):
        _record(
            state, table, keys[at], column, kind, originals, corrupt(form, kind, originals, rng), keys[at]
        )
    return mask


def _second_rows(
    state: State, table: SourceTable, keys: Ints, clean: Columns, column: str, at: Ints, rng: Generator
) -> Ints:
    """Write second rows that contradict the first in one column."""
    originals = clean[column].take(pa.array(at))
    new = _extra_keys(state, table, keys[at])
    if len(new):
        _record(
            state,
            table,
            new,
            column,
            "contradictory",
            originals,
            contradict(column, originals, rng),
            keys[at],
        )
    return new


def repeat(state: State, table: SourceTable, keys: Ints) -> Ints:
    """Write rows (clean ones) a second time under new keys; returns those keys."""
    new = _extra_keys(state, table, keys)
    if len(new):
        text = table.key_text(state, keys, keys)
        _record(state, table, new, NO_COLUMN, "duplicate", text, table.key_text(state, new, keys), keys)
    return new


def _extra_keys(state: State, table: SourceTable, of: Ints) -> Ints:
    number = table.number
    extra = state["extra"]
    own = extra["key"][extra["table"] == number]
    first = int(own.max()) + 1 if len(own) else FIRST_EXTRA
    keys = np.arange(first, first + len(of), dtype=np.int64)
    if len(of):
        extra.append(table=number, key=keys, of=of)
    return keys


def record_late(state: State, table: SourceTable, before: dict[str, int]) -> None:
    """Record this step's events that the source hears of late.

    Never is a contradiction between two sources.
    """
    late = table.late(state, before)
    for kind, mask in (("late", late.shown != NEVER), ("contradictory", late.shown == NEVER)):
        keys = late.keys[mask]
        _record(
            state, table, keys, NO_COLUMN, kind, dates(late.happened[mask]), dates(late.shown[mask]), keys
        )


def lay_over(state: State, table: SourceTable, keys: Ints, clean: Columns) -> Columns:
    """Return the columns as the source has them: clean values with the recorded faults laid over."""
    faults = state.faults_of(table.full_name)
    order = np.argsort(keys, kind="stable")
    place = positions(faults["key"].to_numpy(), keys[order])
    dirty = dict(clean)
    if not (place >= 0).any():
        return dirty
    for column in clean:
        hit = np.asarray(pc.equal(faults["column_name"], column).fill_null(False)) & (place >= 0)
        if hit.any():
            planted = _whole(faults["planted"].filter(pa.array(hit)))
            dirty[column] = _replaced(clean[column], order[place[hit]], planted)
    return dirty


def _replaced(values: Strings, at: Column, planted: Strings) -> Strings:
    mask = np.zeros(len(values), dtype=bool)
    mask[at] = True
    new = planted.take(pa.array(np.argsort(at, kind="stable")))
    return pc.replace_with_mask(values, pa.array(mask), new)


def follow_truth(state: State, table: SourceTable, keys: Ints, clean: Columns) -> None:
    """Keep the record of faults right when the truth behind a faulty value changes (a mover's village).

    A value left blank stays so; a contradictory second row keeps contradicting, with the former value;
    any other faulty value is overwritten by the new one, which ends the fault.
    """
    faults = state.faults_of(table.full_name).combine_chunks()
    order = np.argsort(keys, kind="stable")
    place = positions(faults["key"].to_numpy(), keys[order])
    original, planted = (_whole(faults[name]) for name in ("original", "planted"))
    kinds = np.asarray(faults["kind"].to_numpy(), dtype=object)
    ended = np.zeros(faults.num_rows, dtype=bool)
    for column, values in clean.items():
        hit = np.flatnonzero(
            (place >= 0) & np.asarray(pc.equal(faults["column_name"], column).fill_null(False))
        )
        true = values.take(pa.array(order[place[hit]]))
        changed = np.asarray(pc.not_equal(original.take(pa.array(hit)), true).fill_null(True))
        hit, true = hit[changed], true.filter(pa.array(changed))
        second = hit[kinds[hit] == "contradictory"]
        ended[hit[(kinds[hit] != "contradictory") & (kinds[hit] != "blank")]] = True
        planted = _replaced(planted, second, original.take(pa.array(second)))
        original = _replaced(original, hit, true)
    for name, column_values in (("original", original), ("planted", planted)):
        position = faults.schema.get_field_index(name)
        faults = faults.set_column(position, FAULT_SCHEMA.field(name), column_values)
    state.faults[table.full_name] = faults.filter(pa.array(~ended))


def _whole(column: pa.ChunkedArray) -> Strings:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], pa.string())


def correct_some(state: State, table: SourceTable, rate: float, rng: Generator) -> Ints:
    """Correct some faulty values at the source; returns the keys of their rows."""
    faults = state.faults_of(table.full_name)
    fixable = pc.is_in(faults["kind"], pa.array(["blank", "wrong", "id15", "full_width", "format"]))
    candidates = np.flatnonzero(np.asarray(fixable))
    fixed = candidates[rng.random(len(candidates)) < rate]
    keep = np.ones(faults.num_rows, dtype=bool)
    keep[fixed] = False
    keys: Ints = faults["key"].to_numpy()[fixed]
    state.faults[table.full_name] = faults.filter(pa.array(keep))
    return keys


def forget(state: State, table: SourceTable, keys: Ints) -> None:
    """Drop second rows, and the recorded faults (except lateness), of keys deleted at the source."""
    if not len(keys):
        return
    extra = state["extra"]
    extra.keep(~((extra["table"] == table.number) & np.isin(extra["key"], keys)))
    faults = state.faults_of(table.full_name)
    gone = np.isin(faults["key"].to_numpy(), keys)
    gone &= ~np.asarray(pc.is_in(faults["kind"], pa.array(["late", "deleted"])))
    state.faults[table.full_name] = faults.filter(pa.array(~gone))


def record_deleted(state: State, table: SourceTable, key: int) -> None:
    """Record that a row was deleted at the source though the truth has not changed."""
    keys = np.array([key])
    text = table.key_text(state, keys, keys)
    _record(state, table, keys, NO_COLUMN, "deleted", text, pa.array([None], pa.string()), keys)
