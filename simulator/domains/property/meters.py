"""Power, water, gas and heat: accounts of homes and firms, and what they use each month."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from simulator.calendar import first_of, month_of, parts
from simulator.domains.property.contracts import owner_of
from simulator.domains.property.schema import FLAT, GAS, HEAT, SHOP, WATER
from simulator.state import State
from simulator.table import NEVER, Column, Ints

POWER, POWER_USAGE = "power.account", "power.usage"
UTILITY, UTILITY_USAGE = "utilities.account", "utilities.usage"
_POWER_MONTHS, _UTILITY_MONTHS = 3, 2
_SUMMER, _WINTER = (7, 8), (12, 1, 2)


def connect_city(state: State, rates: dict[str, float], rng: Generator) -> None:
    """Write the accounts of a new city and what they used in the last months."""
    home, firm = state["property_home"], state["firm"]
    dwellings = np.flatnonzero(home["form"] != SHOP) + 1
    _connect_homes(state, dwellings, home["built"][dwellings - 1], rng)
    supplied = np.flatnonzero(rng.random(len(firm)) < rates["powered_firms"]) + 1
    shop = np.zeros(len(firm) + 1, dtype=np.int64)
    shop[home["firm"]] = home.ids
    state["power_account"].append(
        home=shop[supplied], firm=supplied, person=0, opened=firm["established"][supplied - 1], closed=NEVER
    )
    month = month_of(state.today)
    for earlier in range(_POWER_MONTHS, 0, -1):
        read_power(state, month - earlier, rng)
    for earlier in range(_UTILITY_MONTHS, 0, -1):
        read_utilities(state, month - earlier, rng)


def _connect_homes(state: State, units: Ints, opened: Column, rng: Generator) -> tuple[Ints, Ints]:
    """Open power accounts for homes, water, gas and heat for flats; returns the ids of both kinds."""
    home = state["property_home"]
    household = home["household"][units - 1]
    head = np.where(household > 0, state["household"]["head"][np.maximum(household, 1) - 1], 0)
    owner, _ = owner_of(state, units)
    holder = np.where(owner > 0, owner, head)
    power = state["power_account"].append(home=units, firm=0, person=holder, opened=opened, closed=NEVER)
    flat = home["form"][units - 1] == FLAT
    ids = []
    for kind, share in ((WATER, 1.0), (GAS, 0.6), (HEAT, 0.5)):
        at = np.flatnonzero(flat & (rng.random(len(units)) < share))
        ids.append(
            state["utility_account"].append(
                home=units[at], kind=kind, person=holder[at], opened=np.asarray(opened)[at], closed=NEVER
            )
        )
    return power, np.concatenate(ids)


def presence(state: State, units: Column, month: int) -> Column:
    """Return the share of a month in which each home was lived in, as far as its last change tells."""
    home, at = state["property_home"], np.asarray(units, dtype=np.int64) - 1
    first, past = first_of(month), first_of(month + 1)
    before = np.clip((home["since"][at] - first) / (past - first), 0.0, 1.0)
    return np.asarray(np.where(home["household"][at] > 0, 1.0 - before, before))


def read_power(state: State, month: int, rng: Generator) -> Ints:
    """Write what each account used in a month, in tenths of a kWh; returns the bills' ids."""
    account = state["power_account"]
    rows = np.flatnonzero((account["opened"] < first_of(month + 1)) & (account["closed"] >= first_of(month)))
    of_year = month % 12 + 1
    season = 1.5 if of_year in _SUMMER else 1.25 if of_year in _WINTER else 1.0
    lived_in = season * np.exp(rng.normal(7.3, 0.45, len(rows))) + 400
    idle = rng.integers(0, 30, len(rows))
    business = np.exp(rng.normal(9.6, 1.1, len(rows)))
    share = presence(state, np.maximum(account["home"][rows], 1), month)
    used = np.where(account["firm"][rows] > 0, business, share * lived_in + (1 - share) * idle)
    return state["power_usage"].append(account=rows + 1, month=month, quantity=used.astype(np.int64))


