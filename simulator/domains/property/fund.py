"""Housing provident fund: accounts of the employed, deposits by the employer's pay day, loans."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from simulator.calendar import month_of, parts
from simulator.domains.property.schema import ACTIVE, CLOSED, FUND, SEALED
from simulator.population import YEAR
from simulator.state import State
from simulator.table import NEVER, Column, Ints

ACCOUNT, LOAN = "provident_fund.account", "provident_fund.loan"
_PAY_DAYS = 28
_NOT_BEFORE = 11_000  # 2000-02-13: the fund's electronic accounts begin


def open_city(state: State, rates: dict[str, float], rng: Generator) -> None:
    """Write the accounts of a new city."""
    employment = state["employment"]
    person, last = _last_jobs(state)
    chosen = rng.random(len(person)) < rates["funded"]
    person, last = person[chosen], last[chosen]
    works = employment["ended"][last] == NEVER
    started = np.maximum(employment["started"][last], _NOT_BEFORE)
    deposit = rng.integers(300, 3_000, len(last)) * 100
    ended = np.where(works, state.today, employment["ended"][last])
    months = np.maximum((ended - started) // 30, 0)
    state["fund_account"].append(
        person=person,
        firm=employment["firm"][last],
        opened=started,
        deposit=deposit,
        balance=deposit * months // 2 + rng.integers(0, 100_000, len(last)),
        state=np.where(works, ACTIVE, SEALED),
        paid_until=np.where(works, month_of(state.today) - 1, (ended - 30) // 30.44),
    )


def _last_jobs(state: State) -> tuple[Ints, Ints]:
    """Return everyone who ever worked and their last job (position): a running one before others."""
    employment = state["employment"]
    rows = np.flatnonzero(~employment["void"] & (employment["shown"] <= state.today))
    order = rows[np.lexsort((rows, employment["ended"][rows], employment["person"][rows]))][::-1]
    person, first = np.unique(employment["person"][order], return_index=True)
    return person.astype(np.int64), order[first]


def account_of(state: State, persons: Column) -> Ints:
    """Return the account of each person, 0 for none."""
    account = np.zeros(len(state["person"]) + 1, dtype=np.int64)
    account[state["fund_account"]["person"]] = state["fund_account"].ids
    return np.asarray(account[np.asarray(persons, dtype=np.int64)])


def lend_city(state: State, rates: dict[str, float], rng: Generator) -> None:
    """Write the loans of a new city: those that its mortgages for the fund secure."""
    mortgage = state["property_mortgage"]
    loans = lend(state, np.flatnonzero(mortgage["lender"] == FUND) + 1)
    at = state["fund_loan"]["mortgage"][loans - 1] - 1
    elapsed = ((state.today - mortgage["started"][at]) / YEAR * 12).astype(np.int64)
    behind = rng.random(len(loans)) < rates["overdue"]
    dead = state.person("died", mortgage["person"][at]) != NEVER
    overdue = np.where((behind | dead) & (elapsed > 6), rng.integers(1, 6, len(loans)), 0)
    released = mortgage["released"][at]
    loan = state["fund_loan"]
    loan["paid"][:] = np.where(released == NEVER, np.maximum(elapsed - overdue, 0), mortgage["months"][at])
    loan["overdue"][:] = np.where(released == NEVER, overdue, 0)
    loan["ended"][:] = released


def lend(state: State, mortgages: Column) -> Ints:
    """Give the fund's loans that mortgages secure; returns their ids."""
    return state["fund_loan"].append(mortgage=mortgages, paid=0, overdue=0, ended=NEVER)


def pass_day(state: State, rates: dict[str, float], rng: Generator) -> None:
    """A day of the fund: pay day of some employers, instalments, changed jobs, the dead, new loans."""
    _change_employers(state, rates, rng)
    _seal(state)
    _close_estates(state, rates, rng)
    _deposit(state)
    _repay(state, rates, rng)
    _lend_today(state)


