"""What the ledgers of money and meters show: provident fund, power, water, gas and heat."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.calendar import month_number
from simulator.domains.property import homes, meters
from simulator.domains.property.registers import party_name, party_uscc
from simulator.domains.property.schema import FUND_STATES, UTILITIES
from simulator.state import State
from simulator.systems import source_table as st
from simulator.systems.source_table import Columns
from simulator.table import Column, Ints
from simulator.text import Strings, amounts, dates, join, padded, pick

_POWER_FEN = 54.69  # a kWh
_UTILITY_PREFIX = ("S", "Q", "R")


def fund_account(state: State, ids: Ints) -> Columns:
    account, at = state["fund_account"], ids - 1
    person, firm = account["person"][at], account["firm"][at]
    return {
        "pid": st.pid(state, person),
        "name": st.name(state, person),
        "employer_uscc": party_uscc(state, firm),
        "employer_name": party_name(state, np.zeros(len(at), dtype=np.int64), firm),
        "opened_on": dates(account["opened"][at]),
        "monthly_deposit": amounts(account["deposit"][at]),
        "balance": amounts(account["balance"][at]),
        "paid_until": padded(month_number(account["paid_until"][at]), 6),
        "status": pick(FUND_STATES, account["state"][at].astype(np.int64)),
    }


def fund_loan(state: State, ids: Ints) -> Columns:
    loan, mortgage, at = state["fund_loan"], state["property_mortgage"], ids - 1
    of = loan["mortgage"][at] - 1
    person, amount, months = mortgage["person"][of], mortgage["amount"][of], mortgage["months"][of]
    return {
        "pid": st.pid(state, person),
        "name": st.name(state, person),
        "unit_no": homes.unit_no(state, mortgage["home"][of]),
        "amount": amounts(amount),
        "balance": amounts(loan_balance(amount, months, loan["paid"][at])),
        "started_on": dates(mortgage["started"][of]),
        "months": _text(months),
        "overdue_months": _text(loan["overdue"][at].astype(np.int64)),
        "ended_on": dates(loan["ended"][at]),
    }


def loan_balance(amount: Column, months: Column, paid: Column) -> Ints:
    """Return what is owed, in fen, of loans repaid by equal parts of the principal."""
    return np.asarray(amount * (months - np.minimum(paid, months)) // months, dtype=np.int64)


def _text(numbers: Column) -> Strings:
    return pc.cast(pa.array(numbers), pa.string())


def power_account(state: State, ids: Ints) -> Columns:
    account, at = state["power_account"], ids - 1
    home, firm, person = (account[name][at] for name in ("home", "firm", "person"))
    at_home = homes.address(state, np.maximum(home, 1))
    at_firm = np.maximum(firm, 1) - 1
    village, number = state["firm"]["village"][at_firm], _text(state["firm"]["house"][at_firm])
    office = join(state.places.full_name(village), number, "号厂房")
    homeless = pa.array(home == 0)
    return {
        "kind": pick(("居民生活用电", "工商业用电"), (firm > 0).astype(np.int64)),
        "holder_name": party_name(state, person, firm),
        "holder_pid": st.pid(state, person),
        "holder_uscc": party_uscc(state, firm),
        "address": pc.if_else(homeless, office, at_home),
        "township_code": pc.if_else(
            homeless, state.places.township_code(village), homes.township_code(state, np.maximum(home, 1))
        ),
        "opened_on": dates(account["opened"][at]),
        "closed_on": dates(account["closed"][at]),
    }


def power_usage(state: State, ids: Ints) -> Columns:
    usage, at = state["power_usage"], ids - 1
    tenths = usage["quantity"][at].astype(np.int64)
    return {
        "account_no": padded(usage["account"][at], 10),
        "month": padded(month_number(usage["month"][at]), 6),
        "quantity": amounts(tenths * 10),
        "amount": amounts((tenths * _POWER_FEN / 10).astype(np.int64)),
    }


def utility_no(state: State, accounts: Column) -> Strings:
    """Return account numbers: a letter of the supplier and nine digits."""
    kind = state["utility_account"]["kind"][np.asarray(accounts) - 1]
    return join(pick(_UTILITY_PREFIX, kind.astype(np.int64)), padded(accounts, 9))


def utility_key(state: State, keys: Ints, of: Ints) -> Strings:
    kind = state["utility_account"]["kind"][of - 1].astype(np.int64)
    return join(pick(_UTILITY_PREFIX, kind), padded(keys, 9))


def utility_account(state: State, ids: Ints) -> Columns:
    account, at = state["utility_account"], ids - 1
    return {
        "kind": pick(UTILITIES, account["kind"][at].astype(np.int64)),
        "holder_name": st.name(state, account["person"][at]),
        "holder_pid": st.pid(state, account["person"][at]),
        "address": homes.address(state, account["home"][at]),
        "township_code": homes.township_code(state, account["home"][at]),
        "opened_on": dates(account["opened"][at]),
    }


def utility_usage(state: State, ids: Ints) -> Columns:
    usage, at = state["utility_usage"], ids - 1
    hundredths = usage["quantity"][at].astype(np.int64)
    price = meters.cubic_metre(state["utility_account"]["kind"][usage["account"][at] - 1])
    return {
        "account_no": utility_no(state, usage["account"][at]),
        "month": padded(month_number(usage["month"][at]), 6),
        "quantity": amounts(hundredths),
        "amount": amounts(hundredths * price // 100),
    }
