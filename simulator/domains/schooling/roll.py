"""The education office's system: schools, rolls and degrees (PostgreSQL, province)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from simulator import codes
from simulator.domains.schooling.life import COLLEGES, LEVELS, STAGES, STATES
from simulator.state import State
from simulator.systems import source_table as st
from simulator.systems.source_table import Columns, SourceTable
from simulator.systems.system import System
from simulator.table import Column, Ints
from simulator.text import Strings, date_array, dates, join, padded, pick


def school_code(state: State, schools: Column) -> Strings:
    """Return the codes of schools: district and five digits."""
    at = np.asarray(schools, dtype=np.int64) - 1
    district = state.places.district_numbers[state.places.village_district[state["school"]["village"][at]]]
    return padded(district * 100_000 + at + 1, 11)


def _school(state: State, ids: Ints) -> Columns:
    rows, at = state["school"], ids - 1
    village, stage = rows["village"][at], rows["stage"][at]
    number = pa.array(rows["number"][at]).cast(pa.string())
    return {
        "school_code": school_code(state, ids),
        "name": join(state.places.township_name(village), "第", number, pick(STAGES, stage)),
        "stage": pick(STAGES, stage),
        "township_code": state.places.township_code(village),
    }


def _enrolment(state: State, ids: Ints) -> Columns:
    rows, at = state["enrolment"], ids - 1
    persons = rows["person"][at]
    return {
        "pid": st.pid(state, persons),
        "name": st.name(state, persons),
        "sex": pick(codes.SEX_NAMES, state.person("sex", persons)),
        "nation": st.nation(state, persons),
        "hukou_type": st.hukou_type(state, persons),
        "school_code": school_code(state, rows["school"][at]),
        "grade": pa.array(rows["grade"][at]).cast(pa.string()),
        "entered_on": dates(rows["entered"][at]),
        "ended_on": dates(rows["ended"][at]),
        "status": pick(STATES, rows["status"][at]),
    }


def _degree(state: State, ids: Ints) -> Columns:
    rows, at = state["degree"], ids - 1
    return {
        "pid": st.pid(state, rows["person"][at]),
        "name": st.name(state, rows["person"][at]),
        "level": pick(LEVELS, rows["level"][at]),
        "college": pick(COLLEGES, rows["college"][at]),
        "graduated_on": dates(rows["graduated"][at]),
    }


def _nobody(state: State, ids: Ints) -> Ints:
    return np.zeros(len(ids), dtype=np.int64)


_TABLES = (
    SourceTable(
        source="education",
        name="school",
        key="school_id",
        columns=st.columns("school_id:bigint school_code name stage township_code updated_at:timestamp"),
        every=st.rows_of("school"),
        project=_school,
        person=_nobody,
        forms={"name": "name", "township_code": "text"},
    ),
    SourceTable(
        source="education",
        name="enrolment",
        key="enrolment_no",
        columns=st.columns(
            "enrolment_no pid name sex nation hukou_type school_code grade entered_on ended_on status "
            "updated_at:timestamp"
        ),
        every=st.rows_of("enrolment"),
        project=_enrolment,
        person=st.person_of("enrolment"),
        key_text=st.numbered("XJ"),
        forms={
            "pid": "pid",
            "name": "name",
            "nation": "code",
            "hukou_type": "code",
            "grade": "text",
            "entered_on": "date",
        },
    ),
    SourceTable(
        source="education",
        name="degree",
        key="certificate_no",
        columns=st.columns("certificate_no pid name level college graduated_on updated_at:timestamp"),
        every=st.rows_of("degree"),
        project=_degree,
        person=st.person_of("degree"),
        key_text=st.numbered("XL"),
        forms={"pid": "pid", "name": "name", "college": "text", "graduated_on": "date"},
    ),
)
SYSTEMS = (System("education", _TABLES),)


def truth(state: State) -> Mapping[str, pa.Table]:
    """Return what the tests may know."""
    school, rows, degree = state["school"], state["enrolment"], state["degree"]
    return {
        "school": pa.table(
            {
                "school_code": school_code(state, school.ids),
                "stage": pick(STAGES, school["stage"]),
                "township_code": state.places.township_code(school["village"]),
            }
        ),
        "enrolment": pa.table(
            {
                "enrolment_no": padded(rows.ids, 10, "XJ"),
                "person_id": rows["person"].astype(np.int64),
                "school_code": school_code(state, rows["school"]),
                "grade": rows["grade"].astype(np.int64),
                "entered_on": date_array(rows["entered"]),
                "ended_on": date_array(rows["ended"]),
                "status": pick(STATES, rows["status"]),
            }
        ),
        "degree": pa.table(
            {
                "certificate_no": padded(degree.ids, 10, "XL"),
                "person_id": degree["person"].astype(np.int64),
                "level": pick(LEVELS, degree["level"]),
                "graduated_on": date_array(degree["graduated"]),
            }
        ),
    }
