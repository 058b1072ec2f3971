"""What a source shows: the form of one of its tables and how its rows come from the truth."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from simulator import codes, identity, names
from simulator.state import State
from simulator.table import NEVER, Column, Ints, Mask
from simulator.text import Strings, padded, pick

FIRST_EXTRA = 500_000_000  # row keys from here on are second rows of something that has a row already
Columns = dict[str, Strings]
# How a column can go wrong; see simulator.corruption.
Form = str


def always(state: State, keys: Ints) -> Mask:
    """Every row is visible."""
    return np.ones(len(keys), dtype=bool)


def plain_key(state: State, keys: Ints, of: Ints) -> Strings:
    """Write keys as plain numbers."""
    return pa.array(keys).cast(pa.string())


def numbered(prefix: str) -> Callable[[State, Ints, Ints], Strings]:
    """Write keys as a prefix and ten digits."""

    def key_text(state: State, keys: Ints, of: Ints) -> Strings:
        return padded(keys, 10, prefix)

    return key_text


@dataclass(frozen=True)
class Lateness:
    """Events a source may hear of late.

    Row keys, the day of the event, the day the row is shown (NEVER: never).
    """

    keys: Ints
    happened: Column
    shown: Column


def never_late(state: State, before: Mapping[str, int]) -> Lateness:
    """Nothing is late."""
    none = np.empty(0, dtype=np.int64)
    return Lateness(none, none, none)


@dataclass(frozen=True)
class SourceTable:
    """A table of a source; its entities are the rows of a truth table, by id.

    ``project`` gives the clean columns for entity ids, ``person`` whom a row is about (0: nobody),
    ``every`` all keys there
    may be. ``forms`` says how each column can go wrong. ``late`` takes the row counts before the step.
    """

    source: str
    name: str
    key: str
    columns: tuple[tuple[str, str], ...]
    every: Callable[[State], Ints]
    project: Callable[[State, Ints], Columns]
    person: Callable[[State, Ints], Ints]
    visible: Callable[[State, Ints], Mask] = always
    key_text: Callable[[State, Ints, Ints], Strings] = plain_key
    late: Callable[[State, Mapping[str, int]], Lateness] = never_late
    forms: Mapping[str, Form] = field(default_factory=dict)
    stamped: bool = True  # has updated_at
    appended: bool = False  # a file a step: what stands in one is never taken back

    @property
    def full_name(self) -> str:
        """Name with its source, as in rates.yml."""
        return f"{self.source}.{self.name}"

    @property
    def number(self) -> int:
        """By which the state refers to it: of the name alone, whatever other tables there are."""
        return zlib.crc32(self.full_name.encode())


def columns(text: str) -> tuple[tuple[str, str], ...]:
    """Read columns written as ``name`` (text) or ``name:type``."""
    return tuple((name, kind or "text") for name, _, kind in (word.partition(":") for word in text.split()))


def rows_of(table: str) -> Callable[[State], Ints]:
    """Return the ids of all rows of a truth table."""

    def every(state: State) -> Ints:
        return state[table].ids

    return every


def person_of(table: str, column: str = "person") -> Callable[[State, Ints], Ints]:
    """Return the person column of a truth table's rows."""

    def person(state: State, ids: Ints) -> Ints:
        return state[table][column][ids - 1].astype(np.int64)

    return person


def shown_by_today(table: str) -> Callable[[State, Ints], Mask]:
    """Rows are visible from their ``shown`` day on, unless void."""

    def visible(state: State, ids: Ints) -> Mask:
        rows = state[table]
        seen = rows["shown"][ids - 1] <= state.today
        return seen & ~rows["void"][ids - 1] if "void" in rows.names else np.asarray(seen)

    return visible


def late_rows(table: str, event: str) -> Callable[[State, Mapping[str, int]], Lateness]:
    """Rows of a truth table, new in this step, that are shown after their event."""

    def late(state: State, before: Mapping[str, int]) -> Lateness:
        rows = state[table]
        new = np.arange(before[table], len(rows))
        new = new[rows["shown"][new] > rows[event][new]]
        return Lateness(new + 1, rows[event][new], rows["shown"][new])

    return late


def pid(state: State, persons: Column) -> Strings:
    """Return resident ID numbers; null for person 0."""
    persons = np.asarray(persons)
    text = identity.resident_ids(state["person"]["number"][np.maximum(persons, 1) - 1])
    return text if (persons > 0).all() else _null_where(persons <= 0, text)


def name(state: State, persons: Column) -> Strings:
    """Return names; null for person 0."""
    persons = np.asarray(persons)
    at = np.maximum(persons, 1) - 1
    person = state["person"]
    text = names.full_names(person["surname"][at], person["given1"][at], person["given2"][at])
    return text if (persons > 0).all() else _null_where(persons <= 0, text)


def sex(state: State, persons: Column) -> Strings:
    """Return sex codes."""
    return pick(codes.SEXES, state.person("sex", persons))


def nation(state: State, persons: Column) -> Strings:
    """Return nationality codes (GB/T 3304)."""
    return pick(codes.NATIONS, state.person("nation", persons))


def hukou_type(state: State, persons: Column) -> Strings:
    """Return hukou types: 1 rural, 2 not."""
    return pick(("2", "1"), state.person("rural", persons).astype(np.int64))


def phone(state: State, persons: Column) -> Strings:
    """Return mobile numbers; null for those who have none."""
    numbers = state.person("phone", persons)
    return _null_where(numbers == 0, padded(numbers, 11))


def known_end(state: State, ends: Column) -> Column:
    """Return end days that have come; later ones are not shown."""
    return np.where(ends <= state.today, ends, NEVER)


def _null_where(mask: Mask, text: Strings) -> Strings:
    return text.take(pa.array(np.arange(len(mask)), mask=mask))
