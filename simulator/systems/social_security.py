"""Social security: insurance and employment (PostgreSQL, province)."""

from __future__ import annotations

from simulator import codes
from simulator.state import State
from simulator.systems import source_table as st
from simulator.systems.enterprise_registry import credit_code, firm_name
from simulator.systems.source_table import Columns, SourceTable
from simulator.table import Ints
from simulator.text import amounts, dates, pick


def _insurance(state: State, ids: Ints) -> Columns:
    insurance, at = state["insurance"], ids - 1
    persons = insurance["person"][at]
    return {
        "pid": st.pid(state, persons),
        "name": st.name(state, persons),
        "nation": st.nation(state, persons),
        "hukou_type": st.hukou_type(state, persons),
        "insurance_kind": pick(codes.INSURANCE_KINDS, insurance["kind"][at]),
        "status": pick(codes.INSURANCE_STATES, insurance["status"][at]),
        "started_on": dates(insurance["started"][at]),
        "ended_on": dates(insurance["ended"][at]),
        "monthly_benefit": amounts(insurance["benefit"][at]),
    }


def _employment(state: State, ids: Ints) -> Columns:
    employment, at = state["employment"], ids - 1
    return {
        "pid": st.pid(state, employment["person"][at]),
        "name": st.name(state, employment["person"][at]),
        "employer_name": firm_name(state, employment["firm"][at]),
        "employer_uscc": credit_code(state, employment["firm"][at]),
        "started_on": dates(employment["started"][at]),
        "ended_on": dates(employment["ended"][at]),
    }


TABLES = (
    SourceTable(
        source="social_security",
        name="insurance",
        key="insurance_id",
        columns=st.columns(
            "insurance_id:bigint pid name nation hukou_type insurance_kind status started_on ended_on "
            "monthly_benefit updated_at:timestamp"
        ),
        every=st.rows_of("insurance"),
        project=_insurance,
        person=st.person_of("insurance"),
        forms={
            "pid": "pid",
            "name": "name",
            "nation": "code",
            "hukou_type": "code",
            "started_on": "date",
            "monthly_benefit": "amount",
        },
    ),
    SourceTable(
        source="social_security",
        name="employment",
        key="employment_id",
        columns=st.columns(
            "employment_id:bigint pid name employer_name employer_uscc started_on ended_on "
            "updated_at:timestamp"
        ),
        every=st.rows_of("employment"),
        project=_employment,
        person=st.person_of("employment"),
        visible=st.shown_by_today("employment"),
        late=st.late_rows("employment", "started"),
        forms={"pid": "pid", "name": "name", "employer_uscc": "uscc", "started_on": "date"},
    ),
)
