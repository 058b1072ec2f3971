"""Who owns the homes and shops: titles, mortgages, inheritance."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from simulator.domains.property import fund
from simulator.domains.property.schema import BOUGHT, FIRST, FLAT, FUND, HOUSE, INHERITED, LENDERS, SHOP
from simulator.population import YEAR
from simulator.state import State
from simulator.table import NEVER, Column, Ints

TITLE, MORTGAGE = "real_estate.title", "real_estate.mortgage"
_EQUAL, _UNEQUAL = 50, 70


def register_city(state: State, rates: dict[str, float], rng: Generator) -> None:
    """Write the titles of a new city: heads and their spouses, heirs, landlords, firms, and the dead."""
    home = state["property_home"]
    registered = rng.random(len(home)) < np.where(home["form"] == HOUSE, rates["titled_houses"], 0.97)
    dwellings = np.flatnonzero(registered & (home["form"] != SHOP))
    owners = _owners(state, dwellings, rates, rng)
    dwellings, owners = dwellings[owners > 0], owners[owners > 0]
    latest = np.minimum(state.person("died", owners), state.today) - rng.integers(30, 400, len(owners))
    adult = state.person("birth", owners) + int(18 * YEAR)
    acquired = np.minimum(np.maximum(home["since"][dwellings] - 30, adult), latest)
    _former_owners(state, dwellings + 1, acquired, rates, rng)
    way = np.where(
        rng.random(len(owners)) < np.where(home["form"][dwellings] == HOUSE, 0.9, 0.45), FIRST, BOUGHT
    )
    entitle(state, dwellings + 1, owners, acquired, way, rng)
    _settle_estates(state, rates, rng)
    _entitle_firms(state, rng)
    _mortgage_city(state, rates, rng)


def _owners(state: State, homes: Ints, rates: dict[str, float], rng: Generator) -> Ints:
    """Return who first owned each home: a dead member of the household, its head, or another adult."""
    household = state["property_home"]["household"][homes]
    head = np.where(household > 0, state["household"]["head"][np.maximum(household, 1) - 1], 0)
    dead = np.where(household > 0, _dead_member(state)[household], 0)
    own = np.where((dead > 0) & (rng.random(len(homes)) < 0.7), dead, head)
    other = rng.random(len(homes)) < np.where(household > 0, rates["tenants"], 1.0)
    owners = np.where(other, adults(state, len(homes), rng), own)
    left_by_dead = (household == 0) & (rng.random(len(homes)) < rates["empty_homes_of_dead"])
    gone = np.flatnonzero(state["person"]["died"] != NEVER) + 1
    if len(gone):
        owners = np.where(left_by_dead, rng.choice(gone, len(homes)), owners)
    return owners.astype(np.int64)


def adults(state: State, count: int, rng: Generator) -> Ints:
    """Draw living adults."""
    grown = state.living() & (state["person"]["birth"] < state.today - 22 * YEAR)
    return np.asarray(rng.choice(np.flatnonzero(grown) + 1, size=count), dtype=np.int64)


def _dead_member(state: State) -> Ints:
    """Return for each household (by id) one of its grown dead, 0 if there is none."""
    person = state["person"]
    found = np.zeros(len(state["household"]) + 1, dtype=np.int64)
    dead = np.flatnonzero((person["died"] != NEVER) & (person["died"] - person["birth"] > 30 * YEAR))
    found[person["household"][dead]] = dead + 1
    return found


def entitle(
    state: State, homes: Column, owners: Column, days: Column, way: Column, rng: Generator
) -> Ints:  # fmt: skip
    """Register homes to persons, half of the married together with their spouse; returns the titles' ids."""
    spouse = _spouse(state, owners)
    shared = (spouse > 0) & (rng.random(len(spouse)) < 0.5)
    share = np.where(shared, np.where(rng.random(len(spouse)) < 0.9, _EQUAL, _UNEQUAL), 100)
    both = np.flatnonzero(shared)
    days, way = (np.broadcast_to(np.asarray(value), spouse.shape) for value in (days, way))
    return state["property_title"].append(
        home=np.r_[homes, np.asarray(homes)[both]],
        person=np.r_[owners, spouse[both]],
        firm=0,
        share=np.r_[share, 100 - share[both]],
        way=np.r_[way, way[both]],
        acquired=np.r_[days, days[both]],
        lost=NEVER,
    )


def _spouse(state: State, persons: Column) -> Ints:
    marriage = state.person("marriage", persons)
    at = np.maximum(marriage, 1) - 1
    husband, wife = state["marriage"]["husband"][at], state["marriage"]["wife"][at]
    return np.where(marriage > 0, np.where(husband == persons, wife, husband), 0).astype(np.int64)


def _former_owners(
    state: State, homes: Ints, until: Ints, rates: dict[str, float], rng: Generator
) -> None:  # fmt: skip
    sold = np.flatnonzero(rng.random(len(homes)) < rates["former_owners"])
    state["property_title"].append(
        home=homes[sold],
        person=adults(state, len(sold), rng),
        firm=0,
        share=100,
        way=FIRST,
        acquired=until[sold] - rng.integers(400, 4000, len(sold)),
        lost=until[sold],
    )


