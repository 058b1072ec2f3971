"""Pollution permits of firms and monitored readings, a file a step: CSV of the ecology bureau (nation)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.random import Generator

from simulator.calendar import to_date
from simulator.domains.terrain import ground
from simulator.state import I8, I32, State
from simulator.systems import source_table as st
from simulator.systems.enterprise_registry import credit_code, firm_name
from simulator.systems.source_table import Columns, SourceTable
from simulator.systems.system import Shown, System
from simulator.table import Column, Ints
from simulator.text import Strings, date_array, dates, join, padded, pick
from simulator.writers import write_csv

SCHEMA: dict[str, dict[str, Any]] = {
    "discharge_permit": {
        "firm": I32, "road": I32, "pollutant": I8, "granted": I32, "expires": I32, "limit": I32,
        "careless": I8,
    },
    "discharge_reading": {"permit": I32, "day": I32, "value": I32, "shown": I32},
}  # fmt: skip
POLLUTANTS = ("化学需氧量", "氨氮", "二氧化硫", "氮氧化物", "颗粒物")
UNITS = ("mg/L", "mg/L", "mg/m3", "mg/m3", "mg/m3")
_LIMITS = np.array([500, 80, 500, 1000, 200])  # in tenths of the unit, of the usual standards' order
LEAST = 12
_MONTHS = 12
_PERMIT_HEADER = (
    ("许可证编号", "permit_no"),
    ("统一社会信用代码", "uscc"),
    ("企业名称", "name"),
    ("生产地址", "address"),
    ("污染物", "pollutant"),
    ("单位", "unit"),
    ("排放限值", "limit_value"),
    ("发证日期", "granted_on"),
    ("有效期至", "expires_on"),
)
_READING_HEADER = (
    ("监测编号", "reading_no"),
    ("许可证编号", "permit_no"),
    ("污染物", "pollutant"),
    ("监测日期", "measured_on"),
    ("监测值", "value"),
)


def grant(state: State, firms: Ints, granted: Column, rng: Generator) -> Ints:
    """Grant permits of five years to firms; one in eight is careless and exceeds its limit now and then."""
    count = len(firms)
    pollutant = rng.integers(0, len(POLLUTANTS), count)
    return state["discharge_permit"].append(
        firm=firms,
        road=rng.integers(0, len(ground.ROADS) * len(ground.ROAD_KINDS), count),
        pollutant=pollutant,
        granted=granted,
        expires=granted + 5 * 365,
        limit=_LIMITS[pollutant],
        careless=rng.random(count) < 0.125,
    )


def found(state: State, rate: dict[str, float], rng: Generator) -> None:
    """Grant the permits of a new city and read them monthly for a year."""
    firms = state["firm"].ids
    wanted = min(len(firms), max(LEAST, int(len(firms) * rate["permits"])))
    chosen = np.sort(rng.permutation(firms)[:wanted])
    permits = grant(state, chosen, state.today - rng.integers(200, 6 * 365, wanted), rng)
    for month in range(_MONTHS, 0, -1):
        days = state.today - 30 * month + rng.integers(0, 30, len(permits))
        held = days >= state["discharge_permit"]["granted"][permits - 1]
        measure(state, permits[held], days[held], rate["late"], rng)


def measure(state: State, permits: Ints, days: Column, late: float, rng: Generator) -> Ints:
    """Measure what permits' holders discharge; some values arrive days late."""
    rows = state["discharge_permit"]
    careless = rows["careless"][permits - 1] > 0
    share = np.where(careless, rng.uniform(0.5, 1.6, len(permits)), rng.uniform(0.1, 0.97, len(permits)))
    delay = np.where(rng.random(len(permits)) < late, rng.integers(1, 8, len(permits)), 0)
    return state["discharge_reading"].append(
        permit=permits,
        day=days,
        value=np.rint(rows["limit"][permits - 1] * share).astype(np.int64),
        shown=np.maximum(days, days + delay),
    )


def change(state: State, rate: dict[str, float], rng: Generator) -> None:
    """A day: measurements, renewed permits, new ones."""
    rows, readings = state["discharge_permit"], state["discharge_reading"]
    state.add("ecology.reading", np.flatnonzero(readings["shown"] == state.today) + 1)
    today = rows.ids[rng.random(len(rows)) < 1 / 30]
    new = measure(state, today, np.full(len(today), state.today), rate["late"], rng)
    state.add("ecology.reading", new[readings["shown"][new - 1] == state.today])
    renewed = np.flatnonzero((rows["expires"] < state.today + 30) & (rng.random(len(rows)) < rate["renewed"]))
    rows["expires"][renewed] = state.today + 5 * 365
    state.touch("ecology.permit", renewed + 1)
    firms = np.setdiff1d(state["firm"].ids, rows["firm"])
    chosen = firms[rng.random(len(firms)) < rate["granted"]]
    state.add("ecology.permit", grant(state, chosen, np.full(len(chosen), state.today), rng))


