"""Households and places of residence: new households, joining one, heads, moving."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from simulator import codes
from simulator.rates import Lateness
from simulator.state import State, late_days, shown_on
from simulator.table import NEVER, Column, Ints


def open_memberships(state: State, persons: Column) -> Ints:
    """Return the ids of the current membership rows of persons."""
    member = state["member"]
    return np.flatnonzero((member["left"] == NEVER) & np.isin(member["person"], persons)) + 1


def found(state: State, villages: Column, rural: Column, heads: Column, rng: Generator) -> Ints:
    """Create households and return their ids; the heads still have to join."""
    return state["household"].append(
        village=villages, head=heads, rural=rural, house=rng.integers(1, 1000, len(villages))
    )


def join(state: State, persons: Column, households: Column, relations: Column, day: int) -> None:
    """Move persons from their household to another in the police's books; heads left behind are replaced."""
    person, member = state["person"], state["member"]
    at = np.asarray(persons) - 1
    former = np.unique(person["household"][at])
    closed = open_memberships(state, persons)
    member["left"][closed - 1] = day
    state.touch("police.household_member", closed)
    person["household"][at] = households
    person["house"][at] = state["household"]["house"][np.asarray(households) - 1]
    person["relation"][at] = relations
    person["rural"][at] = state["household"]["rural"][np.asarray(households) - 1]
    added = member.append(household=households, person=persons, relation=relations, joined=day, left=NEVER)
    state.add("police.household_member", added)
    state.touch_persons(persons)
    # Social security repeats the hukou of those it insures.
    insured = np.isin(state["insurance"]["person"], persons)
    state.touch("social_security.insurance", np.flatnonzero(insured) + 1)
    replace_heads(state, former)


def replace_heads(state: State, households: Column) -> None:
    """Give each household without a living head one.

    The spouse, else the eldest; an empty household has head 0.
    """
    person, household = state["person"], state["household"]
    households = np.unique(households[households > 0])
    heads = household["head"][households - 1]
    here = (heads > 0) & person["resident"][heads - 1] & (person["household"][heads - 1] == households)
    headless = households[~here]
    if not len(headless):
        return
    household["head"][headless - 1] = 0
    people = np.flatnonzero(person["resident"] & np.isin(person["household"], headless))
    if not len(people):
        return
    home = person["household"][people]
    order = np.lexsort((person["birth"][people], person["relation"][people] != codes.SPOUSE, home))
    people, home = people[order], home[order]
    first = np.r_[True, home[1:] != home[:-1]]
    was_spouse = (person["relation"][people] == codes.SPOUSE)[first][np.cumsum(first) - 1]
    child = np.isin(person["relation"][people], (codes.SON, codes.DAUGHTER))
    relation = np.where(was_spouse & child, person["relation"][people], codes.OTHER)
    relation[first] = codes.HEAD
    household["head"][home[first] - 1] = people[first] + 1
    _set_relations(state, people + 1, relation)


def _set_relations(state: State, persons: Column, relations: Column) -> None:
    person, member = state["person"], state["member"]
    person["relation"][persons - 1] = relations
    rows = open_memberships(state, persons)
    member["relation"][rows - 1] = person["relation"][member["person"][rows - 1] - 1]
    state.touch("police.household_member", rows)
    state.touch_persons(persons)


def relocate(state: State, persons: Column, villages: ArrayLike, lateness: Lateness, rng: Generator) -> None:
    """Move persons to other villages of the city today: truth, residence history, move record."""
    person, residence = state["person"], state["residence"]
    at = np.asarray(persons) - 1
    target = np.broadcast_to(np.asarray(villages), at.shape)
    origin = person["village"][at].copy()
    end_residence(state, persons, state.today)
    residence.append(person=persons, village=target, start=state.today, end=NEVER)
    person["village"][at] = target
    person["house"][at] = state["household"]["house"][person["household"][at] - 1]
    late = late_days(len(at), lateness.move, lateness.days, rng)
    shown = shown_on(np.full(len(at), state.today), late)
    moves = state["move"].append(
        person=persons, kind=codes.MOVED_WITHIN, origin=origin, target=target, moved=state.today, shown=shown
    )
    state.add("police.move", moves[shown == state.today])
    state.touch_persons(persons)


def end_residence(state: State, persons: Column, days: ArrayLike) -> None:
    """Close the open residence of each person on the given days (one for all, or one each)."""
    residence = state["residence"]
    ends = np.full(len(state["person"]), NEVER, dtype=np.int64)
    ends[np.asarray(persons) - 1] = days
    rows = np.flatnonzero((residence["end"] == NEVER) & np.isin(residence["person"], persons))
    residence["end"][rows] = np.maximum(ends[residence["person"][rows] - 1], residence["start"][rows])


def people_of(state: State, households: Column) -> Ints:
    """Return the living residents of households."""
    person = state["person"]
    return np.flatnonzero(person["resident"] & np.isin(person["household"], households)) + 1


def move_households(
    state: State, households: Column, villages: Column, lateness: Lateness, rng: Generator
) -> None:
    """Move whole households within the city today."""
    if not len(households):
        return
    household = state["household"]
    household["village"][households - 1] = villages
    household["house"][households - 1] = rng.integers(1, 1000, len(households))
    target = np.zeros(len(household), dtype=np.int64)
    target[households - 1] = villages
    people = people_of(state, households)
    relocate(state, people, target[state["person"]["household"][people - 1] - 1], lateness, rng)
