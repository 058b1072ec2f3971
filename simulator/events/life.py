"""Birth, death, marriage, divorce, arrival and departure."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from simulator import codes, identity, names
from simulator.events import homes
from simulator.population import YEAR, elsewhere
from simulator.rates import Lateness
from simulator.state import State, late_days, shown_on
from simulator.table import NEVER, Column, Ints

_BOOKKEEPING_DAYS = 60  # at most so long after a death or departure an award is stopped


def die(state: State, persons: Column, days: Column, lateness: Lateness, rng: Generator) -> None:
    """Let persons die on the given days; at most one of health and police hears of it late, or never."""
    if not len(persons):
        return
    person = state["person"]
    at = np.asarray(persons) - 1
    days = np.asarray(days, dtype=np.int64)
    person["resident"][at], person["died"][at] = False, days
    late = rng.integers(1, lateness.days + 1, len(at))
    u, police_side = rng.random(len(at)), rng.random(len(at)) < 0.5
    delayed = np.where(u < lateness.death_one_source, np.minimum(days + late, NEVER - 1), days)
    delayed = np.where(u > 1 - lateness.death_never, NEVER, delayed)
    health, police = np.where(police_side, days, delayed), np.where(police_side, delayed, days)
    rows = state["death"].append(person=persons, died=days, health_shown=health, police_shown=police)
    _end_marriages(state, at, days)
    homes.end_residence(state, persons, days)
    _close_memberships(state, persons, police)
    stop_work(state, persons, days)
    _schedule_award_stops(state, persons, days, codes.STOP_DEATH, rng)
    state.add("health.death", rows[health <= state.today])
    known = np.asarray(persons)[police <= state.today]
    state.add("police.cancellation", known)
    state.touch_persons(known)
    homes.replace_heads(state, person["household"][at])


def reveal_late_deaths(state: State) -> None:
    """Show what health or police hear of today, some days after the death."""
    death = state["death"]
    before = death["died"] < state.today
    state.add("health.death", np.flatnonzero(before & (death["health_shown"] == state.today)) + 1)
    known = death["person"][before & (death["police_shown"] == state.today)]
    state.add("police.cancellation", known)
    state.touch_persons(known)
    member = state["member"]
    rows = np.flatnonzero((member["left"] == state.today) & np.isin(member["person"], known)) + 1
    state.touch("police.household_member", rows)


def _end_marriages(state: State, at: Column, days: Column) -> None:
    person, marriage = state["person"], state["marriage"]
    ids = person["marriage"][at]
    ids, first = np.unique(ids[ids > 0], return_index=True)
    marriage["ended"][ids - 1] = days[person["marriage"][at] > 0][first]
    marriage["end_kind"][ids - 1] = codes.WIDOWED
    for side in ("husband", "wife"):
        person["marriage"][marriage[side][ids - 1] - 1] = 0


def _close_memberships(state: State, persons: Column, days: Column) -> None:
    """Close memberships on the day the police know."""
    member = state["member"]
    when = np.full(len(state["person"]), NEVER, dtype=np.int64)
    when[np.asarray(persons) - 1] = days
    rows = homes.open_memberships(state, persons)
    member["left"][rows - 1] = when[member["person"][rows - 1] - 1]
    state.touch("police.household_member", rows[member["left"][rows - 1] <= state.today])


def stop_work(state: State, persons: Column, days: Column) -> None:
    """End insurance and employment on the given days."""
    when = np.zeros(len(state["person"]), dtype=np.int64)
    when[np.asarray(persons) - 1] = days
    for name in ("insurance", "employment"):
        table = state[name]
        rows = np.flatnonzero((table["ended"] == NEVER) & np.isin(table["person"], persons))
        table["ended"][rows] = np.maximum(when[table["person"][rows] - 1], table["started"][rows])
        if name == "insurance":
            table["status"][rows] = codes.STOPPED
        state.touch(f"social_security.{name}", rows + 1)


def _schedule_award_stops(state: State, persons: Column, days: Column, reason: int, rng: Generator) -> None:
    award = state["award"]
    rows = np.flatnonzero((award["ended"] == NEVER) & np.isin(award["person"], persons))
    when = np.zeros(len(state["person"]), dtype=np.int64)
    when[np.asarray(persons) - 1] = days
    award["stops"][rows] = when[award["person"][rows] - 1] + rng.integers(1, _BOOKKEEPING_DAYS, len(rows))
    award["stop_reason"][rows] = reason


def leave(state: State, persons: Column, days: Column, lateness: Lateness, rng: Generator) -> None:
    """Let persons take their hukou out of the city on the given days."""
    if not len(persons):
        return
    person = state["person"]
    at = np.asarray(persons) - 1
    person["resident"][at], person["left"][at] = False, days
    homes.end_residence(state, persons, days)
    _close_memberships(state, persons, days)
    shown = shown_on(days, late_days(len(at), lateness.move, lateness.days, rng))
    moves = state["move"].append(
        person=persons, kind=codes.MOVED_OUT, origin=person["village"][at], target=-1, moved=days, shown=shown
    )
    state.add("police.move", moves[shown <= state.today])
    state.add("police.cancellation", persons)
    state.touch_persons(persons)
    _schedule_award_stops(state, persons, np.asarray(days), codes.STOP_LEFT, rng)
    homes.replace_heads(state, person["household"][at])


def arrive(state: State, count: int, lateness: Lateness, rng: Generator) -> Ints:
    """Let single adults move in from outside, each a new household; returns their ids."""
    if not count:
        return np.empty(0, dtype=np.int64)
    villages = rng.integers(0, len(state.places.village_township), count)
    rural = rng.random(count) < 0.4
    births = state.today - (rng.integers(20, 60, count) * YEAR).astype(np.int64) - rng.integers(0, 365, count)
    sexes = rng.integers(1, 3, count)
    first_id = len(state["person"]) + 1
    ids = np.arange(first_id, first_id + count)
    households = homes.found(state, villages, rural, ids, rng)
    _new_persons(
        state,
        elsewhere(count, rng),
        births,
        sexes,
        households,
        np.full(count, codes.HEAD),
        names.surnames(count, rng),
        identity.phones(count, rng),
        np.zeros(count, int),
        np.zeros(count, int),
        rng,
    )
    shown = shown_on(np.full(count, state.today), late_days(count, lateness.move, lateness.days, rng))
    moves = state["move"].append(
        person=ids, kind=codes.MOVED_IN, origin=-1, target=villages, moved=state.today, shown=shown
    )
    state.add("police.move", moves[shown == state.today])
    return ids


def bear(state: State, count: int, lateness: Lateness, rng: Generator) -> Ints:
    """Let married women bear children today; returns the children's ids."""
    person, marriage = state["person"], state["marriage"]
    age = (state.today - person["birth"]) / YEAR
    together = person["resident"] & (person["sex"] == 2) & (age > 21) & (age < 42) & (person["marriage"] > 0)
    recent = state["birth"]["mother"][state["birth"]["born"] > state.today - 300]
    together[recent[recent > 0] - 1] = False
    mothers = rng.permutation(np.flatnonzero(together))[:count] + 1
    fathers = marriage["husband"][person["marriage"][mothers - 1] - 1]
    if not len(mothers):
        return np.empty(0, dtype=np.int64)
    sexes = np.where(rng.random(len(mothers)) < 0.52, 1, 2)
    households = person["household"][mothers - 1]
    districts = state.places.district_numbers[state.places.village_district[person["village"][mothers - 1]]]
    relation_of_mother = person["relation"][mothers - 1]
    own = np.isin(relation_of_mother, (codes.HEAD, codes.SPOUSE))
    relations = np.where(own, np.where(sexes == 1, codes.SON, codes.DAUGHTER), codes.GRANDCHILD)
    ids = _new_persons(
        state,
        districts,
        np.full(len(mothers), state.today),
        sexes,
        households,
        relations,
        person["surname"][fathers - 1],
        np.zeros(len(mothers), int),
        mothers,
        fathers,
        rng,
    )
    shown = shown_on(np.full(len(ids), state.today), late_days(len(ids), lateness.birth, lateness.days, rng))
    rows = state["birth"].append(person=ids, mother=mothers, father=fathers, born=state.today, shown=shown)
    state.add("health.birth", rows[shown == state.today])
    return ids


