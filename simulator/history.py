"""What happened before the start: marriages, moves, deaths, departures, and the records they left."""

from __future__ import annotations

import numpy as np

from simulator import codes, identity
from simulator.events import life
from simulator.population import YEAR, elsewhere
from simulator.rates import Rates
from simulator.state import State, late_days, shown_on
from simulator.table import NEVER, Column, Ints

_TWO_YEARS = 730
_RECORDED_BIRTHS = 6 * 366  # days back to which birth certificates are kept


def write(state: State, rates: Rates, persons: int, spared: Ints) -> None:
    """Give the settled people their past; ``spared`` neither died nor left."""
    _marriages(state, rates)
    moved = _moves(state, rates)
    _memberships(state)
    _births(state, rates)
    _departures(state, rates, persons, np.union1d(spared, moved))


def _marriages(state: State, rates: Rates) -> None:
    rng = state.rng(2)
    person = state["person"]
    wives = np.flatnonzero(person["relation"] == codes.SPOUSE)
    husbands = state["household"]["head"][person["household"][wives] - 1] - 1
    youngest = np.maximum(
        person["birth"][wives] + int(20 * YEAR) + 5, person["birth"][husbands] + int(22 * YEAR) + 5
    )
    wished = youngest + rng.gamma(2.0, 900, len(wives)).astype(np.int64)
    first_child = np.full(len(person), NEVER, dtype=np.int64)
    born = np.flatnonzero(person["mother"] > 0)
    np.minimum.at(first_child, person["mother"][born] - 1, person["birth"][born])
    latest = np.minimum(first_child[wives], state.today) - 1 - rng.integers(0, 400, len(wives))
    registered = np.maximum(np.minimum(wished, latest), youngest)
    late = late_days(len(wives), rates.lateness.marriage, rates.lateness.days, rng)
    ids = state["marriage"].append(
        husband=husbands + 1,
        wife=wives + 1,
        registered=registered,
        ended=NEVER,
        end_kind=0,
        shown=shown_on(registered, late),
        end_shown=NEVER,
        office=person["village"][husbands],
        end_office=-1,
    )
    person["marriage"][wives] = ids
    person["marriage"][husbands] = ids
    _divorces(state, rates.city.divorced)


def _divorces(state: State, share: float) -> None:
    """Add ended marriages between people who now live apart."""
    rng = state.rng(3)
    person = state["person"]
    age = (state.today - person["birth"]) / YEAR
    single = (person["marriage"] == 0) & (age > 28) & (age < 65)
    men, women = (np.flatnonzero(single & (person["sex"] == sex)) for sex in (1, 2))
    count = min(len(men), len(women), int(share * len(person)))
    men, women = rng.permutation(men)[:count], rng.permutation(women)[:count]
    adult = np.maximum(person["birth"][men] + int(22 * YEAR) + 5, person["birth"][women] + int(20 * YEAR) + 5)
    span = np.maximum(state.today - 60 - adult, 2)
    registered = adult + (rng.random(count) * 0.5 * span).astype(np.int64)
    ended = registered + 1 + (rng.random(count) * (state.today - registered - 1)).astype(np.int64)
    state["marriage"].append(
        husband=men + 1,
        wife=women + 1,
        registered=registered,
        ended=ended,
        end_kind=codes.DIVORCED,
        shown=registered,
        end_shown=ended,
        office=person["village"][men],
        end_office=person["village"][men],
    )


