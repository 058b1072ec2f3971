"""What the tests may know of property: docs/truth.md describes each table."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from simulator.calendar import month_number
from simulator.domains.property import homes
from simulator.domains.property.ledgers import loan_balance, utility_no
from simulator.domains.property.registers import party_uscc
from simulator.domains.property.schema import CONTRACT_KINDS, FUND_STATES, UTILITIES, WAYS
from simulator.state import State
from simulator.systems.police import household_no
from simulator.table import Column, Ints
from simulator.text import date_array, padded, pick, where


def truth(state: State) -> dict[str, pa.Table]:
    """Return every truth table of the domain by name."""
    return {
        "property_home": _home(state),
        "property_title": _title(state),
        "property_mortgage": _mortgage(state),
        "property_contract": _contract(state),
        "fund_account": _fund_account(state),
        "fund_loan": _fund_loan(state),
        "power_account": _power_account(state),
        "power_usage": _usage(state, "power_usage", 10),
        "utility_account": _utility_account(state),
        "utility_usage": _usage(state, "utility_usage", 100),
    }


def _ids(values: Column) -> pa.Array:
    """Return ids as integers; 0, nobody, becomes null."""
    return pa.array(values.astype(np.int64), mask=values == 0)


def _yuan(fen: Column) -> pa.Array:
    return pa.array(np.asarray(fen) / 100)


def _home(state: State) -> pa.Table:
    home = state["property_home"]
    household = home["household"]
    number = household_no(state, np.maximum(household, 1).astype(np.int64))
    return pa.table(
        {
            "home_id": home.ids,
            "unit_no": homes.unit_no(state, home.ids),
            "address": homes.address(state, home.ids),
            "village_code": homes.village_code(state, home.ids),
            "form": pick(("house", "flat", "shop"), home["form"].astype(np.int64)),
            "area": pa.array(home["area"] / 100),
            "household_no": where(household > 0, number),
            "since": date_array(home["since"]),
        }
    )


def _title(state: State) -> pa.Table:
    title = state["property_title"]
    return pa.table(
        {
            "title_id": title.ids,
            "home_id": title["home"].astype(np.int64),
            "person_id": _ids(title["person"]),
            "uscc": party_uscc(state, title["firm"]),
            "share": title["share"].astype(np.int64),
            "way": pick(WAYS, title["way"].astype(np.int64)),
            "acquired_on": date_array(title["acquired"]),
            "ended_on": date_array(title["lost"]),
        }
    )


def _mortgage(state: State) -> pa.Table:
    mortgage = state["property_mortgage"]
    return pa.table(
        {
            "mortgage_id": mortgage.ids,
            "home_id": mortgage["home"].astype(np.int64),
            "person_id": mortgage["person"].astype(np.int64),
            "amount": _yuan(mortgage["amount"]),
            "started_on": date_array(mortgage["started"]),
            "released_on": date_array(mortgage["released"]),
        }
    )


def _contract(state: State) -> pa.Table:
    contract = state["property_contract"]
    return pa.table(
        {
            "contract_no": padded(contract.ids, 10, "HT"),
            "home_id": contract["home"].astype(np.int64),
            "kind": pick(CONTRACT_KINDS, contract["kind"].astype(np.int64)),
            "seller_person_id": _ids(contract["seller"]),
            "seller_uscc": party_uscc(state, contract["seller_firm"]),
            "buyer_person_id": contract["buyer"].astype(np.int64),
            "signed_on": date_array(contract["signed"]),
            "amount": _yuan(contract["amount"]),
            "ends_on": date_array(contract["ends"]),
            "transfers_on": date_array(contract["transfer"]),
            "void": contract["void"],
        }
    )


def _fund_account(state: State) -> pa.Table:
    account = state["fund_account"]
    return pa.table(
        {
            "account_no": padded(account.ids, 10, "GJ"),
            "person_id": account["person"].astype(np.int64),
            "employer_uscc": party_uscc(state, account["firm"]),
            "opened_on": date_array(account["opened"]),
            "monthly_deposit": _yuan(account["deposit"]),
            "balance": _yuan(account["balance"]),
            "paid_until": padded(month_number(account["paid_until"]), 6),
            "status": pick(FUND_STATES, account["state"].astype(np.int64)),
        }
    )


def _fund_loan(state: State) -> pa.Table:
    loan, mortgage = state["fund_loan"], state["property_mortgage"]
    of = loan["mortgage"] - 1
    owed = loan_balance(mortgage["amount"][of], mortgage["months"][of], loan["paid"])
    return pa.table(
        {
            "loan_no": padded(loan.ids, 10, "DK"),
            "person_id": mortgage["person"][of].astype(np.int64),
            "home_id": mortgage["home"][of].astype(np.int64),
            "amount": _yuan(mortgage["amount"][of]),
            "balance": _yuan(owed),
            "overdue_months": loan["overdue"].astype(np.int64),
            "ended_on": date_array(loan["ended"]),
        }
    )


def _power_account(state: State) -> pa.Table:
    account = state["power_account"]
    return pa.table(
        {
            "account_id": account.ids,
            "account_no": padded(account.ids, 10),
            "home_id": _ids(account["home"]),
            "uscc": party_uscc(state, account["firm"]),
            "person_id": _ids(account["person"]),
            "opened_on": date_array(account["opened"]),
            "closed_on": date_array(account["closed"]),
        }
    )


def _utility_account(state: State) -> pa.Table:
    account = state["utility_account"]
    ids: Ints = account.ids
    return pa.table(
        {
            "account_id": ids,
            "account_no": utility_no(state, ids),
            "kind": pick(UTILITIES, account["kind"].astype(np.int64)),
            "home_id": account["home"].astype(np.int64),
            "person_id": _ids(account["person"]),
        }
    )


def _usage(state: State, name: str, parts: int) -> pa.Table:
    usage = state[name]
    return pa.table(
        {
            "account_id": usage["account"].astype(np.int64),
            "month": padded(month_number(usage["month"]), 6),
            "quantity": pa.array(usage["quantity"] / parts),
        }
    )