def _settle_estates(state: State, rates: dict[str, float], rng: Generator) -> None:
    """Some homes of the dead have been inherited already."""
    died = np.where(open_titles(state), _died(state), NEVER)
    settled = (died < state.today - 35) & (rng.random(len(died)) < rates["estates_settled"])
    rows = np.flatnonzero(settled)
    days = died[rows] + 30 + (rng.random(len(rows)) * (state.today - died[rows] - 31)).astype(np.int64)
    inherit(state, rows + 1, days)


def open_titles(state: State) -> Column:
    """Say which titles are in force."""
    return np.asarray(state["property_title"]["lost"] == NEVER)


def _died(state: State) -> Ints:
    """Return the day of death of each title's owner; NEVER for the living and for firms."""
    owner = state["property_title"]["person"]
    died = state["person"]["died"][np.maximum(owner, 1) - 1]
    return np.where(owner > 0, died, NEVER).astype(np.int64)


def inherit(state: State, titles: Ints, days: Column) -> Ints:
    """Pass titles of dead owners to the head of their household, if there is one; returns the new titles."""
    title = state["property_title"]
    dead = title["person"][titles - 1]
    heir = state["household"]["head"][state.person("household", dead) - 1]
    titles, heir, days = titles[heir > 0], heir[heir > 0], np.asarray(days)[heir > 0]
    title["lost"][titles - 1] = days
    return title.append(
        home=title["home"][titles - 1],
        person=heir,
        firm=0,
        share=title["share"][titles - 1],
        way=INHERITED,
        acquired=days,
        lost=NEVER,
    )


def estates_settled_today(state: State, rates: dict[str, float], rng: Generator) -> None:
    """Some heirs register what the dead left them."""
    waiting = np.flatnonzero(open_titles(state) & (_died(state) < state.today - 30)) + 1
    waiting = waiting[rng.random(len(waiting)) < rates["daily_estates"]]
    new = inherit(state, waiting, np.full(len(waiting), state.today))
    state.touch(TITLE, waiting)
    state.add(TITLE, new)


def _entitle_firms(state: State, rng: Generator) -> None:
    """Shops belong to the firms in them, empty flats that nobody bought to their developers."""
    home, firm = state["property_home"], state["firm"]
    shops = np.flatnonzero(home["form"] == SHOP)
    unsold = np.flatnonzero((home["form"] == FLAT) & (home["household"] == 0))
    titled = np.isin(unsold + 1, state["property_title"]["home"])
    unsold = unsold[~titled]
    units = np.r_[shops, unsold]
    state["property_title"].append(
        home=units + 1,
        person=0,
        firm=np.r_[home["firm"][shops], rng.integers(1, len(firm) + 1, len(unsold))],
        share=100,
        way=FIRST,
        acquired=home["since"][units],
        lost=NEVER,
    )


def _mortgage_city(state: State, rates: dict[str, float], rng: Generator) -> None:
    title = state["property_title"]
    recent = title["acquired"] > state.today - 20 * YEAR
    mortgaged = open_titles(state) & recent & (title["person"] > 0) & (title["share"] >= _EQUAL)
    _, first = np.unique(title["home"], return_index=True)
    one_a_home = np.zeros(len(title), dtype=bool)
    one_a_home[first] = True
    rows = np.flatnonzero(mortgaged & one_a_home & (rng.random(len(title)) < rates["mortgaged"]))
    ids = mortgage(state, title["home"][rows], title["person"][rows], title["acquired"][rows], rng)
    table = state["property_mortgage"]
    due = table["started"] + (table["months"] * YEAR / 12).astype(np.int64)
    early = table["started"] + (rng.random(len(ids)) * (state.today - table["started"])).astype(np.int64)
    released = np.where(rng.random(len(ids)) < 0.2, early, NEVER)
    table["released"][:] = np.where(due <= state.today, due, released)


def mortgage(state: State, homes: Column, persons: Column, days: Column, rng: Generator) -> Ints:
    """Mortgage homes from the given days, most of those who save with the fund to it; returns the ids."""
    count, saves = len(homes), fund.account_of(state, persons) > 0
    return state["property_mortgage"].append(
        home=homes,
        person=persons,
        lender=np.where(saves & (rng.random(count) < 0.75), FUND, rng.integers(1, len(LENDERS), count)),
        amount=rng.integers(20, 90, count) * 1_000_000,
        started=days,
        months=rng.choice([120, 180, 240, 300, 360], count),
        released=NEVER,
    )


def release_today(state: State, rates: dict[str, float], rng: Generator) -> None:
    """Mortgages are paid off, in time or before."""
    table = state["property_mortgage"]
    due = table["started"] + (table["months"] * YEAR / 12).astype(np.int64)
    early = rng.random(len(table)) < rates["daily_releases"]
    rows = np.flatnonzero((table["released"] == NEVER) & (early | (due <= state.today)))
    table["released"][rows] = state.today
    state.touch(MORTGAGE, rows + 1)
