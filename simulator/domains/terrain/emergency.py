"""Hazard points, shelters, stores and rescue teams: four workbooks of the emergency bureau (city)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.random import Generator

from simulator.domains.terrain import ground
from simulator.state import I8, I32, I64, State
from simulator.systems import source_table as st
from simulator.systems.source_table import Columns, SourceTable
from simulator.systems.system import Shown, System
from simulator.table import NEVER, Column, Ints, Table
from simulator.text import Strings, date_array, dates, join, padded, pick
from simulator.writers import Header, write_excel

_SITE = {
    "village": I32, "road": I32, "number": I32, "kind": I8, "lon": I32, "lat": I32, "since": I32,
    "ended": I32,
}  # fmt: skip
SCHEMA: dict[str, dict[str, Any]] = {
    "hazard_point": {**_SITE, "grade": I8, "threatened": I32},
    "shelter": {**_SITE, "capacity": I32, "occupied": I32},
    "supply_store": {**_SITE, "tents": I32, "quilts": I32, "boats": I32, "pumps": I32},
    "rescue_team": {**_SITE, "members": I32, "phone": I64},
}
HAZARDS = ("洪涝", "滑坡", "森林火灾", "崩塌", "危险化学品", "内涝积水")
GRADES = ("一级", "二级", "三级", "四级")
SHELTERS = ("学校", "体育馆", "广场", "社区服务中心", "公园")
STORES = ("市级储备库", "区县储备库", "乡镇储备点")
TEAMS = ("综合救援队", "森林消防队", "水上救援队", "矿山救护队", "社会救援队")
KINDS = {"hazard_point": HAZARDS, "shelter": SHELTERS, "supply_store": STORES, "rescue_team": TEAMS}
# Table of the source -> table of the truth.
TABLES = {
    "hazard_point": "hazard_point",
    "shelter": "shelter",
    "store": "supply_store",
    "rescue_team": "rescue_team",
}
LEAST = 16
# Between which numbers each kind's own columns lie.
_DRAWN = {
    "hazard_point": {"grade": (0, 4), "threatened": (0, 400)},
    "shelter": {"capacity": (30, 1200), "occupied": (0, 30)},
    "supply_store": {"tents": (0, 500), "quilts": (0, 800), "boats": (0, 20), "pumps": (0, 40)},
    "rescue_team": {"members": (6, 80), "phone": (13_000_000_000, 14_000_000_000)},
}
# What changes from day to day.
_VARYING = {
    "hazard_point": "threatened",
    "shelter": "occupied",
    "supply_store": "tents",
    "rescue_team": "members",
}


def set_up(state: State, table: str, count: int, since: Column, rng: Generator) -> Ints:
    """Set up sites of one kind of object."""
    village = rng.integers(0, len(state.places.village_township), count)
    lon, lat = ground.points(state, village, rng)
    return state[table].append(
        village=village,
        road=rng.integers(0, len(ground.ROADS) * len(ground.ROAD_KINDS), count),
        number=rng.integers(1, 900, count),
        kind=rng.integers(0, len(KINDS[table]), count),
        lon=lon,
        lat=lat,
        since=since,
        ended=NEVER,
        **{column: rng.integers(*between, count) for column, between in _DRAWN[table].items()},
    )


def found(state: State, rate: dict[str, float], people: int, rng: Generator) -> None:
    """Set up everything of a new city, in the last ten years."""
    for table in KINDS:
        count = max(LEAST, int(people * rate[table]))
        set_up(state, table, count, state.today - rng.integers(30, 3650, count), rng)


def change(state: State, rate: dict[str, float], rng: Generator) -> None:
    """A day: hazards are found and removed, shelters fill and empty, stores give out supplies."""
    for source_table, table in TABLES.items():
        rows = state[table]
        open_ = np.flatnonzero(rows["ended"] == NEVER)
        ended = open_[rng.random(len(open_)) < rate["sites_ended"]]
        rows["ended"][ended] = state.today
        moving = np.setdiff1d(open_[rng.random(len(open_)) < rate["sites_changed"]], ended)
        varying = _VARYING[table]
        rows[varying][moving] = rng.integers(*_DRAWN[table][varying], len(moving))
        state.touch(f"emergency.{source_table}", np.union1d(ended, moving) + 1)
        count = int(rng.poisson(len(open_) * rate["sites_new"]))
        new = set_up(state, table, count, np.full(count, state.today), rng)
        state.add(f"emergency.{source_table}", new)


_OWN_COLUMNS: dict[str, Callable[[State, Column], Columns]] = {
    "hazard_point": lambda state, at: {
        "grade": pick(GRADES, state["hazard_point"]["grade"][at]),
        "threatened_people": ground.plain(state["hazard_point"]["threatened"][at]),
    },
    "shelter": lambda state, at: {
        "capacity": ground.plain(state["shelter"]["capacity"][at]),
        "occupied": ground.plain(state["shelter"]["occupied"][at]),
    },
    "supply_store": lambda state, at: {
        item: ground.plain(state["supply_store"][item][at]) for item in ("tents", "quilts", "boats", "pumps")
    },
    "rescue_team": lambda state, at: {
        "members": ground.plain(state["rescue_team"]["members"][at]),
        "phone": padded(state["rescue_team"]["phone"][at], 11),
    },
}
_LABELS = {
    "code": "编号", "name": "名称", "kind": "类别", "address": "地址", "location": "经纬度",
    "since_on": "启用日期", "ended_on": "停用日期", "grade": "风险等级", "threatened_people": "威胁人数",
    "capacity": "容纳人数", "occupied": "已安置人数",
    "tents": "帐篷数", "quilts": "棉被数", "boats": "冲锋舟数", "pumps": "排涝泵数",
    "members": "队员人数", "phone": "值班电话",
}  # fmt: skip
_COMMON = ("code", "name", "kind", "address", "location", "since_on", "ended_on")
_OWN = {
    "hazard_point": ("grade", "threatened_people"),
    "shelter": ("capacity", "occupied"),
    "supply_store": ("tents", "quilts", "boats", "pumps"),
    "rescue_team": ("members", "phone"),
}
_PREFIX = {"hazard_point": "HZ", "shelter": "SH", "supply_store": "ST", "rescue_team": "RT"}


def site_name(state: State, table: str, at: Column) -> Strings:
    """Return the names of sites: township, road and kind."""
    rows = state[table]
    return join(
        state.places.township_name(rows["village"][at]),
        ground.road_name(rows["road"][at]),
        pick(KINDS[table], rows["kind"][at]),
        {"hazard_point": "隐患点", "shelter": "避难场所"}.get(table, ""),
    )


def _project(table: str) -> Callable[[State, Ints], Columns]:
    def project(state: State, ids: Ints) -> Columns:
        rows, at = state[table], ids - 1
        return {
            "name": site_name(state, table, at),
            "kind": pick(KINDS[table], rows["kind"][at]),
            "address": ground.address(state, rows["village"][at], rows["road"][at], rows["number"][at]),
            "location": ground.location(rows["lon"][at], rows["lat"][at]),
            "since_on": dates(rows["since"][at]),
            "ended_on": dates(rows["ended"][at]),
            **_OWN_COLUMNS[table](state, at),
        }

    return project


def _source_table(name: str, table: str) -> SourceTable:
    amounts = {column: "amount" for column in _OWN[table] if column not in ("grade", "phone")}
    return SourceTable(
        source="emergency",
        name=name,
        key="code",
        columns=tuple((column, "text") for column in (*_COMMON, *_OWN[table])),
        every=st.rows_of(table),
        project=_project(table),
        person=ground.nobody,
        key_text=st.numbered(_PREFIX[table]),
        forms={
            "name": "name", "kind": "code", "address": "text", "location": "location", "since_on": "date",
            **amounts,
        },
        stamped=False,
    )  # fmt: skip


def _write(state: State, shown: Shown, folder: Path) -> None:
    for name, table in TABLES.items():
        header: Header = [(_LABELS[column], column) for column in (*_COMMON, *_OWN[table])]
        write_excel({"台账": (shown.whole(name), header)}, folder / f"{name}.xlsx")


SYSTEM = System("emergency", tuple(_source_table(name, table) for name, table in TABLES.items()), _write)


def truth(state: State) -> dict[str, pa.Table]:
    """Return every object of emergency management that there was, of all four kinds."""
    parts = []
    for table in KINDS:
        rows = state[table]
        parts.append(
            pa.table(
                {
                    "code": st.numbered(_PREFIX[table])(state, rows.ids, rows.ids),
                    "object": pa.array([table] * len(rows), pa.string()),
                    "kind": pick(KINDS[table], rows["kind"]),
                    "village_code": state.places.village_code(rows["village"]),
                    "address": ground.address(state, rows["village"], rows["road"], rows["number"]),
                    "lon": rows["lon"] / ground.MICRO,
                    "lat": rows["lat"] / ground.MICRO,
                    "since_on": date_array(rows["since"]),
                    "ended_on": date_array(rows["ended"]),
                    "capacity": _of(table, "shelter", rows, "capacity"),
                    "occupied": _of(table, "shelter", rows, "occupied"),
                }
            )
        )
    return {"emergency_object": pa.concat_tables(parts)}


def _of(table: str, wanted: str, rows: Table, column: str) -> pa.Array:
    if table == wanted:
        return pa.array(rows[column], pa.int32())
    return pa.nulls(len(rows), pa.int32())
