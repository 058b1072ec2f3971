"""Registers of ownership: real estate (PostgreSQL, province) and housing contracts (JSON, city)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator import writers
from simulator.domains.property import homes
from simulator.domains.property.schema import CONTRACT_KINDS, LENDERS, RENT, USES, WAYS
from simulator.population import YEAR
from simulator.state import State
from simulator.systems import source_table as st
from simulator.systems.enterprise_registry import credit_code, firm_name
from simulator.systems.source_table import Columns, SourceTable
from simulator.systems.system import Shown, System
from simulator.table import Column, Ints
from simulator.text import Strings, amounts, dates, pick

PRIVATE, CORPORATE = "个人", "企业"


def party_name(state: State, persons: Column, firms: Column) -> Strings:
    """Return the names of persons, or of firms where there is no person."""
    return pc.if_else(pa.array(np.asarray(firms) > 0), _firm_name(state, firms), st.name(state, persons))


def party_uscc(state: State, firms: Column) -> Strings:
    """Return credit codes; null for firm 0."""
    return _where_firm(firms, credit_code(state, np.maximum(firms, 1)))


def _firm_name(state: State, firms: Column) -> Strings:
    return _where_firm(firms, firm_name(state, np.maximum(firms, 1)))


def _where_firm(firms: Column, text: Strings) -> Strings:
    return pc.if_else(pa.array(np.asarray(firms) > 0), text, pa.scalar(None, pa.string()))


def _title(state: State, ids: Ints) -> Columns:
    title, at = state["property_title"], ids - 1
    home, person, firm = (title[name][at] for name in ("home", "person", "firm"))
    unit = state["property_home"]
    return {
        "unit_no": homes.unit_no(state, home),
        "address": homes.address(state, home),
        "village_code": homes.village_code(state, home),
        "use": homes.use(unit["form"][home - 1], USES),
        "area": amounts(unit["area"][home - 1]),
        "owner_kind": pick((PRIVATE, CORPORATE), (firm > 0).astype(np.int64)),
        "owner_pid": st.pid(state, person),
        "owner_uscc": party_uscc(state, firm),
        "owner_name": party_name(state, person, firm),
        "share": pc.cast(pa.array(title["share"][at].astype(np.int64)), pa.string()),
        "way": pick(WAYS, title["way"][at].astype(np.int64)),
        "acquired_on": dates(title["acquired"][at]),
        "ended_on": dates(title["lost"][at]),
    }


def _mortgage(state: State, ids: Ints) -> Columns:
    mortgage, at = state["property_mortgage"], ids - 1
    home, person = mortgage["home"][at], mortgage["person"][at]
    started = mortgage["started"][at]
    return {
        "unit_no": homes.unit_no(state, home),
        "address": homes.address(state, home),
        "borrower_pid": st.pid(state, person),
        "borrower_name": st.name(state, person),
        "lender": pick(LENDERS, mortgage["lender"][at].astype(np.int64)),
        "amount": amounts(mortgage["amount"][at]),
        "started_on": dates(started),
        "due_on": dates(started + (mortgage["months"][at] * YEAR / 12).astype(np.int64)),
        "released_on": dates(mortgage["released"][at]),
    }


def _contract(state: State, ids: Ints) -> Columns:
    contract, at = state["property_contract"], ids - 1
    home, seller, firm = (contract[name][at] for name in ("home", "seller", "seller_firm"))
    over = (contract["kind"][at] == RENT) & (contract["ends"][at] <= state.today)
    status = np.where(contract["void"][at], 1, np.where(over, 2, 0))
    return {
        "kind": pick(CONTRACT_KINDS, contract["kind"][at].astype(np.int64)),
        "unit_no": homes.unit_no(state, home),
        "address": homes.address(state, home),
        "seller_pid": st.pid(state, seller),
        "seller_uscc": party_uscc(state, firm),
        "seller_name": party_name(state, seller, firm),
        "buyer_pid": st.pid(state, contract["buyer"][at]),
        "buyer_name": st.name(state, contract["buyer"][at]),
        "signed_on": dates(contract["signed"][at]),
        "amount": amounts(contract["amount"][at]),
        "starts_on": dates(contract["starts"][at]),
        "ends_on": dates(contract["ends"][at]),
        "status": pick(("有效", "注销", "到期"), status),
    }


TITLE = SourceTable(
    source="real_estate",
    name="title",
    key="title_id",
    columns=st.columns(
        "title_id:bigint unit_no address village_code use area owner_kind owner_pid owner_uscc owner_name "
        "share way acquired_on ended_on updated_at:timestamp"
    ),
    every=st.rows_of("property_title"),
    project=_title,
    person=st.person_of("property_title"),
    forms={
        "address": "address", "village_code": "text", "area": "amount", "owner_pid": "pid",
        "owner_uscc": "uscc", "owner_name": "name", "acquired_on": "date",
    },
)  # fmt: skip
MORTGAGE = SourceTable(
    source="real_estate",
    name="mortgage",
    key="mortgage_id",
    columns=st.columns(
        "mortgage_id:bigint unit_no address borrower_pid borrower_name lender amount started_on due_on "
        "released_on updated_at:timestamp"
    ),
    every=st.rows_of("property_mortgage"),
    project=_mortgage,
    person=st.person_of("property_mortgage"),
    forms={"address": "address", "borrower_pid": "pid", "borrower_name": "name", "amount": "amount"},
)
CONTRACT = SourceTable(
    source="housing",
    name="contract",
    key="contract_no",
    columns=st.columns(
        "contract_no kind unit_no address seller_pid seller_uscc seller_name buyer_pid buyer_name signed_on "
        "amount starts_on ends_on status"
    ),
    every=st.rows_of("property_contract"),
    project=_contract,
    person=st.person_of("property_contract", "buyer"),
    key_text=st.numbered("HT"),
    forms={
        "address": "address", "seller_pid": "pid", "buyer_pid": "pid", "buyer_name": "name",
        "signed_on": "date", "amount": "amount",
    },
    stamped=False,
)  # fmt: skip


def _write_contracts(state: State, shown: Shown, folder: Path) -> None:
    header = [(name, name) for name, _ in CONTRACT.columns]
    writers.write_json(shown.whole("contract"), header, folder / "contract.json", at="data")


SYSTEMS = (System("real_estate", (TITLE, MORTGAGE)), System("housing", (CONTRACT,), _write_contracts))