def _change_employers(state: State, rates: dict[str, float], rng: Generator) -> None:
    """New jobs move an account to the new employer, or open one for some who had none."""
    employment, account = state["employment"], state["fund_account"]
    new = np.arange(state.before["employment"], len(employment))
    person = employment["person"][new].astype(np.int64)
    person, first = np.unique(person, return_index=True)
    firm = employment["firm"][new[first]]
    own = account_of(state, person)
    moved = own > 0
    account["firm"][own[moved] - 1], account["state"][own[moved] - 1] = firm[moved], ACTIVE
    state.touch(ACCOUNT, own[moved])
    opens = ~moved & (rng.random(len(person)) < rates["funded"])
    ids = account.append(
        person=person[opens],
        firm=firm[opens],
        opened=state.today,
        deposit=rng.integers(300, 3_000, int(opens.sum())) * 100,
        balance=0,
        state=ACTIVE,
        paid_until=month_of(state.today) - 1,
    )
    state.add(ACCOUNT, ids)


def _seal(state: State) -> None:
    """Accounts of those who work no more (the dead among them) are sealed."""
    employment, account = state["employment"], state["fund_account"]
    works = np.zeros(len(state["person"]) + 1, dtype=bool)
    works[employment["person"][(employment["ended"] == NEVER) & ~employment["void"]]] = True
    rows = np.flatnonzero((account["state"] == ACTIVE) & ~works[account["person"]])
    account["state"][rows] = SEALED
    state.touch(ACCOUNT, rows + 1)


def _close_estates(state: State, rates: dict[str, float], rng: Generator) -> None:
    """Heirs draw what the dead had saved, long after the death, if at all."""
    account = state["fund_account"]
    dead = state.person("died", account["person"]) < state.today - 30
    rows = np.flatnonzero(dead & (account["state"] == SEALED))
    rows = rows[rng.random(len(rows)) < rates["daily_estates"]]
    account["state"][rows], account["balance"][rows] = CLOSED, 0
    state.touch(ACCOUNT, rows + 1)


def _is_the_day_of(state: State, numbers: Column) -> Column:
    """Say which of the numbers have their day of the month today."""
    return np.asarray(np.asarray(numbers) % _PAY_DAYS + 1 == parts(np.array([state.today]))[2][0])


def _deposit(state: State) -> None:
    account = state["fund_account"]
    unpaid = (account["state"] == ACTIVE) & (account["paid_until"] < month_of(state.today))
    rows = np.flatnonzero(unpaid & _is_the_day_of(state, account["firm"]))
    account["balance"][rows] += account["deposit"][rows]
    account["paid_until"][rows] = month_of(state.today)
    state.touch(ACCOUNT, rows + 1)


def _repay(state: State, rates: dict[str, float], rng: Generator) -> None:
    """Instalments are paid on a day of the month, or missed; the dead pay none; a released loan has ended."""
    loan, mortgage = state["fund_loan"], state["property_mortgage"]
    at = loan["mortgage"] - 1
    released = (loan["ended"] == NEVER) & (mortgage["released"][at] != NEVER)
    loan["ended"][released] = state.today
    loan["paid"][released], loan["overdue"][released] = mortgage["months"][at][released], 0
    rows = np.flatnonzero((loan["ended"] == NEVER) & _is_the_day_of(state, loan.ids))
    dead = state.person("died", mortgage["person"][at[rows]]) != NEVER
    missed = dead | (rng.random(len(rows)) < rates["overdue"] / 4)
    loan["overdue"][rows] = np.where(missed, np.minimum(loan["overdue"][rows] + 1, 100), 0)
    # Who pays again pays what is behind, too.
    behind = (state.today - mortgage["started"][at[rows]]) / YEAR * 12
    loan["paid"][rows] = np.where(
        missed, loan["paid"][rows], np.minimum(behind, mortgage["months"][at[rows]])
    )
    state.touch(LOAN, np.r_[np.flatnonzero(released), rows] + 1)


def _lend_today(state: State) -> None:
    mortgage = state["property_mortgage"]
    new = np.arange(state.before["property_mortgage"], len(mortgage)) + 1
    state.add(LOAN, lend(state, new[mortgage["lender"][new - 1] == FUND]))
