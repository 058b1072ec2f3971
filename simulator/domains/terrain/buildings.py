"""Buildings with their coordinates: a JSON document of the planning bureau (city)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.random import Generator

from simulator.domains.terrain import ground
from simulator.state import BOOL, I8, I32, State
from simulator.systems import source_table as st
from simulator.systems.source_table import Columns, SourceTable
from simulator.systems.system import Shown, System
from simulator.table import Column, Ints
from simulator.text import Strings, join, pick
from simulator.writers import write_json

SCHEMA: dict[str, dict[str, Any]] = {
    "building": {
        "village": I32, "road": I32, "number": I32, "kind": I8, "floors": I8, "lon": I32, "lat": I32,
        "built": I32, "demolished": BOOL,
    },
}  # fmt: skip
KINDS = ("住宅", "办公", "商业", "工业", "公共服务")
_KIND_SHARES = (0.62, 0.1, 0.12, 0.1, 0.06)
_HEADER = (
    ("bldgNo", "building_no"),
    ("name", "name"),
    ("use", "kind"),
    ("address", "address"),
    ("road", "road"),
    ("doorNo", "door_number"),
    ("floors", "floors"),
    ("location", "location"),
    ("villageCode", "village_code"),
    ("builtYear", "built_year"),
)


def build(state: State, count: int, rng: Generator) -> Ints:
    """Put up buildings; the door number tells two on a road of the city apart."""
    village = rng.integers(0, len(state.places.village_township), count)
    lon, lat = ground.points(state, village, rng)
    kind = rng.choice(len(KINDS), size=count, p=_KIND_SHARES)
    return state["building"].append(
        village=village,
        road=rng.integers(0, len(ground.ROADS) * len(ground.ROAD_KINDS), count),
        number=len(state["building"]) + np.arange(1, count + 1),
        kind=kind,
        floors=np.where(kind == 0, rng.integers(1, 34, count), rng.integers(1, 8, count)),
        lon=lon,
        lat=lat,
        built=state.today - rng.integers(30, 45 * 365, count),
        demolished=False,
    )


def change(state: State, rate: dict[str, float], rng: Generator) -> None:
    """A day: new buildings, and old ones torn down."""
    rows = state["building"]
    standing = np.flatnonzero(~rows["demolished"])
    gone = standing[rng.random(len(standing)) < rate["demolished"]]
    rows["demolished"][gone] = True
    state.remove("buildings.building", gone + 1)
    count = int(rng.poisson(len(standing) * rate["built"]))
    state.add("buildings.building", build(state, count, rng))


def building_no(state: State, keys: Ints, of: Ints) -> Strings:
    """Write building numbers: village code and five digits of their own."""
    code = state.places.village_code(state["building"]["village"][of - 1])
    return join(code, "-", ground.plain(keys))


def _building(state: State, ids: Ints) -> Columns:
    rows, at = state["building"], ids - 1
    village, number = rows["village"][at], ground.plain(rows["number"][at])
    return {
        "name": join(ground.road_name(rows["road"][at]), number, "号", pick(KINDS, rows["kind"][at]), "楼"),
        "kind": pick(KINDS, rows["kind"][at]),
        "address": ground.address(state, village, rows["road"][at], rows["number"][at]),
        "road": ground.road_name(rows["road"][at]),
        "door_number": join(number, "号"),
        "floors": ground.plain(rows["floors"][at]),
        "location": ground.location(rows["lon"][at], rows["lat"][at]),
        "village_code": state.places.village_code(village),
        "built_year": ground.plain(1970 + rows["built"][at] // 365.2425),
    }


def _standing(state: State, ids: Ints) -> Column:
    return np.asarray(~state["building"]["demolished"][ids - 1])


def _write(state: State, shown: Shown, folder: Path) -> None:
    write_json(shown.whole("building"), _HEADER, folder / "buildings.json", at="data")


SYSTEM = System(
    "buildings",
    (
        SourceTable(
            source="buildings",
            name="building",
            key="building_no",
            columns=tuple((name, "text") for _, name in _HEADER),
            every=st.rows_of("building"),
            project=_building,
            person=ground.nobody,
            visible=_standing,
            key_text=building_no,
            forms={
                "name": "name", "kind": "code", "address": "text", "floors": "amount", "location": "location",
                "village_code": "text", "door_number": "name",
            },
            stamped=False,
        ),
    ),
    _write,
)  # fmt: skip


def truth(state: State) -> dict[str, pa.Table]:
    """Return the buildings that stand."""
    rows = state["building"]
    ids = rows.ids[~rows["demolished"]]
    village = rows["village"][ids - 1]
    return {
        "building": pa.table(
            {
                "building_no": building_no(state, ids, ids),
                "village_code": state.places.village_code(village),
                "address": ground.address(state, village, rows["road"][ids - 1], rows["number"][ids - 1]),
                "floors": rows["floors"][ids - 1],
                "lon": rows["lon"][ids - 1] / ground.MICRO,
                "lat": rows["lat"][ids - 1] / ground.MICRO,
            }
        )
    }
