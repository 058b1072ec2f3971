"""Medicine: facilities and the settlements of medical insurance of the last twelve months (nation)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.random import Generator

from simulator.domains.domain import Domain
from simulator.domains.nearby import in_own_district
from simulator.population import YEAR
from simulator.rates import Rates
from simulator.state import BOOL, I8, I32, I64, Schema, State, late_days, shown_on
from simulator.systems import source_table as st
from simulator.systems.source_table import Columns, SourceTable
from simulator.systems.system import System
from simulator.table import NEVER, Column, Ints
from simulator.text import Strings, amounts, date_array, dates, join, padded, pick

NAME = "medicine"
SCHEMA: Schema = {
    "facility": {"village": I32, "kind": I8, "level": I8, "brand": I32},
    "settlement": {
        "person": I32, "facility": I32, "kind": I8, "diagnosis": I8, "admitted": I32, "settled": I32,
        "total": I64, "fund": I64, "shown": I32, "reversed": BOOL,
    },
}  # fmt: skip

KINDS = ("综合医院", "中医医院", "卫生院", "社区卫生服务中心")
KIND_SHARES = (0.25, 0.1, 0.4, 0.25)
LEVELS = ("一级", "二级", "三级")
SETTLEMENT_KINDS = ("门诊", "住院")
OUTPATIENT, INPATIENT = range(2)
STATES = ("正常", "冲销")
# Categories of ICD-10 and how often each is met, outpatients and inpatients together.
DIAGNOSES = (
    "A09", "B18", "C18", "C34", "C50", "D50", "E11", "F32", "G20", "H25", "H66", "I10", "I25", "I63", "J06",
    "J18", "J44", "K29", "K80", "L30", "M51", "N18", "N20", "O80", "R50", "S72", "Z51",
)  # fmt: skip
_WEIGHTS = np.array([3, 1, 1, 1, 1, 1, 9, 2, 1, 3, 2, 14, 8, 7, 16, 5, 4, 6, 2, 3, 6, 2, 2, 1, 2, 2, 3.0])
_LEAST_FACILITIES = 24


def _found(state: State, rates: Rates) -> None:
    rate, rng = rates.of(NAME), state.rng_of(NAME)
    _open(state, max(_LEAST_FACILITIES, int(state.living().sum() * rate["facilities"])), rng)
    person = state["person"]
    first = np.full(len(person), NEVER, dtype=np.int64)
    stays = state["residence"]
    np.minimum.at(first, stays["person"] - 1, stays["start"])
    begin = np.maximum(first, state.today - 365)
    end = np.minimum(np.minimum(person["died"], person["left"]), state.today - 1).astype(np.int64)
    days = np.maximum(end - begin + 1, 0)
    visits = rng.poisson(_yearly(state, np.arange(len(person)), rate) * days / 365)
    patients = np.repeat(np.arange(len(person)), visits)
    settled = begin[patients] + np.floor(rng.random(len(patients)) * days[patients]).astype(np.int64)
    order = np.lexsort((patients, settled))
    ids = _settle(state, patients[order] + 1, settled[order], begin[patients][order], rates, rng)
    state["settlement"]["reversed"][ids[rng.random(len(ids)) < rate["reversed"]] - 1] = True


def _open(state: State, count: int, rng: Generator) -> Ints:
    kind = rng.choice(len(KINDS), size=count, p=KIND_SHARES)
    big = kind < 2
    return state["facility"].append(
        village=rng.integers(0, len(state.places.village_township), count),
        kind=kind,
        level=np.where(big, 1 + (rng.random(count) < 0.3), 0),
        brand=rng.integers(0, len(_BRANDS), count),
    )


_BRANDS = ("第一", "第二", "人民", "中心", "仁爱", "康宁")


def _yearly(state: State, people: Column, rate: Mapping[str, float]) -> Column:
    """Return settlements expected of persons (positions) in a year: few of the young, many of the old."""
    age = (state.today - state["person"]["birth"][people]) / YEAR
    weight = np.interp(age, [0, 5, 20, 45, 65, 85], [0.9, 0.6, 0.4, 0.8, 2.0, 2.8])
    return np.asarray(rate["settlements"] * weight)


def _settle(
    state: State, persons: Column, settled: Column, since: Column, rates: Rates, rng: Generator
) -> Ints:
    """Write settlements of persons on the given days; an admission is never before ``since``."""
    count = len(persons)
    age = (state.today - state.person("birth", persons)) / YEAR
    inpatient = rng.random(count) < np.interp(age, [0, 40, 80], [0.05, 0.08, 0.2])
    village = state.person("village", persons)
    facility = state["facility"]
    every, hospitals = np.arange(len(facility)), np.flatnonzero(facility["level"] > 0)
    anywhere = every[in_own_district(state, facility["village"], village, rng)]
    hospital = hospitals[in_own_district(state, facility["village"][hospitals], village, rng)]
    total = np.where(
        inpatient, np.exp(rng.normal(8.9, 0.8, count)) * 100, np.exp(rng.normal(4.8, 0.9, count)) * 100
    ).astype(np.int64)
    share = np.where(inpatient, rng.uniform(0.45, 0.78, count), rng.uniform(0.3, 0.7, count))
    late = late_days(count, rates.of(NAME)["late"], rates.lateness.days, rng)
    return state["settlement"].append(
        person=persons,
        facility=np.where(inpatient, hospital, anywhere) + 1,
        kind=inpatient.astype(np.int8),
        diagnosis=rng.choice(len(DIAGNOSES), size=count, p=_WEIGHTS / _WEIGHTS.sum()),
        admitted=np.where(inpatient, np.maximum(settled - rng.integers(1, 20, count), since), settled),
        settled=settled,
        total=total,
        fund=np.floor(total * share).astype(np.int64),
        shown=shown_on(settled, late),
        reversed=False,
    )


def _change(state: State, rates: Rates) -> None:
    rate, rng = rates.of(NAME), state.rng_of(NAME)
    state.add("medical_insurance.settlement", np.flatnonzero(state["settlement"]["shown"] == state.today) + 1)
    living = np.flatnonzero(state.living())
    patients = living[rng.random(len(living)) < _yearly(state, living, rate) / 365]
    today = np.full(len(patients), state.today)
    ids = _settle(state, patients + 1, today, state["person"]["birth"][patients], rates, rng)
    rows = state["settlement"]
    state.add("medical_insurance.settlement", ids[rows["shown"][ids - 1] == state.today])
    recent = np.flatnonzero((rows["settled"] > state.today - 60) & (rows["shown"] < state.today))
    taken_back = recent[~rows["reversed"][recent] & (rng.random(len(recent)) < rate["reversals"])]
    rows["reversed"][taken_back] = True
    state.touch("medical_insurance.settlement", taken_back + 1)
    facility = state["facility"]
    promoted = np.flatnonzero((facility["level"] < 2) & (rng.random(len(facility)) < rate["promotions"]))
    facility["level"][promoted] += 1
    state.touch("medical_insurance.facility", promoted + 1)


def facility_code(state: State, facilities: Column) -> Strings:
    """Return the codes of facilities: H, district and five digits."""
    at = np.asarray(facilities, dtype=np.int64) - 1
    district = state.places.district_numbers[state.places.village_district[state["facility"]["village"][at]]]
    return padded(district * 100_000 + at + 1, 11, "H")


def _facility(state: State, ids: Ints) -> Columns:
    rows, at = state["facility"], ids - 1
    village = rows["village"][at]
    hospital = join(
        state.places.district_name(village), pick(_BRANDS, rows["brand"][at]), pick(KINDS, rows["kind"][at])
    )
    clinic = join(state.places.township_name(village), pick(KINDS, rows["kind"][at]))
    return {
        "facility_code": facility_code(state, ids),
        "name": pc.if_else(pa.array(rows["kind"][at] < 2), hospital, clinic),
        "kind": pick(KINDS, rows["kind"][at]),
        "level": pick(LEVELS, rows["level"][at]),
        "township_code": state.places.township_code(village),
    }


def _settlement(state: State, ids: Ints) -> Columns:
    rows, at = state["settlement"], ids - 1
    return {
        "pid": st.pid(state, rows["person"][at]),
        "name": st.name(state, rows["person"][at]),
        "facility_code": facility_code(state, rows["facility"][at]),
        "kind": pick(SETTLEMENT_KINDS, rows["kind"][at]),
        "diagnosis_code": pick(DIAGNOSES, rows["diagnosis"][at]),
        "admitted_on": dates(rows["admitted"][at]),
        "settled_on": dates(rows["settled"][at]),
        "total_amount": amounts(rows["total"][at]),
        "fund_paid": amounts(rows["fund"][at]),
        "self_paid": amounts(rows["total"][at] - rows["fund"][at]),
        "status": pick(STATES, rows["reversed"][at].astype(np.int64)),
    }


def _nobody(state: State, ids: Ints) -> Ints:
    return np.zeros(len(ids), dtype=np.int64)


SETTLEMENT = SourceTable(
    source="medical_insurance",
    name="settlement",
    key="settlement_no",
    columns=st.columns(
        "settlement_no pid name facility_code kind diagnosis_code admitted_on settled_on total_amount "
        "fund_paid self_paid status updated_at:timestamp"
    ),
    every=st.rows_of("settlement"),
    project=_settlement,
    person=st.person_of("settlement"),
    visible=st.shown_by_today("settlement"),
    key_text=st.numbered("YB"),
    late=st.late_rows("settlement", "settled"),
    forms={
        "pid": "pid", "name": "name", "diagnosis_code": "text", "admitted_on": "date", "settled_on": "date",
        "total_amount": "amount",
    },
)  # fmt: skip
FACILITY = SourceTable(
    source="medical_insurance",
    name="facility",
    key="facility_id",
    columns=st.columns("facility_id:bigint facility_code name kind level township_code updated_at:timestamp"),
    every=st.rows_of("facility"),
    project=_facility,
    person=_nobody,
    forms={"name": "name", "level": "code", "township_code": "text"},
)


def _truth(state: State) -> Mapping[str, pa.Table]:
    rows, facility = state["settlement"], state["facility"]
    return {
        "settlement": pa.table(
            {
                "settlement_no": padded(rows.ids, 10, "YB"),
                "person_id": rows["person"].astype(np.int64),
                "facility_code": facility_code(state, rows["facility"]),
                "kind": pick(SETTLEMENT_KINDS, rows["kind"]),
                "diagnosis_code": pick(DIAGNOSES, rows["diagnosis"]),
                "admitted_on": date_array(rows["admitted"]),
                "settled_on": date_array(rows["settled"]),
                "fund_paid": pa.array(rows["fund"] / 100),
                "self_paid": pa.array((rows["total"] - rows["fund"]) / 100),
                "reversed": rows["reversed"],
                "reported_on": date_array(rows["shown"]),
            }
        ),
        "facility": pa.table(
            {
                "facility_code": facility_code(state, facility.ids),
                "kind": pick(KINDS, facility["kind"]),
                "level": pick(LEVELS, facility["level"]),
                "township_code": state.places.township_code(facility["village"]),
            }
        ),
    }


DOMAIN = Domain(NAME, SCHEMA, _found, _change, (System("medical_insurance", (FACILITY, SETTLEMENT)),), _truth)
