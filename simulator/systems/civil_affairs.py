"""Civil affairs: assisted households and persons, subsidy awards and payments (PostgreSQL, province)."""

from __future__ import annotations

import numpy as np

from simulator import codes
from simulator.calendar import month_number
from simulator.state import State
from simulator.systems import source_table as st
from simulator.systems.police import household_no
from simulator.systems.source_table import Columns, SourceTable
from simulator.table import Ints
from simulator.text import amounts, dates, padded, pick


def _case(state: State, ids: Ints) -> Columns:
    case, at = state["case"], ids - 1
    return {
        "household_no": household_no(state, case["household"][at]),
        "head_pid": st.pid(state, case["head"][at]),
        "head_name": st.name(state, case["head"][at]),
        "kind": pick(codes.CASE_KINDS, case["kind"][at]),
        "township_code": state.places.township_code(case["village"][at]),
        "approved_on": dates(case["approved"][at]),
        "ended_on": dates(case["ended"][at]),
        "monthly_amount": amounts(case["monthly"][at]),
    }


def _case_person(state: State, ids: Ints) -> Columns:
    rows, at = state["case_person"], ids - 1
    persons = rows["person"][at]
    return {
        "case_no": padded(rows["case"][at], 10, "DB"),
        "pid": st.pid(state, persons),
        "name": st.name(state, persons),
        "relation": pick(codes.RELATIONS, state.person("relation", persons)),
    }


def _award(state: State, ids: Ints) -> Columns:
    award, at = state["award"], ids - 1
    return {
        "pid": st.pid(state, award["person"][at]),
        "name": st.name(state, award["person"][at]),
        "subsidy_kind": pick(codes.AWARD_KINDS, award["kind"][at]),
        "started_on": dates(award["started"][at]),
        "ended_on": dates(award["ended"][at]),
        "stop_reason": pick(codes.STOP_REASONS, np.where(award["reason"][at] == 0, -1, award["reason"][at])),
        "monthly_amount": amounts(award["monthly"][at]),
    }


def _payment(state: State, ids: Ints) -> Columns:
    payment, at = state["payment"], ids - 1
    awards = payment["award"][at]
    return {
        "award_no": padded(awards, 10, "BT"),
        "pid": st.pid(state, state["award"]["person"][awards - 1]),
        "month": padded(month_number(payment["month"][at]), 6),
        "amount": amounts(payment["amount"][at]),
        "paid_on": dates(payment["paid"][at]),
    }


def _payee(state: State, ids: Ints) -> Ints:
    awards = state["payment"]["award"][ids - 1]
    return np.asarray(state["award"]["person"][awards - 1], dtype=np.int64)


TABLES = (
    SourceTable(
        source="civil_affairs",
        name="assisted_household",
        key="case_no",
        columns=st.columns(
            "case_no household_no head_pid head_name kind township_code approved_on ended_on "
            "monthly_amount updated_at:timestamp"
        ),
        every=st.rows_of("case"),
        project=_case,
        person=st.person_of("case", "head"),
        key_text=st.numbered("DB"),
        forms={"head_pid": "pid", "head_name": "name", "approved_on": "date", "monthly_amount": "amount"},
    ),
    SourceTable(
        source="civil_affairs",
        name="assisted_person",
        key="assisted_person_id",
        columns=st.columns("assisted_person_id:bigint case_no pid name relation updated_at:timestamp"),
        every=st.rows_of("case_person"),
        project=_case_person,
        person=st.person_of("case_person"),
        forms={"pid": "pid", "name": "name"},
    ),
    SourceTable(
        source="civil_affairs",
        name="subsidy_award",
        key="award_no",
        columns=st.columns(
            "award_no pid name subsidy_kind started_on ended_on stop_reason monthly_amount "
            "updated_at:timestamp"
        ),
        every=st.rows_of("award"),
        project=_award,
        person=st.person_of("award"),
        key_text=st.numbered("BT"),
        forms={"pid": "pid", "name": "name", "started_on": "date", "monthly_amount": "amount"},
    ),
    SourceTable(
        source="civil_affairs",
        name="subsidy_payment",
        key="payment_id",
        columns=st.columns("payment_id:bigint award_no pid month amount paid_on"),
        every=st.rows_of("payment"),
        project=_payment,
        person=_payee,
        visible=st.shown_by_today("payment"),
        late=st.late_rows("payment", "paid"),
        forms={"pid": "pid", "amount": "amount"},
        stamped=False,
    ),
)