def _moves(state: State, rates: Rates) -> Ints:
    """Write residence and moves of households that moved in the last two years; returns their people."""
    rng = state.rng(4)
    person, household = state["person"], state["household"]
    u = rng.random(len(household))
    within, inward = rates.city.household_moved, rates.city.household_moved_in
    kind = np.where(u < within, codes.MOVED_WITHIN, np.where(u < within + inward, codes.MOVED_IN, -1))
    day = state.today - rng.integers(1, _TWO_YEARS, len(household))
    former = rng.integers(0, len(state.places.village_township), len(household))
    home = person["household"] - 1
    moved = np.where(person["birth"] < day[home], kind[home], -1)
    came = moved == codes.MOVED_IN
    numbers = identity.resident_numbers(
        elsewhere(int(came.sum()), rng), person["birth"][came], person["sex"][came], person["number"], rng
    )
    person["number"][came] = numbers
    residence = state["residence"]
    old = np.flatnonzero(moved == codes.MOVED_WITHIN)
    residence.append(
        person=old + 1, village=former[home[old]], start=person["birth"][old], end=day[home[old]]
    )
    start = np.where(moved >= 0, day[home], person["birth"])
    residence.append(person=person.ids, village=person["village"], start=start, end=NEVER)
    mover = np.flatnonzero(moved >= 0)
    moved_on = day[home[mover]]
    state["move"].append(
        person=mover + 1,
        kind=moved[mover],
        origin=np.where(moved[mover] == codes.MOVED_WITHIN, former[home[mover]], -1),
        target=person["village"][mover],
        moved=moved_on,
        shown=shown_on(moved_on, late_days(len(mover), rates.lateness.move, rates.lateness.days, rng)),
    )
    return mover + 1


def _memberships(state: State) -> None:
    person = state["person"]
    wife = person["relation"] == codes.SPOUSE
    joined: Column = person["birth"].astype(np.int64)
    joined[wife] = state["marriage"]["registered"][person["marriage"][wife] - 1]
    state["member"].append(
        household=person["household"],
        person=person.ids,
        relation=person["relation"],
        joined=joined,
        left=NEVER,
    )


def _births(state: State, rates: Rates) -> None:
    rng = state.rng(5)
    person = state["person"]
    recent = np.flatnonzero((person["birth"] > state.today - _RECORDED_BIRTHS) & (person["mother"] > 0))
    late = late_days(len(recent), rates.lateness.birth, rates.lateness.days, rng)
    state["birth"].append(
        person=recent + 1,
        mother=person["mother"][recent],
        father=person["father"][recent],
        born=person["birth"][recent],
        shown=shown_on(person["birth"][recent], late),
    )


def _departures(state: State, rates: Rates, persons: int, spared: Ints) -> None:
    rng = state.rng(6)
    person = state["person"]
    free = np.ones(len(person), dtype=bool)
    free[spared - 1] = False
    free[_recent_family(state) - 1] = False
    surplus = len(person) - persons
    leaving = min(int(persons * rates.city.history_left), surplus)
    age = (state.today - person["birth"]) / YEAR
    risk = np.where(free & (age > 3), np.exp((age - 80) / 9), 0.0)
    dead = rng.choice(len(person), size=surplus - leaving, replace=False, p=risk / risk.sum())
    # Strangers to a household only: whole families leaving together are simulated from the first day on.
    drift = free & (age > 18) & (age < 50)
    drift[dead] = False
    left = rng.choice(np.flatnonzero(drift), size=leaving, replace=False)
    life.die(state, dead + 1, state.today - rng.integers(1, _TWO_YEARS, len(dead)), rates.lateness, rng)
    life.leave(state, left + 1, state.today - rng.integers(1, _TWO_YEARS, len(left)), rates.lateness, rng)


def _recent_family(state: State) -> Ints:
    """Return whoever married, divorced or became a parent in the last years: they lived until then."""
    marriage, birth = state["marriage"], state["birth"]
    since = state.today - _TWO_YEARS
    newlyweds = (marriage["registered"] > since) | (
        (marriage["ended"] > since) & (marriage["ended"] != NEVER)
    )
    parents = birth["born"] > since
    columns = [
        marriage["husband"][newlyweds],
        marriage["wife"][newlyweds],
        birth["mother"][parents],
        birth["father"][parents],
    ]
    people = np.unique(np.concatenate(columns))
    return people[people > 0].astype(np.int64)
