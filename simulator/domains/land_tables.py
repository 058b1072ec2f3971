"""What the register of land and farm subsidies shows: contracts and payments, and the truth of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.state import State
from simulator.systems import source_table as st
from simulator.systems.police import household_no
from simulator.systems.source_table import Columns, SourceTable
from simulator.table import Column, Ints
from simulator.text import Strings, date_array, dates, join, padded, pick, where

SEASONS = ("全年", "秋季")
SUBSIDIES = ("耕地地力保护补贴", "种粮一次性补贴")


def _area(hundredths: Column) -> Strings:
    whole, rest = np.divmod(np.asarray(hundredths, dtype=np.int64), 100)
    return join(pc.cast(pa.array(whole), pa.string()), padded(rest, 2), separator=".")


def _land_contract(state: State, ids: Ints) -> Columns:
    contract, at = state["land_contract"], ids - 1
    person, numbered = contract["person"][at], contract["numbered"][at]
    born = dates(state.person("birth", person))
    year = pc.utf8_slice_codeunits(born, 0, 4)
    return {
        "village_code": state.places.village_code(contract["village"][at]),
        "household_no": where(numbered, household_no(state, contract["household"][at])),
        "contractor_name": st.name(state, person),
        "contractor_pid": where(numbered, st.pid(state, person)),
        "contractor_sex": pick(("", "男", "女"), state.person("sex", person)),
        "contractor_birth": pc.if_else(pa.array(contract["year_only"][at]), year, born),
        "spouse_name": st.name(state, contract["spouse"][at]),
        "parcels": pc.cast(pa.array(contract["parcels"][at]), pa.string()),
        "area_mu": _area(contract["area"][at]),
        "term_from": dates(contract["started"][at]),
        "term_to": dates(contract["ended"][at]),
    }


def _contract_no(state: State, keys: Ints, of: Ints) -> Strings:
    return padded(keys, 10, "CB")


def _subsidy(state: State, ids: Ints) -> Columns:
    subsidy, at = state["land_subsidy"], ids - 1
    person, contracts = subsidy["person"][at], subsidy["contract"][at].astype(np.int64)
    return {
        "subsidy_kind": pick(SUBSIDIES, subsidy["season"][at]),
        "year": padded(subsidy["year"][at], 4),
        "season": pick(SEASONS, subsidy["season"][at]),
        "contract_no": where(subsidy["linked"][at], _contract_no(state, contracts, contracts)),
        "pid": st.pid(state, person),
        "name": st.name(state, person),
        "village_code": state.places.village_code(state["land_contract"]["village"][contracts - 1]),
        "claimed_mu": _area(subsidy["area"][at]),
        "amount": _area(subsidy["amount"][at]),
        "paid_on": dates(subsidy["paid"][at]),
    }


TABLES = (
    SourceTable(
        source="agriculture",
        name="land_contract",
        key="contract_no",
        columns=st.columns(
            "contract_no village_code household_no contractor_name contractor_pid contractor_sex "
            "contractor_birth spouse_name parcels area_mu term_from term_to updated_at:timestamp"
        ),
        every=st.rows_of("land_contract"),
        project=_land_contract,
        person=st.person_of("land_contract"),
        key_text=_contract_no,
        forms={
            "contractor_pid": "pid", "contractor_name": "name", "spouse_name": "name", "area_mu": "amount",
            "contractor_sex": "text", "term_from": "date",
        },
    ),
    SourceTable(
        source="agriculture",
        name="subsidy",
        key="subsidy_no",
        columns=st.columns(
            "subsidy_no subsidy_kind year season contract_no pid name village_code claimed_mu amount paid_on "
            "updated_at:timestamp"
        ),
        every=st.rows_of("land_subsidy"),
        project=_subsidy,
        person=st.person_of("land_subsidy"),
        key_text=st.numbered("NB"),
        forms={"pid": "pid", "name": "name", "amount": "amount", "paid_on": "date"},
    ),
)  # fmt: skip


def _ids(values: Column) -> pa.Array:
    return pa.array(values.astype(np.int64), mask=values == 0)


def truth(state: State) -> dict[str, pa.Table]:
    contract, subsidy = state["land_contract"], state["land_subsidy"]
    of = subsidy["contract"].astype(np.int64)
    return {
        "land_contract": pa.table(
            {
                "contract_no": _contract_no(state, contract.ids, contract.ids),
                "person_id": contract["person"].astype(np.int64),
                "spouse_person_id": _ids(contract["spouse"]),
                "household_no": household_no(state, contract["household"]),
                "village_code": state.places.village_code(contract["village"]),
                "area_mu": pa.array(contract["area"] / 100),
                "parcels": contract["parcels"].astype(np.int64),
                "term_from": date_array(contract["started"]),
                "term_to": date_array(contract["ended"]),
                "numbered": contract["numbered"],
            }
        ),
        "land_subsidy": pa.table(
            {
                "subsidy_no": padded(subsidy.ids, 10, "NB"),
                "contract_no": _contract_no(state, of, of),
                "person_id": subsidy["person"].astype(np.int64),
                "year": padded(subsidy["year"], 4),
                "season": pick(SEASONS, subsidy["season"]),
                "claimed_mu": pa.array(subsidy["area"] / 100),
                "overclaimed_mu": pa.array(subsidy["over"] / 100),
                "amount": pa.array(subsidy["amount"] / 100),
                "paid_on": date_array(subsidy["paid"]),
            }
        ),
    }