def _new_persons(
    state: State,
    regions: Column,
    births: Column,
    sexes: Column,
    households: Column,
    relations: Column,
    surnames: Column,
    phones: Column,
    mothers: Column,
    fathers: Column,
    rng: Generator,
) -> Ints:
    first, second = names.given_names(sexes, rng)
    household = state["household"]
    at = np.asarray(households) - 1
    numbers = identity.resident_numbers(regions, births, sexes, state["person"]["number"], rng)
    ids = state["person"].append(
        number=numbers,
        surname=surnames,
        given1=first,
        given2=second,
        sex=sexes,
        birth=births,
        nation=0,
        rural=household["rural"][at],
        village=household["village"][at],
        house=household["house"][at],
        household=households,
        relation=relations,
        phone=phones,
        resident=True,
        died=NEVER,
        left=NEVER,
        marriage=0,
        mother=mothers,
        father=fathers,
    )
    state["residence"].append(person=ids, village=household["village"][at], start=state.today, end=NEVER)
    members = state["member"].append(
        household=households, person=ids, relation=relations, joined=state.today, left=NEVER
    )
    state.add("police.resident", ids)
    state.add("police.household_member", members)
    return ids


def marry(state: State, count: int, lateness: Lateness, rng: Generator) -> None:
    """Marry single men and women of like age; each couple founds a household in the husband's village."""
    person = state["person"]
    age = (state.today - person["birth"]) / YEAR
    single = person["resident"] & (person["marriage"] == 0) & (age >= 22.1) & (age < 45)
    men, women = (rng.permutation(np.flatnonzero(single & (person["sex"] == sex)))[:count] for sex in (1, 2))
    pairs = min(len(men), len(women))
    men, women = (
        np.sort(side[:pairs])[np.argsort(age[np.sort(side[:pairs])], kind="stable")] for side in (men, women)
    )
    siblings = (person["mother"][men] > 0) & (person["mother"][men] == person["mother"][women])
    men, women = men[~siblings], women[~siblings]
    if not len(men):
        return
    shown = shown_on(
        np.full(len(men), state.today), late_days(len(men), lateness.marriage, lateness.days, rng)
    )
    ids = state["marriage"].append(
        husband=men + 1,
        wife=women + 1,
        registered=state.today,
        ended=NEVER,
        end_kind=0,
        shown=shown,
        end_shown=NEVER,
        office=person["village"][men],
        end_office=-1,
    )
    person["marriage"][men] = person["marriage"][women] = ids
    state.add("marriage_registry.registration", ids[shown == state.today] * 2)
    villages = person["village"][men]
    households = homes.found(state, villages, person["rural"][men], men + 1, rng)
    homes.join(state, men + 1, households, np.full(len(men), codes.HEAD), state.today)
    homes.join(state, women + 1, households, np.full(len(women), codes.SPOUSE), state.today)
    elsewhere_ = person["village"][women] != villages
    if elsewhere_.any():
        homes.relocate(state, women[elsewhere_] + 1, villages[elsewhere_], lateness, rng)


def divorce(state: State, count: int, rng: Generator) -> None:
    """End marriages; the wife founds a household of her own in the same village."""
    person, marriage = state["person"], state["marriage"]
    both = person["resident"][marriage["husband"] - 1] & person["resident"][marriage["wife"] - 1]
    running = np.flatnonzero(
        (marriage["ended"] == NEVER) & both & (marriage["registered"] < state.today - 30)
    )
    ids = rng.permutation(running)[:count] + 1
    if not len(ids):
        return
    marriage["ended"][ids - 1] = marriage["end_shown"][ids - 1] = state.today
    marriage["end_kind"][ids - 1] = codes.DIVORCED
    marriage["end_office"][ids - 1] = person["village"][marriage["husband"][ids - 1] - 1]
    wives = marriage["wife"][ids - 1]
    person["marriage"][wives - 1] = person["marriage"][marriage["husband"][ids - 1] - 1] = 0
    state.add("marriage_registry.registration", ids * 2 + 1)
    at = wives - 1
    households = homes.found(state, person["village"][at], person["rural"][at], wives, rng)
    homes.join(state, wives, households, np.full(len(wives), codes.HEAD), state.today)
