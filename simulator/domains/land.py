"""Land: what rural households have contracted, and the subsidies they draw for it, some for too much."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
from numpy.random import Generator

from simulator.calendar import parts, to_days
from simulator.domains.domain import Domain
from simulator.domains.land_tables import SEASONS, TABLES, truth
from simulator.population import YEAR
from simulator.rates import Rates
from simulator.state import BOOL, I8, I32, I64, State
from simulator.systems.system import System
from simulator.table import Column, Ints

NAME = "land"
SCHEMA = {
    # Areas are hundredths of a mu. numbered: the register has the contractor's ID number; year_only: and of
    # an unnumbered one's birth only the year. follows: the contract this one goes on from (0: none).
    "land_contract": {
        "person": I32, "spouse": I32, "household": I32, "village": I32, "started": I32, "ended": I32,
        "area": I32, "parcels": I8, "numbered": BOOL, "year_only": BOOL, "follows": I32,
    },
    "land_subsidy": {
        "contract": I32, "person": I32, "year": I32, "season": I8, "area": I32, "over": I32, "amount": I64,
        "paid": I32, "linked": BOOL,
    },
}  # fmt: skip
_RATES_FEN = np.array([125, 15])  # a hundredth of a mu
_FIRST_TERM = (to_days(date(1998, 10, 1)), to_days(date(2027, 9, 30)))
_SECOND_TERM = (to_days(date(2027, 10, 1)), to_days(date(2057, 9, 30)))
_YEARS_PAID = 3


def _found(state: State, rates: Rates) -> None:
    rate, rng = rates.of(NAME), state.rng_of(NAME)
    household = state["household"]
    rural = household["rural"] & (household["head"] > 0)
    homes = np.flatnonzero(rural & (rng.random(len(household)) < rate["contracted"])) + 1
    _contract(state, homes, np.full(len(homes), _FIRST_TERM[0]), rate, rng)
    _extend(state, rate["piloted"], rng)
    this_year = int(parts(np.array([state.today]))[0][0])
    for year in range(this_year - _YEARS_PAID, this_year):
        for season in range(len(SEASONS)):
            first = to_days(date(year, 6 if season == 0 else 10, 1))
            contracts = _entitled(state, first)
            chosen = contracts[rng.random(len(contracts)) < rate[f"drawn_{season}"]]
            _pay(state, chosen, year, season, first + rng.integers(0, 60, len(chosen)), rate, rng)


def _contract(state: State, homes: Ints, started: Column, rate: Mapping[str, float], rng: Generator) -> Ints:
    """Contract land to households: to their eldest, from the day that one is grown up."""
    person = state["person"]
    contractor = _eldest(state)[homes - 1]
    homes, started, contractor = homes[contractor > 0], started[contractor > 0], contractor[contractor > 0]
    grown = person["birth"][contractor - 1] + int(20 * YEAR)
    count = len(homes)
    numbered = rng.random(count) >= rate["numberless"]
    return state["land_contract"].append(
        person=contractor,
        spouse=_spouses(state, contractor),
        household=homes,
        village=state["household"]["village"][homes - 1],
        started=np.minimum(np.maximum(started, grown), state.today),
        ended=_FIRST_TERM[1],
        area=np.round(np.clip(rng.gamma(4.0, 1.6, count), 0.5, 40) * 100).astype(np.int64),
        parcels=rng.integers(1, 8, count),
        numbered=numbered,
        year_only=~numbered & (rng.random(count) < rate["year_only"]),
        follows=0,
    )


def _eldest(state: State) -> Ints:
    """Return the eldest living resident of each household; 0 for one without."""
    person = state["person"]
    eldest = np.zeros(len(state["household"]), dtype=np.int64)
    people = np.flatnonzero(person["resident"] & (state.today - person["birth"] > 20 * YEAR))
    people = people[np.argsort(-person["birth"][people], kind="stable")]
    eldest[person["household"][people] - 1] = people + 1
    return eldest


def _spouses(state: State, persons: Column) -> Ints:
    marriage, ids = state["marriage"], state.person("marriage", persons)
    at = np.maximum(ids, 1) - 1
    other = np.where(marriage["husband"][at] == persons, marriage["wife"][at], marriage["husband"][at])
    return np.where(ids > 0, other, 0).astype(np.int64)


def _extend(state: State, share: float, rng: Generator) -> None:
    """In pilot villages the next term is contracted already; it goes on from the first."""
    contract = state["land_contract"]
    pilot = rng.random(len(state.places.village_codes)) < share
    chosen = np.flatnonzero(pilot[contract["village"]])
    values = {name: contract[name][chosen] for name in contract.names}
    contract.append(
        **values
        | {
            "started": np.full(len(chosen), _SECOND_TERM[0]),
            "ended": np.full(len(chosen), _SECOND_TERM[1]),
            "follows": chosen + 1,
        }
    )


def _entitled(state: State, day: int) -> Ints:
    contract = state["land_contract"]
    return np.flatnonzero((contract["started"] <= day) & (contract["ended"] >= day)) + 1


def _pay(
    state: State,
    contracts: Ints,
    year: int,
    season: int,
    paid: Column,
    rate: Mapping[str, float],
    rng: Generator,
) -> Ints:
    """Pay a subsidy for contracts; some draw it for more land than they have."""
    contract, count = state["land_contract"], len(contracts)
    true = contract["area"][contracts - 1].astype(np.int64)
    over = np.where(
        rng.random(count) < rate["overclaimed"],
        (true * rng.uniform(0.1, 0.8, count)).astype(np.int64) + 20,
        0,
    )
    return state["land_subsidy"].append(
        contract=contracts,
        person=contract["person"][contracts - 1],
        year=year,
        season=season,
        area=true + over,
        over=over,
        amount=(true + over) * _RATES_FEN[season],
        paid=paid,
        # Only what a number names can be found without the contract's number.
        linked=(rng.random(count) >= rate["unlinked"]) | ~contract["numbered"][contracts - 1],
    )


def _change(state: State, rates: Rates) -> None:
    """A day: areas measured anew, a few new contracts, and subsidies of the year paid as they come in."""
    rate, rng = rates.of(NAME), state.rng_of(NAME)
    contract, subsidy = state["land_contract"], state["land_subsidy"]
    measured = np.flatnonzero((contract["follows"] == 0) & (rng.random(len(contract)) < rate["measured"]))
    contract["area"][measured] += rng.integers(1, 60, len(measured))
    # Claims are judged by the land there is now: a larger area makes an overclaim smaller, or none.
    subsidy["over"][:] = np.maximum(subsidy["area"] - contract["area"][subsidy["contract"] - 1], 0)
    state.touch("agriculture.land_contract", measured + 1)
    household = state["household"]
    free = np.setdiff1d(
        np.flatnonzero(household["rural"] & (household["head"] > 0)) + 1, contract["household"]
    )
    homes = free[rng.random(len(free)) < rate["newly_contracted"]]
    state.add(
        "agriculture.land_contract", _contract(state, homes, np.full(len(homes), state.today), rate, rng)
    )
    year = int(parts(np.array([state.today]))[0][0])
    paid = subsidy["contract"][(subsidy["year"] == year) & (subsidy["season"] == 0)]
    waiting = np.setdiff1d(_entitled(state, state.today), paid)
    alive = state["person"]["resident"][state["land_contract"]["person"][waiting - 1] - 1]
    waiting = waiting[alive & (rng.random(len(waiting)) < rate["paid"])]
    state.add(
        "agriculture.subsidy", _pay(state, waiting, year, 0, np.full(len(waiting), state.today), rate, rng)
    )


DOMAIN = Domain(NAME, SCHEMA, _found, _change, (System("agriculture", TABLES),), truth)
