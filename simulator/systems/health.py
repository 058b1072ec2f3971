"""Health: births and deaths (PostgreSQL, province)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simulator.state import State
from simulator.systems import source_table as st
from simulator.systems.source_table import Columns, Lateness, SourceTable
from simulator.table import Ints, Mask
from simulator.text import dates


def _birth(state: State, ids: Ints) -> Columns:
    birth, at = state["birth"], ids - 1
    child = birth["person"][at]
    return {
        "child_pid": st.pid(state, child),
        "child_name": st.name(state, child),
        "sex": st.sex(state, child),
        "born_on": dates(birth["born"][at]),
        "mother_pid": st.pid(state, birth["mother"][at]),
        "father_pid": st.pid(state, birth["father"][at]),
        "registered_on": dates(birth["shown"][at]),
    }


def _death(state: State, ids: Ints) -> Columns:
    death, at = state["death"], ids - 1
    person = death["person"][at]
    return {
        "pid": st.pid(state, person),
        "name": st.name(state, person),
        "sex": st.sex(state, person),
        "died_on": dates(death["died"][at]),
        "registered_on": dates(death["health_shown"][at]),
    }


def _death_visible(state: State, ids: Ints) -> Mask:
    return np.asarray(state["death"]["health_shown"][ids - 1] <= state.today)


def _late_deaths(state: State, before: Mapping[str, int]) -> Lateness:
    death = state["death"]
    new = np.arange(before["death"], len(death))
    new = new[death["health_shown"][new] > death["died"][new]]
    return Lateness(new + 1, death["died"][new], death["health_shown"][new])


TABLES = (
    SourceTable(
        source="health",
        name="birth",
        key="certificate_no",
        columns=st.columns(
            "certificate_no child_pid child_name sex born_on mother_pid father_pid registered_on "
            "updated_at:timestamp"
        ),
        every=st.rows_of("birth"),
        project=_birth,
        person=st.person_of("birth"),
        visible=st.shown_by_today("birth"),
        key_text=st.numbered("B"),
        late=st.late_rows("birth", "born"),
        forms={
            "child_pid": "pid",
            "child_name": "name",
            "mother_pid": "pid",
            "father_pid": "pid",
            "born_on": "date",
        },
    ),
    SourceTable(
        source="health",
        name="death",
        key="certificate_no",
        columns=st.columns("certificate_no pid name sex died_on registered_on updated_at:timestamp"),
        every=st.rows_of("death"),
        project=_death,
        person=st.person_of("death"),
        visible=_death_visible,
        key_text=st.numbered("D"),
        late=_late_deaths,
        forms={"pid": "pid", "name": "name", "sex": "code"},
    ),
)
