"""The people of a new city: ages, couples, children, parents, households, villages and ID numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from simulator import codes, identity, names
from simulator.calendar import to_date, to_days
from simulator.places import Places
from simulator.rates import CityRates
from simulator.state import State
from simulator.table import NEVER, Column, Ints, Mask

YEAR = 365.2425
# Shares of five-year age groups from 0, as of an ageing coastal prefecture (2020 census, rounded).
_PYRAMID = np.array(
    [3.2, 4.9, 4.6, 4.3, 4.0, 4.7, 7.0, 7.6, 6.6, 7.2, 9.2, 8.9, 7.0, 8.0, 5.8, 3.5, 2.0, 1.1, 0.35, 0.08]
)
_MEN_SHARE = np.interp(np.arange(0, 100, 5), [0, 20, 60, 80, 95], [0.53, 0.52, 0.495, 0.45, 0.35])
_MARRIED_MEN = ([22.3, 23, 27, 32, 37, 60, 72, 80, 90], [0.0, 0.08, 0.45, 0.78, 0.9, 0.9, 0.82, 0.7, 0.45])
_MARRIED_WOMEN = ([20.3, 22, 27, 32, 60, 70, 78, 90], [0.0, 0.15, 0.62, 0.9, 0.9, 0.75, 0.5, 0.15])
# Codes of birth of people from elsewhere: the districts of other provinces' capitals.
_ELSEWHERE = np.array(
    [110101, 120101, 210102, 220102, 230102, 310101, 320102, 340102, 410102, 420102, 510104, 610102]
)
SIXTY_WITHIN = 10  # days in which the planted 60th birthdays fall


@dataclass
class _Draft:
    """People while they are arranged: positions 0…n-1."""

    birth: Ints
    sex: Ints
    household: Ints
    relation: Ints
    spouse: Ints
    mother: Ints
    father: Ints
    households: int = 0


def settle(state: State, persons: int, rates: CityRates) -> Ints:
    """Fill persons and households of a new city.

    ``persons`` is the number of living residents; people who will have died or left by the start come on
    top. Returns the ids
    of men who turn 60 in the first days and are to be veterans.
    """
    rng = state.rng(1)
    total = persons + int(persons * rates.history_dead) + int(persons * rates.history_left)
    draft = _people(total, state.today, rng)
    sixties = _plant_sixties(draft, state.today, max(3, int(persons * rates.veteran_turning_sixty)), rng)
    _marry(draft, state.today, rng)
    _attach_children(draft, state.today, rng)
    _attach_parents(draft, state.today, rng)
    _single_households(draft)
    village, rural, house = _villages(state.places, draft, rates.rural_hukou, sixties, rng)
    _write(state, draft, village, rural, house, rng)
    return sixties + 1


def _people(count: int, today: int, rng: Generator) -> _Draft:
    group = rng.choice(len(_PYRAMID), size=count, p=_PYRAMID / _PYRAMID.sum())
    age = group * 5 + rng.random(count) * 5
    sex = np.where(rng.random(count) < _MEN_SHARE[group], 1, 2)
    none = np.zeros(count, dtype=np.int64)
    return _Draft(
        today - 1 - np.floor(age * YEAR).astype(np.int64),
        sex,
        none - 1,
        none + codes.OTHER,
        none - 1,
        none.copy(),
        none.copy(),
    )


def _plant_sixties(draft: _Draft, today: int, count: int, rng: Generator) -> Ints:
    age = (today - draft.birth) / YEAR
    candidates = np.flatnonzero((draft.sex == 1) & (age > 57) & (age < 63))
    chosen = np.sort(rng.permutation(candidates)[:count])
    when = to_date(today)
    sixty_years_ago = to_days(when.replace(year=when.year - 60, day=min(when.day, 28)))
    draft.birth[chosen] = sixty_years_ago + 1 + (np.arange(len(chosen)) % SIXTY_WITHIN)
    return chosen.astype(np.int64)


def _marry(draft: _Draft, today: int, rng: Generator) -> None:
    age = (today - draft.birth) / YEAR
    husbands, wives = (
        np.flatnonzero((draft.sex == sex) & (rng.random(len(age)) < np.interp(age, *curve, left=0.0)))
        for sex, curve in ((1, _MARRIED_MEN), (2, _MARRIED_WOMEN))
    )
    couples = min(len(husbands), len(wives))
    husbands = husbands[np.argsort(age[husbands] + rng.normal(0, 1.5, len(husbands)), kind="stable")]
    wives = wives[np.argsort(age[wives] + rng.normal(2, 1.5, len(wives)), kind="stable")]
    husbands = husbands[np.linspace(0, len(husbands) - 1, couples).astype(np.int64)]
    wives = wives[np.linspace(0, len(wives) - 1, couples).astype(np.int64)]
    draft.spouse[husbands], draft.spouse[wives] = wives, husbands
    draft.household[husbands] = draft.household[wives] = np.arange(couples)
    draft.relation[husbands], draft.relation[wives] = codes.HEAD, codes.SPOUSE
    draft.households = couples


def _match(targets: Column, births: Column, rng: Generator) -> tuple[Ints, Ints]:
    """Return for each target birth day a position among births near it, and the order of the births."""
    order = np.argsort(births, kind="stable")
    spread = max(1, len(order) // 400)
    place = np.searchsorted(births[order], targets) + rng.integers(-spread, spread + 1, len(targets))
    return order[np.clip(place, 0, len(order) - 1)], order


def _attach_children(draft: _Draft, today: int, rng: Generator) -> None:
    age = (today - draft.birth) / YEAR
    at_home = (age < 22) | ((age < 35) & (rng.random(len(age)) < 0.75))
    children = np.flatnonzero((draft.household < 0) & at_home)
    wives = np.flatnonzero((draft.spouse >= 0) & (draft.sex == 2))
    mother_age = np.clip(rng.normal(27, 4.5, len(children)), 21.5, 42) * YEAR
    chosen, _ = _match(draft.birth[children] - mother_age, draft.birth[wives], rng)
    mothers = wives[chosen]
    gap = (draft.birth[children] - draft.birth[mothers]) / YEAR
    father_gap = (draft.birth[children] - draft.birth[draft.spouse[mothers]]) / YEAR
    own = (gap >= 21) & (gap <= 45) & (father_gap >= 23) & (rng.random(len(gap)) > 0.002)
    draft.household[children] = draft.household[mothers]
    draft.relation[children] = np.where(
        own,
        np.where(draft.sex[children] == 1, codes.SON, codes.DAUGHTER),
        np.where(gap > 40, codes.GRANDCHILD, codes.OTHER),
    )
    draft.mother[children] = np.where(own, mothers + 1, 0)
    draft.father[children] = np.where(own, draft.spouse[mothers] + 1, 0)


def _attach_parents(draft: _Draft, today: int, rng: Generator) -> None:
    age = (today - draft.birth) / YEAR
    old = np.flatnonzero((draft.household < 0) & (age >= 65) & (rng.random(len(age)) < 0.45))
    heads = np.flatnonzero(draft.relation == codes.HEAD)
    younger = np.clip(rng.normal(27, 4, len(old)), 20, 40) * YEAR
    chosen, _ = _match(draft.birth[old] + younger, draft.birth[heads], rng)
    homes = draft.household[heads[chosen]]
    # One father and one mother a household: the others live alone.
    _, first = np.unique(homes * 2 + draft.sex[old] - 1, return_index=True)
    old, homes = old[first], homes[first]
    fits = draft.birth[heads[chosen[first]]] - draft.birth[old] >= 20 * YEAR
    old, homes = old[fits], homes[fits]
    draft.household[old] = homes
    draft.relation[old] = np.where(draft.sex[old] == 1, codes.FATHER, codes.MOTHER)


def _single_households(draft: _Draft) -> None:
    alone = np.flatnonzero(draft.household < 0)
    draft.household[alone] = draft.households + np.arange(len(alone))
    draft.relation[alone] = codes.HEAD
    draft.households += len(alone)


def _villages(
    places: Places, draft: _Draft, rural_share: float, sixties: Ints, rng: Generator
) -> tuple[Ints, Mask, Ints]:
    """Return village, hukou kind and house number of each household.

    Every township gets one if there are enough.
    """
    weights = np.cumsum(np.exp(rng.normal(0, 0.6, len(places.village_township))))
    village = np.searchsorted(weights, rng.random(draft.households) * weights[-1], side="right")
    village = np.minimum(village, len(weights) - 1)
    shuffled = rng.permutation(len(weights))
    _, first = np.unique(places.village_township[shuffled], return_index=True)
    one_each = shuffled[first]
    seats = min(len(one_each), draft.households)
    village[rng.permutation(draft.households)[:seats]] = one_each[:seats]
    score = places.ruralness()[village] * 0.45 + rng.random(draft.households)
    score[draft.household[sixties]] += 10
    rural = np.zeros(draft.households, dtype=bool)
    rural[np.argsort(-score, kind="stable")[: int(rural_share * draft.households)]] = True
    return village.astype(np.int64), rural, rng.integers(1, 1000, draft.households)


def _write(state: State, draft: _Draft, village: Ints, rural: Mask, house: Ints, rng: Generator) -> None:
    count = len(draft.birth)
    home = village[draft.household]
    district = state.places.district_numbers[state.places.village_district[home]]
    numbers = identity.resident_numbers(
        _birthplaces(state.places, district, rng), draft.birth, draft.sex, np.empty(0, np.int64), rng
    )
    surname = names.surnames(count, rng)
    surname = np.where(draft.father > 0, surname[draft.father - 1], surname)
    first, second = names.given_names(draft.sex, rng)
    nation = rng.choice(len(codes.NATIONS), size=count, p=codes.NATION_WEIGHTS)
    nation = np.where(draft.father > 0, nation[draft.father - 1], nation)
    age_days = state.today - draft.birth
    state["person"].append(
        number=numbers,
        surname=surname,
        given1=first,
        given2=second,
        sex=draft.sex,
        birth=draft.birth,
        nation=nation,
        rural=rural[draft.household],
        village=home,
        house=house[draft.household],
        household=draft.household + 1,
        relation=draft.relation,
        phone=np.where(age_days > 14 * YEAR, identity.phones(count, rng), 0),
        resident=True,
        died=NEVER,
        left=NEVER,
        marriage=0,
        mother=draft.mother,
        father=draft.father,
    )
    heads = np.flatnonzero(draft.relation == codes.HEAD)
    head = np.zeros(draft.households, dtype=np.int64)
    head[draft.household[heads]] = heads + 1
    state["household"].append(village=village, head=head, rural=rural, house=house)


def _birthplaces(places: Places, home: Ints, rng: Generator) -> Ints:
    """Return 6-digit codes of birth: mostly the home district, some another of the city, few elsewhere."""
    u = rng.random(len(home))
    other = places.district_numbers[rng.integers(0, len(places.district_codes), len(home))]
    return np.where(u < 0.86, home, np.where(u < 0.96, other, elsewhere(len(home), rng)))


def elsewhere(count: int, rng: Generator) -> Ints:
    """Return 6-digit codes of birth outside the city."""
    return np.asarray(_ELSEWHERE[rng.integers(0, len(_ELSEWHERE), count)], dtype=np.int64)
