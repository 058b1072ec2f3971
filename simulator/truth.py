"""The truth as Parquet, for tests only: what is so, before any dirt. Described in docs/truth.md."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from simulator import codes
from simulator.calendar import month_number
from simulator.domains import DOMAINS
from simulator.state import FAULT_SCHEMA, State
from simulator.systems import source_table as st
from simulator.systems.enterprise_registry import credit_code, firm_name
from simulator.systems.police import household_no
from simulator.table import Column, write_parquet
from simulator.text import date_array, padded, pick


def write(state: State, folder: Path) -> None:
    """Write every truth table into an existing folder."""
    for name, build in _TABLES.items():
        write_parquet(build(state), folder / f"{name}.parquet")
    for domain in DOMAINS:
        for name, table in domain.truth(state).items():
            write_parquet(table, folder / f"{name}.parquet")


def _ids(values: Column) -> pa.Array:
    """Return ids as integers; 0, nobody, becomes null."""
    return pa.array(values.astype(np.int64), mask=values == 0)


def _yuan(fen: Column) -> pa.Array:
    return pa.array(fen / 100)


def _person(state: State) -> pa.Table:
    person = state["person"]
    village = person["village"]
    return pa.table(
        {
            "person_id": person.ids,
            "pid": st.pid(state, person.ids),
            "name": st.name(state, person.ids),
            "sex": st.sex(state, person.ids),
            "birth_date": date_array(person["birth"]),
            "nation": pick(codes.NATIONS, person["nation"]),
            "hukou_type": pick(("2", "1"), person["rural"].astype(np.int64)),
            "village_code": state.places.village_code(village),
            "township_code": state.places.township_code(village),
            "district_code": state.places.district_code(village),
            "household_no": household_no(state, person["household"]),
            "relation": pick(codes.RELATIONS, person["relation"]),
            "phone": st.phone(state, person.ids),
            "resident": person["resident"],
            "died_on": date_array(person["died"]),
            "left_on": date_array(person["left"]),
        }
    )


def _residence(state: State) -> pa.Table:
    residence = state["residence"]
    return pa.table(
        {
            "person_id": residence["person"].astype(np.int64),
            "village_code": state.places.village_code(residence["village"]),
            "township_code": state.places.township_code(residence["village"]),
            "from_date": date_array(residence["start"]),
            "to_date": date_array(residence["end"]),
        }
    )


def _household(state: State) -> pa.Table:
    household = state["household"]
    lived_in = np.flatnonzero(household["head"] > 0)
    return pa.table(
        {
            "household_no": household_no(state, lived_in + 1),
            "village_code": state.places.village_code(household["village"][lived_in]),
            "head_person_id": household["head"][lived_in].astype(np.int64),
        }
    )


def _move(state: State) -> pa.Table:
    move = state["move"]
    return pa.table(
        {
            "person_id": move["person"].astype(np.int64),
            "move_type": pick(codes.MOVE_KINDS, move["kind"]),
            "from_village_code": state.places.village_code(move["origin"]),
            "to_village_code": state.places.village_code(move["target"]),
            "moved_on": date_array(move["moved"]),
        }
    )


def _marriage(state: State) -> pa.Table:
    marriage = state["marriage"]
    return pa.table(
        {
            "marriage_id": marriage.ids,
            "husband_person_id": marriage["husband"].astype(np.int64),
            "wife_person_id": marriage["wife"].astype(np.int64),
            "registered_on": date_array(marriage["registered"]),
            "ended_on": date_array(marriage["ended"]),
            "end_kind": pick(
                codes.MARRIAGE_ENDS, np.where(marriage["end_kind"] == 0, -1, marriage["end_kind"])
            ),
        }
    )


def _birth(state: State) -> pa.Table:
    birth = state["birth"]
    return pa.table(
        {
            "person_id": birth["person"].astype(np.int64),
            "mother_person_id": _ids(birth["mother"]),
            "father_person_id": _ids(birth["father"]),
            "born_on": date_array(birth["born"]),
        }
    )


def _death(state: State) -> pa.Table:
    death = state["death"]
    return pa.table(
        {
            "person_id": death["person"].astype(np.int64),
            "died_on": date_array(death["died"]),
            "health_reported_on": date_array(death["health_shown"]),
            "police_reported_on": date_array(death["police_shown"]),
        }
    )


def _insurance(state: State) -> pa.Table:
    insurance = state["insurance"]
    return pa.table(
        {
            "insurance_id": insurance.ids,
            "person_id": insurance["person"].astype(np.int64),
            "insurance_kind": pick(codes.INSURANCE_KINDS, insurance["kind"]),
            "status": pick(codes.INSURANCE_STATES, insurance["status"]),
            "started_on": date_array(insurance["started"]),
            "ended_on": date_array(insurance["ended"]),
            "monthly_benefit": _yuan(insurance["benefit"]),
        }
    )


def _employment(state: State) -> pa.Table:
    employment = state["employment"]
    rows = np.flatnonzero(~employment["void"])
    return pa.table(
        {
            "employment_id": rows + 1,
            "person_id": employment["person"][rows].astype(np.int64),
            "employer_uscc": credit_code(state, employment["firm"][rows]),
            "started_on": date_array(employment["started"][rows]),
            "ended_on": date_array(employment["ended"][rows]),
        }
    )


def _award(state: State) -> pa.Table:
    award = state["award"]
    return pa.table(
        {
            "award_no": padded(award.ids, 10, "BT"),
            "person_id": award["person"].astype(np.int64),
            "subsidy_kind": pick(codes.AWARD_KINDS, award["kind"]),
            "started_on": date_array(award["started"]),
            "ended_on": date_array(award["ended"]),
            "monthly_amount": _yuan(award["monthly"]),
        }
    )


def _payment(state: State) -> pa.Table:
    payment = state["payment"]
    rows = np.flatnonzero(~payment["void"])
    return pa.table(
        {
            "payment_id": rows + 1,
            "award_no": padded(payment["award"][rows], 10, "BT"),
            "month": padded(month_number(payment["month"][rows]), 6),
            "amount": _yuan(payment["amount"][rows]),
        }
    )


def _assisted(state: State) -> pa.Table:
    rows, case = state["case_person"], state["case"]
    at = rows["case"] - 1
    return pa.table(
        {
            "case_no": padded(rows["case"], 10, "DB"),
            "household_no": household_no(state, case["household"][at]),
            "person_id": rows["person"].astype(np.int64),
            "kind": pick(codes.CASE_KINDS, case["kind"][at]),
            "approved_on": date_array(case["approved"][at]),
            "ended_on": date_array(case["ended"][at]),
        }
    )


def _service(state: State) -> pa.Table:
    service = state["service"]
    return pa.table(
        {
            "seq_no": service.ids,
            "person_id": service["person"].astype(np.int64),
            "enlisted_on": date_array(service["enlisted"]),
            "discharged_on": date_array(service["discharged"]),
            "discharge_kind": pick(codes.DISCHARGE_KINDS, service["kind"]),
        }
    )


def _enterprise(state: State) -> pa.Table:
    firm = state["firm"]
    return pa.table(
        {
            "uscc": credit_code(state, firm.ids),
            "name": firm_name(state, firm.ids),
            "established_on": date_array(firm["established"]),
            "capital": firm["capital"] * 1000,
            "capital_currency": pick(codes.CURRENCIES, firm["currency"]),
            "district_code": state.places.district_code(firm["village"]),
        }
    )


def _fault(state: State) -> pa.Table:
    faults = state.every_fault()
    person = faults["person_id"].to_numpy()
    faults = faults.set_column(
        faults.schema.get_field_index("person_id"), "person_id", pa.array(person, mask=person == 0)
    )
    return faults.select([name for name in FAULT_SCHEMA.names if name != "key"])


_TABLES: dict[str, Callable[[State], pa.Table]] = {
    "person": _person,
    "residence": _residence,
    "household": _household,
    "move": _move,
    "marriage": _marriage,
    "birth": _birth,
    "death": _death,
    "insurance": _insurance,
    "employment": _employment,
    "award": _award,
    "payment": _payment,
    "assisted": _assisted,
    "service": _service,
    "enterprise": _enterprise,
    "fault": _fault,
}
