"""The city's hidden state.

What is true, what the sources show of it, and what changed in the step at hand.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.random import Generator

from huiliu.errors import ConfigError
from simulator.calendar import to_date
from simulator.places import Places
from simulator.table import NEVER, Column, Ints, Mask, Table, write_parquet

I32, I64, I8, BOOL = np.int32, np.int64, np.int8, np.bool_

# Days are int32 since 1970 (NEVER: none); persons, households, marriages and firms are ids (0: none);
# villages are positions
# (-1: outside the city); money is fen. "shown" is the day from which a source shows the row.
Schema = Mapping[str, Mapping[str, Any]]  # table -> column -> numpy dtype
SCHEMA: Schema = {
    "person": {
        "number": I64, "surname": I32, "given1": I32, "given2": I32, "sex": I8, "birth": I32,
        "nation": I8, "rural": BOOL, "village": I32, "house": I32, "household": I32, "relation": I8,
        "phone": I64, "resident": BOOL, "died": I32, "left": I32, "marriage": I32, "mother": I32,
        "father": I32,
    },
    "household": {"village": I32, "head": I32, "rural": BOOL, "house": I32},
    "member": {"household": I32, "person": I32, "relation": I8, "joined": I32, "left": I32},
    "residence": {"person": I32, "village": I32, "start": I32, "end": I32},
    "move": {"person": I32, "kind": I8, "origin": I32, "target": I32, "moved": I32, "shown": I32},
    "marriage": {
        "husband": I32, "wife": I32, "registered": I32, "ended": I32, "end_kind": I8, "shown": I32,
        "end_shown": I32, "office": I32, "end_office": I32,
    },
    "birth": {"person": I32, "mother": I32, "father": I32, "born": I32, "shown": I32},
    "death": {"person": I32, "died": I32, "health_shown": I32, "police_shown": I32},
    "insurance": {"person": I32, "kind": I8, "status": I8, "started": I32, "ended": I32, "benefit": I64},
    "employment": {"person": I32, "firm": I32, "started": I32, "ended": I32, "shown": I32, "void": BOOL},
    "award": {
        "person": I32, "kind": I8, "started": I32, "ended": I32, "reason": I8, "monthly": I64,
        "village": I32, "stops": I32, "stop_reason": I8,
    },
    "payment": {"award": I32, "month": I32, "amount": I64, "paid": I32, "shown": I32, "void": BOOL},
    "case": {
        "household": I32, "head": I32, "kind": I8, "village": I32, "approved": I32, "ended": I32,
        "monthly": I64,
    },
    "case_person": {"case": I32, "person": I32},
    "service": {
        "person": I32, "enlisted": I32, "discharged": I32, "kind": I8, "unit": I32, "place": I32,
    },
    "firm": {
        "district": I64, "village": I32, "brand1": I32, "brand2": I32, "trade": I8, "form": I8,
        "serial": I64, "established": I32, "capital": I64, "currency": I8, "former": I8, "style":
        I8, "house": I32,
    },
    "extra": {"table": I64, "key": I64, "of": I64},
    "withheld": {"table": I64, "key": I64},
}  # fmt: skip

FAULT_SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("table_name", pa.string()),
        ("key", pa.int64()),
        ("row_key", pa.string()),
        ("column_name", pa.string()),
        ("kind", pa.string()),
        ("original", pa.string()),
        ("planted", pa.string()),
        ("person_id", pa.int64()),
        ("planted_on", pa.date32()),
    ]
)


@dataclass
class Meta:
    """Which city this is and how far it has come.

    ``step`` counts committed changes, days and scripted ones alike.
    """

    city: str
    seed: int
    today: int
    step: int = 0
    label: str = ""
    scripted_today: int = 0


@dataclass
class State:
    """Everything known of the city. Tables by name.

    ``faults`` holds what was planted by source table. ``touched``, ``added`` and ``removed`` hold the source
    rows of the step at hand; ``before`` the row counts at its start.
    """

    meta: Meta
    places: Places
    tables: dict[str, Table]
    faults: dict[str, pa.Table] = field(default_factory=dict)
    touched: dict[str, list[Ints]] = field(default_factory=dict)
    added: dict[str, list[Ints]] = field(default_factory=dict)
    removed: dict[str, list[Ints]] = field(default_factory=dict)
    before: dict[str, int] = field(default_factory=dict)

    @classmethod
    def new(cls, meta: Meta, places: Places, schema: Schema) -> State:
        """Return an empty city."""
        return cls(meta, places, {name: Table(columns) for name, columns in schema.items()})

    def __getitem__(self, name: str) -> Table:
        """Return a table by name."""
        return self.tables[name]

    @property
    def today(self) -> int:
        """Business date in days since 1970."""
        return self.meta.today

    def rng(self, purpose: int) -> Generator:
        """Return the generator of one purpose in this step: independent of all others."""
        return np.random.default_rng([self.meta.seed, self.meta.step, purpose])

    def rng_of(self, purpose: str) -> Generator:
        """Return the generator of one purpose, by name, in this step: independent of all others."""
        return np.random.default_rng(
            [self.meta.seed, self.meta.step, 1_000_000 + zlib.crc32(purpose.encode())]
        )

    def touch(self, table: str, ids: Column) -> None:
        """Say that source rows of existing entities must be written again."""
        if len(ids):
            self.touched.setdefault(table, []).append(np.asarray(ids, dtype=np.int64))

    def add(self, table: str, ids: Column) -> None:
        """Say that source rows are written for the first time."""
        if len(ids):
            self.added.setdefault(table, []).append(np.asarray(ids, dtype=np.int64))

    def remove(self, table: str, keys: Column) -> None:
        """Say that source rows (by key, extra ones included) are deleted at the source."""
        if len(keys):
            self.removed.setdefault(table, []).append(np.asarray(keys, dtype=np.int64))

    def touch_persons(self, persons: Column) -> None:
        """Write again every police row that repeats a person's own data, and the veterans' ledger row."""
        if not len(persons):
            return
        self.touch("police.resident", persons)
        self.touch("veterans.service_record", np.flatnonzero(np.isin(self["service"]["person"], persons)) + 1)

    def begin(self, label: str) -> None:
        """Begin a step: everything until it is committed belongs to it."""
        self.meta.step += 1
        self.meta.label = label
        self.clear_step()
        self.before = {name: len(table) for name, table in self.tables.items()}

    def clear_step(self) -> None:
        """Forget what changed: the step is committed."""
        self.touched, self.added, self.removed = {}, {}, {}

    def faults_of(self, table: str) -> pa.Table:
        """Return the recorded faults of a source table."""
        return self.faults.get(table, FAULT_SCHEMA.empty_table())

    def every_fault(self) -> pa.Table:
        """Return all recorded faults, table by table."""
        tables = [self.faults[name] for name in sorted(self.faults)]
        return pa.concat_tables([FAULT_SCHEMA.empty_table(), *tables]).combine_chunks()

    def living(self) -> Mask:
        """Who is alive with hukou in the city."""
        return np.asarray(self["person"]["resident"])

    def person(self, column: str, persons: Column) -> Column:
        """Return a column of the person table for person ids."""
        return np.asarray(self["person"][column][np.asarray(persons, dtype=np.int64) - 1])

    def save(self, folder: Path) -> None:
        """Write the whole state into an existing folder."""
        for name, table in self.tables.items():
            table.save(folder / f"{name}.parquet")
        write_parquet(self.every_fault(), folder / "faults.parquet")
        self.places.save(folder)
        shape = _shape(
            {name: {it: table[it].dtype for it in table.names} for name, table in self.tables.items()}
        )
        meta = {**asdict(self.meta), "business_date": to_date(self.today).isoformat(), "shape": shape}
        (folder / "meta.json").write_text(json.dumps(meta, ensure_ascii=False, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, schema: Schema) -> State:
        """Read a state written by ``save``; ConfigError if it has other tables than ``schema``."""
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        meta.pop("business_date")
        if meta.pop("shape", None) != _shape(schema):
            raise ConfigError(
                "The simulated city was made by another version of the simulator",
                fix="make it anew: huiliu simulate --persons N",
            )
        tables = {name: Table.load(folder / f"{name}.parquet") for name in schema}
        return cls(
            Meta(**meta), Places.load(folder), tables, _by_table(pq.read_table(folder / "faults.parquet"))
        )


def _shape(schema: Schema) -> int:
    """Return a number that differs where tables, columns or their types do."""
    columns = sorted(
        (table, name, np.dtype(it).str) for table in schema for name, it in schema[table].items()
    )
    return zlib.crc32(repr(columns).encode())


def _by_table(faults: pa.Table) -> dict[str, pa.Table]:
    """Split what ``every_fault`` gave."""
    faults = faults.combine_chunks()
    names = pc.binary_join_element_wise(faults["source"], faults["table_name"], ".")
    counted = pc.value_counts(names)
    ends = np.cumsum(np.array(counted.field("counts"), dtype=np.int64))
    starts = np.concatenate([[0], ends])
    return {
        str(name): faults.slice(start, end - start)
        for name, start, end in zip(counted.field("values").to_pylist(), starts, ends, strict=False)
    }


def union(parts: list[Ints]) -> Ints:
    """Return the distinct ids of several arrays, ascending."""
    return np.unique(np.concatenate(parts)) if parts else np.empty(0, dtype=np.int64)


def late_days(count: int, share: float, most: int, rng: Generator) -> Ints:
    """Return by how many days each event is shown late: mostly 0, else 1 to ``most``."""
    return np.where(rng.random(count) < share, rng.integers(1, most + 1, count), 0)


def shown_on(events: Column, late: Column) -> Column:
    """Return the day an event is shown, never past the last representable day."""
    return np.minimum(np.asarray(events, dtype=np.int64) + late, NEVER - 1).astype(np.int32)