def permit_no(permits: Column) -> Strings:
    """Write permit numbers."""
    return padded(np.asarray(permits, dtype=np.int64), 10, "PW")


def _tenths(values: Column) -> Strings:
    whole, tenth = np.divmod(np.asarray(values, dtype=np.int64), 10)
    return join(ground.plain(whole), ground.plain(tenth), separator=".")


def _address(state: State, at: Column) -> Strings:
    rows = state["discharge_permit"]
    firm = rows["firm"][at] - 1
    return ground.address(
        state, state["firm"]["village"][firm], rows["road"][at], state["firm"]["house"][firm]
    )


def _permit(state: State, ids: Ints) -> Columns:
    rows, at = state["discharge_permit"], ids - 1
    return {
        "uscc": credit_code(state, rows["firm"][at]),
        "name": firm_name(state, rows["firm"][at]),
        "address": _address(state, at),
        "pollutant": pick(POLLUTANTS, rows["pollutant"][at]),
        "unit": pick(UNITS, rows["pollutant"][at]),
        "limit_value": _tenths(rows["limit"][at]),
        "granted_on": dates(rows["granted"][at]),
        "expires_on": dates(rows["expires"][at]),
    }


def _reading(state: State, ids: Ints) -> Columns:
    rows, at = state["discharge_reading"], ids - 1
    permit = rows["permit"][at]
    return {
        "permit_no": permit_no(permit),
        "pollutant": pick(POLLUTANTS, state["discharge_permit"]["pollutant"][permit - 1]),
        "measured_on": dates(rows["day"][at]),
        "value": _tenths(rows["value"][at]),
    }


def _shown(state: State, ids: Ints) -> Column:
    return np.asarray(state["discharge_reading"]["shown"][ids - 1] <= state.today)


def _write(state: State, shown: Shown, folder: Path) -> None:
    write_csv(shown.whole("permit"), _PERMIT_HEADER, folder / "permits.csv", encoding="gb18030")
    rows = shown.written("reading")
    if rows.num_rows:
        day = to_date(state.today).strftime("%Y%m%d")
        path = folder / f"readings_{day}_{state.meta.step:06d}.csv"
        write_csv(rows, _READING_HEADER, path, encoding="gb18030")


PERMIT = SourceTable(
    source="ecology",
    name="permit",
    key="permit_no",
    columns=tuple((name, "text") for _, name in _PERMIT_HEADER),
    every=st.rows_of("discharge_permit"),
    project=_permit,
    person=ground.nobody,
    key_text=st.numbered("PW"),
    forms={"uscc": "uscc", "name": "name", "address": "text", "limit_value": "amount", "granted_on": "date"},
    stamped=False,
)
READING = SourceTable(
    source="ecology",
    name="reading",
    key="reading_no",
    columns=tuple((name, "text") for _, name in _READING_HEADER),
    every=st.rows_of("discharge_reading"),
    project=_reading,
    person=ground.nobody,
    visible=_shown,
    key_text=st.numbered("JC"),
    late=st.late_rows("discharge_reading", "day"),
    forms={"pollutant": "code", "measured_on": "date", "value": "amount"},
    stamped=False,
    appended=True,
)
SYSTEM = System("ecology", (PERMIT, READING), _write)


def truth(state: State) -> dict[str, pa.Table]:
    """Return permits and readings, also those the source has not shown yet."""
    rows, readings = state["discharge_permit"], state["discharge_reading"]
    return {
        "discharge_permit": pa.table(
            {
                "permit_no": permit_no(rows.ids),
                "uscc": credit_code(state, rows["firm"]),
                "township_code": state.places.township_code(state["firm"]["village"][rows["firm"] - 1]),
                "pollutant": pick(POLLUTANTS, rows["pollutant"]),
                "limit_value": rows["limit"] / 10,
                "granted_on": date_array(rows["granted"]),
                "expires_on": date_array(rows["expires"]),
            }
        ),
        "discharge_reading": pa.table(
            {
                "reading_no": padded(readings.ids, 10, "JC"),
                "permit_no": permit_no(readings["permit"]),
                "measured_on": date_array(readings["day"]),
                "value": readings["value"] / 10,
                "shown_on": date_array(readings["shown"]),
            }
        ),
    }
