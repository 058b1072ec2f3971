"""Contracts on homes, sale and rent, and the transfers and moves that follow from them."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from simulator.domains.property import homes, titles
from simulator.domains.property.schema import (
    BOUGHT,
    FIRST,
    FLAT,
    HOUSE,
    INHERITED,
    NEW_SALE,
    RENT,
    RESALE,
    SHOP,
)
from simulator.state import State
from simulator.table import NEVER, Column, Ints

CONTRACT = "housing.contract"
_LONGEST_WAIT = 40  # days between a sale's contract and its registration
_YEAR = 365


def sign_city(state: State, rng: Generator) -> None:
    """Write the contracts of a new city: sales of the last three years, pending ones, and rents."""
    title = state["property_title"]
    bought = (title["acquired"] > state.today - 3 * _YEAR) & (title["way"] != INHERITED)
    flat = state["property_home"]["form"][title["home"] - 1] == FLAT
    _, first = np.unique(title["home"] * 2 + (title["lost"] != NEVER), return_index=True)
    one = np.zeros(len(title), dtype=bool)
    one[first] = True
    rows = np.flatnonzero(bought & flat & one & (title["person"] > 0))
    sellers = np.where(title["way"][rows] == BOUGHT, titles.adults(state, len(rows), rng), 0)
    signed = title["acquired"][rows] - rng.integers(5, _LONGEST_WAIT, len(rows))
    _sell(state, title["home"][rows], sellers, title["person"][rows], signed, title["acquired"][rows], rng)
    _rent_city(state, rng)


def owner_of(state: State, units: Column) -> tuple[Ints, Ints]:
    """Return the person and the firm that own each unit now (0: nobody registered)."""
    title = state["property_title"]
    rows = np.flatnonzero(title["lost"] == NEVER)
    person, firm = (np.zeros(len(state["property_home"]) + 1, dtype=np.int64) for _ in range(2))
    person[title["home"][rows]] = title["person"][rows]
    firm[title["home"][rows]] = title["firm"][rows]
    return person[units], firm[units]


def _sell(
    state: State, units: Column, sellers: Column, buyers: Column, signed: Column, transfer: Column,
    rng: Generator,
) -> Ints:  # fmt: skip
    """Write sales; a seller 0 is the developer of a new home."""
    area = state["property_home"]["area"][np.asarray(units) - 1]
    sellers = np.asarray(sellers)
    developer = rng.integers(1, len(state["firm"]) + 1, len(area))
    return state["property_contract"].append(
        home=units,
        kind=np.where(sellers == 0, NEW_SALE, RESALE),
        seller=sellers,
        seller_firm=np.where(sellers == 0, developer, 0),
        buyer=buyers,
        signed=signed,
        amount=area * rng.integers(4_000, 13_000, len(area)),
        starts=NEVER,
        ends=NEVER,
        transfer=transfer,
        void=False,
    )


def _let(state: State, units: Ints, tenants: Column, days: Column, rng: Generator) -> Ints:
    """Write rents of a year from the given days, where the landlord is registered."""
    landlord, firm = owner_of(state, units)
    at = np.flatnonzero(((landlord > 0) | (firm > 0)) & (landlord != tenants))
    starts = days[at]
    return state["property_contract"].append(
        home=units[at],
        kind=RENT,
        seller=landlord[at],
        seller_firm=firm[at],
        buyer=np.asarray(tenants)[at],
        signed=starts,
        amount=rng.integers(60_000, 300_000, len(at)),
        starts=starts,
        ends=starts + _YEAR,
        transfer=NEVER,
        void=False,
    )


def _rent_city(state: State, rng: Generator) -> None:
    """Homes lived in by others than their owner are let, this year and perhaps the year before."""
    home = state["property_home"]
    units = np.flatnonzero(home["household"] > 0) + 1
    head = state["household"]["head"][home["household"][units - 1] - 1]
    landlord, _ = owner_of(state, units)
    person = state["person"]
    elsewhere = person["household"][np.maximum(landlord, 1) - 1] != person["household"][head - 1]
    let = (landlord > 0) & elsewhere & (rng.random(len(units)) < 0.6)
    units, head = units[let], head[let]
    started = state.today - rng.integers(1, _YEAR, len(units))
    _let(state, units, head, started, rng)
    before = rng.random(len(units)) < 0.3
    _let(state, units[before], head[before], started[before] - _YEAR, rng)


def house_the_homeless(state: State, rng: Generator) -> Ints:
    """Give households without a home an empty one nearby or a new one; returns the new ones."""
    households = homes.homeless(state)
    nearby = homes.vacant_nearby(state, households)
    moving, into = households[nearby > 0], nearby[nearby > 0]
    heads = state["household"]["head"][moving - 1]
    rents = rng.random(len(into)) < 0.5
    homes.enter_homes(state, into, moving)
    state.add(CONTRACT, _let(state, into[rents], heads[rents], np.full(int(rents.sum()), state.today), rng))
    sell_today(state, into[~rents], heads[~rents], rng)
    return _build_for(state, households[nearby == 0], rng)


def _build_for(state: State, households: Ints, rng: Generator) -> Ints:
    household, at = state["household"], households - 1
    form = np.where(rng.random(len(at)) < np.where(household["rural"][at], 0.3, 0.95), FLAT, HOUSE)
    day = np.full(len(at), state.today)
    new = homes.build(state, household["village"][at], household["house"][at], form, day, households, rng)
    flats = form == FLAT
    sell_today(state, new[flats], household["head"][at][flats], rng)
    return new


def sell_today(state: State, units: Ints, buyers: Column, rng: Generator) -> None:
    """Sign sales today; the registration follows some weeks later."""
    sellers, firms = owner_of(state, units)
    alive = state["person"]["died"][np.maximum(sellers, 1) - 1] == NEVER
    free = ~pending(state, units) & (sellers != buyers) & ((sellers == 0) | alive)
    untitled_old = (sellers == 0) & (firms == 0) & (state["property_home"]["since"][units - 1] < state.today)
    at = np.flatnonzero(free & ~untitled_old)
    transfer = state.today + rng.integers(5, _LONGEST_WAIT, len(at))
    new = _sell(
        state, units[at], sellers[at], np.asarray(buyers)[at], np.full(len(at), state.today), transfer, rng
    )
    state.add(CONTRACT, new)


def pending(state: State, units: Column) -> Column:
    """Say of which homes a sale waits for its registration."""
    contract = state["property_contract"]
    waiting = (contract["transfer"] != NEVER) & (contract["transfer"] > state.today) & ~contract["void"]
    return np.isin(units, contract["home"][waiting])


def sell_some(state: State, rates: dict[str, float], rng: Generator) -> None:
    """Owners sell to other adults; who lives there stays."""
    title = state["property_title"]
    form = state["property_home"]["form"][title["home"] - 1]
    owned = titles.open_titles(state) & (title["person"] > 0) & (form != SHOP)
    units = np.unique(title["home"][owned & (rng.random(len(title)) < rates["daily_sales"])]).astype(np.int64)
    sell_today(state, units, titles.adults(state, len(units), rng), rng)


def cancel_some(state: State, rates: dict[str, float], rng: Generator) -> None:
    """Some sales are called off before their registration, some rents before their end."""
    contract = state["property_contract"]
    running = np.where(contract["kind"] == RENT, contract["ends"], contract["transfer"])
    open_ = (
        (running != NEVER) & (running > state.today) & (contract["signed"] < state.today) & ~contract["void"]
    )
    rows = np.flatnonzero(open_ & (rng.random(len(contract)) < rates["daily_cancelled"]))
    contract["void"][rows] = True
    state.touch(CONTRACT, rows + 1)
    state.touch(CONTRACT, np.flatnonzero(contract["ends"] == state.today) + 1)


def transfer_today(state: State, rates: dict[str, float], rng: Generator) -> tuple[Ints, Ints]:
    """Register the sales that are due: the seller's titles end, the buyer's begin; returns homes, buyers."""
    contract, title = state["property_contract"], state["property_title"]
    due = np.flatnonzero((contract["transfer"] == state.today) & ~contract["void"])
    alive = state.person("died", contract["buyer"][due]) == NEVER
    contract["void"][due[~alive]] = True
    state.touch(CONTRACT, due[~alive] + 1)
    due = due[alive]
    units, buyers = contract["home"][due].astype(np.int64), contract["buyer"][due].astype(np.int64)
    ended = np.flatnonzero(titles.open_titles(state) & np.isin(title["home"], units))
    title["lost"][ended] = state.today
    state.touch(titles.TITLE, ended + 1)
    way = np.where(contract["kind"][due] == NEW_SALE, FIRST, BOUGHT)
    state.add(titles.TITLE, titles.entitle(state, units, buyers, np.full(len(due), state.today), way, rng))
    borrows = rng.random(len(due)) < rates["mortgaged"]
    today = np.full(int(borrows.sum()), state.today)
    state.add(titles.MORTGAGE, titles.mortgage(state, units[borrows], buyers[borrows], today, rng))
    return units, buyers