def read_utilities(state: State, month: int, rng: Generator) -> Ints:
    """Write the water and gas of a month, in hundredths of a cubic metre; heat is paid by area."""
    account = state["utility_account"]
    metered = (account["opened"] < first_of(month + 1)) & (account["closed"] >= first_of(month))
    rows = np.flatnonzero(metered & (account["kind"] != HEAT))
    water = account["kind"][rows] == WATER
    lived_in = np.exp(rng.normal(np.where(water, 6.7, 7.0), 0.4, len(rows))) + 120
    share = presence(state, account["home"][rows], month)
    used = share * lived_in + (1 - share) * rng.integers(0, 15, len(rows))
    return state["utility_usage"].append(account=rows + 1, month=month, quantity=used.astype(np.int64))


def pass_day(
    state: State, rates: dict[str, float], new_homes: Ints, sold: tuple[Ints, Ints], rng: Generator
) -> None:
    """A day of the suppliers: new homes, new holders, meters read on the first, readings corrected."""
    opened = np.full(len(new_homes), state.today)
    power, utility = _connect_homes(state, new_homes, opened, rng)
    state.add(POWER, power)
    state.add(UTILITY, utility)
    _connect_firms(state, rates, rng)
    _rename(state, rates, *sold, rng)
    _close_firms(state, rates, rng)
    if parts(np.array([state.today]))[2][0] == 1:
        month = month_of(state.today) - 1
        state.add(POWER_USAGE, read_power(state, month, rng))
        state.add(UTILITY_USAGE, read_utilities(state, month, rng))
    _correct(state, "power_usage", POWER_USAGE, rates, rng)
    _correct(state, "utility_usage", UTILITY_USAGE, rates, rng)


def _connect_firms(state: State, rates: dict[str, float], rng: Generator) -> None:
    new = np.arange(state.before["firm"], len(state["firm"])) + 1
    new = new[rng.random(len(new)) < rates["powered_firms"]]
    ids = state["power_account"].append(home=0, firm=new, person=0, opened=state.today, closed=NEVER)
    state.add(POWER, ids)


def _rename(
    state: State, rates: dict[str, float], units: Ints, buyers: Ints, rng: Generator
) -> None:  # fmt: skip
    """Most buyers have the accounts of their home written to their name; the others never do."""
    renamed = rng.random(len(units)) < rates["accounts_renamed"]
    owner = np.zeros(len(state["property_home"]) + 1, dtype=np.int64)
    owner[units[renamed]] = buyers[renamed]
    for name, source in (("power_account", POWER), ("utility_account", UTILITY)):
        account = state[name]
        rows = np.flatnonzero(owner[account["home"]] > 0)
        account["person"][rows] = owner[account["home"][rows]]
        state.touch(source, rows + 1)


def _close_firms(state: State, rates: dict[str, float], rng: Generator) -> None:
    account = state["power_account"]
    closing = (account["firm"] > 0) & (account["closed"] == NEVER) & (account["opened"] < state.today)
    rows = np.flatnonzero(closing & (rng.random(len(account)) < rates["daily_closures"]))
    account["closed"][rows] = state.today
    state.touch(POWER, rows + 1)


def _correct(
    state: State, name: str, source: str, rates: dict[str, float], rng: Generator
) -> None:  # fmt: skip
    """Some readings of the last month are corrected, by less than a fifth."""
    usage = state[name]
    last = np.flatnonzero(usage["month"] == month_of(state.today) - 1)
    rows = last[rng.random(len(last)) < rates["daily_corrections"]]
    usage["quantity"][rows] = (usage["quantity"][rows] * rng.uniform(0.85, 0.99, len(rows))).astype(np.int64)
    state.touch(source, rows + 1)


def cubic_metre(kinds: Column) -> Column:
    """Return the price of a cubic metre in fen, by kind of account."""
    return np.asarray(np.where(np.asarray(kinds) == GAS, 297, 355))
