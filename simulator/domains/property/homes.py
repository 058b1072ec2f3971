"""Homes and shops as units with an address, and which household lives in which."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.random import Generator

from simulator.domains.property.schema import FLAT, HOUSE, SHOP
from simulator.state import State
from simulator.table import Column, Ints, Mask
from simulator.text import Strings, join, padded, pick

_FLATS_A_STAIR = 12  # six floors of two


def settle(state: State, rates: dict[str, float], rng: Generator) -> None:
    """Give every household of a new city a home, and add empty homes and the shops of firms."""
    household, firm = state["household"], state["firm"]
    lived_in = np.flatnonzero(household["head"] > 0)
    form = _forms(household["rural"][lived_in], rng)
    since = state.today - rng.integers(120, 6000, len(lived_in))
    build(state, household["village"][lived_in], household["house"][lived_in], form, since, lived_in + 1, rng)
    empty = int(rates["empty_homes"] * len(lived_in))
    like = rng.choice(lived_in, size=empty)
    since = state.today - rng.integers(120, 3000, empty)
    nobody = np.zeros(empty, dtype=np.int64)
    form = _forms(household["rural"][like], rng)
    build(state, household["village"][like], rng.integers(1, 1000, empty), form, since, nobody, rng)
    shops = np.flatnonzero(rng.random(len(firm)) < rates["firms_with_shop"])
    since = np.minimum(firm["established"][shops] + 10, state.today - 5)
    forms, nobody = np.full(len(shops), SHOP), np.zeros(len(shops), dtype=np.int64)
    new = build(state, firm["village"][shops], firm["house"][shops], forms, since, nobody, rng)
    state["property_home"]["firm"][new - 1] = shops + 1


def _forms(rural: Mask, rng: Generator) -> Ints:
    return np.where(rng.random(len(rural)) < np.where(rural, 0.08, 0.88), FLAT, HOUSE)


def build(
    state: State, villages: Column, numbers: Column, forms: Column, days: Column, households: Column,
    rng: Generator,
) -> Ints:  # fmt: skip
    """Add homes, lived in by households (0: nobody) since the given days; returns their ids."""
    typical = np.array([11_000, 9_800, 15_000])[np.asarray(forms)]
    area = (typical * np.exp(rng.normal(0, 0.25, len(typical)))).astype(np.int64)
    return state["property_home"].append(
        village=villages,
        building=numbers,
        place=_places(state, villages, numbers, forms),
        form=forms,
        area=area,
        built=np.asarray(days) - rng.integers(0, 2500, len(typical)),
        household=households,
        firm=0,
        since=days,
    )


def _places(state: State, villages: Column, numbers: Column, forms: Column) -> Ints:
    """Return the place of each new home among those of its building: no two homes have one address."""
    home = state["property_home"]
    old = _building(home["village"], home["building"], home["form"])
    new = _building(villages, numbers, forms)
    standing, count = np.unique(old, return_counts=True)
    order = np.argsort(new, kind="stable")
    ranked = new[order]
    first = np.searchsorted(ranked, ranked, side="left")
    rank = np.empty(len(new), dtype=np.int64)
    rank[order] = np.arange(len(new)) - first
    if not len(standing):
        return rank
    at = np.minimum(np.searchsorted(standing, new), len(standing) - 1)
    return np.asarray(rank + np.where(standing[at] == new, count[at], 0))


def _building(villages: Column, numbers: Column, forms: Column) -> Ints:
    return (np.asarray(villages, dtype=np.int64) * 1000 + numbers) * 3 + forms


def address(state: State, homes: Column) -> Strings:
    """Return addresses: district, township, village, number, and stair and room of flats."""
    home, at = state["property_home"], np.asarray(homes) - 1
    place, form = home["place"][at].astype(np.int64), home["form"][at]
    flat = place + home["building"][at] * 7 % (3 * _FLATS_A_STAIR)
    stair, door = flat // _FLATS_A_STAIR + 1, flat % _FLATS_A_STAIR
    room = (door // 2 + 1) * 100 + door % 2 + 1
    of_flat = join("号楼", _text(stair), "单元", _text(room), "室")
    of_shop = join("号", _text(place + 1), "铺")
    of_house = pc.if_else(pa.array(place == 0), "号", join("号", _text(place + 1), "户"))
    ending = pc.if_else(
        pa.array(form == FLAT), of_flat, pc.if_else(pa.array(form == SHOP), of_shop, of_house)
    )
    return join(state.places.full_name(home["village"][at]), _text(home["building"][at]), ending)


def _text(numbers: Column) -> Strings:
    return pc.cast(pa.array(numbers), pa.string())


def unit_no(state: State, homes: Column) -> Strings:
    """Return real-estate unit numbers of 28 characters, beginning with the village's code."""
    home, at = state["property_home"], np.asarray(homes) - 1
    village = state.places.village_code(home["village"][at])
    return join(village, "GB", padded(home["building"][at], 5), "F", padded(np.asarray(homes), 8))


def village_code(state: State, homes: Column) -> Strings:
    """Return the codes of the homes' villages."""
    return state.places.village_code(state["property_home"]["village"][np.asarray(homes) - 1])


def township_code(state: State, homes: Column) -> Strings:
    """Return the codes of the homes' townships."""
    return state.places.township_code(state["property_home"]["village"][np.asarray(homes) - 1])


def use(forms: Column, labels: tuple[str, ...]) -> Strings:
    """Return what units are for."""
    return pick(labels, np.asarray(forms).astype(np.int64))


def leave_homes(state: State) -> None:
    """Empty the homes whose household is no more or lives elsewhere."""
    home, household = state["property_home"], state["household"]
    lived_in = np.flatnonzero(home["household"] > 0)
    by = home["household"][lived_in] - 1
    stays = (
        (household["head"][by] > 0)
        & (household["village"][by] == home["village"][lived_in])
        & (household["house"][by] == home["building"][lived_in])
    )
    left = lived_in[~stays]
    home["household"][left], home["since"][left] = 0, state.today


def homeless(state: State) -> Ints:
    """Return the households with people but without a home."""
    housed = np.zeros(len(state["household"]) + 1, dtype=bool)
    housed[state["property_home"]["household"]] = True
    return np.flatnonzero((state["household"]["head"] > 0) & ~housed[1:]) + 1


def vacant_nearby(state: State, households: Ints) -> Ints:
    """Return for each household an empty home of its village, 0 if there is none; no home twice."""
    home = state["property_home"]
    free = np.flatnonzero((home["household"] == 0) & (home["form"] != SHOP) & (home["since"] < state.today))
    villages = state["household"]["village"][households - 1]
    free = free[np.isin(home["village"][free], villages)]
    offered, wanted = _ranked(home["village"][free]), _ranked(villages)
    order = np.argsort(offered, kind="stable")
    at = np.searchsorted(offered[order], wanted)
    at = np.minimum(at, max(len(order) - 1, 0))
    found = offered[order][at] == wanted if len(order) else np.zeros(len(wanted), dtype=bool)
    return np.where(found, free[order][at] + 1, 0) if len(order) else np.zeros(len(wanted), dtype=np.int64)


def _ranked(villages: Column) -> Ints:
    """Return a number of village and rank within the village, the same for the n-th of each side."""
    villages = np.asarray(villages, dtype=np.int64)
    order = np.argsort(villages, kind="stable")
    ranked = villages[order]
    rank = np.empty(len(villages), dtype=np.int64)
    rank[order] = np.arange(len(villages)) - np.searchsorted(ranked, ranked, side="left")
    return villages * 1_000_000 + rank


def enter_homes(state: State, homes: Ints, households: Ints) -> None:
    """Let households live in homes from today; the police write the new house number."""
    home = state["property_home"]
    home["household"][homes - 1], home["since"][homes - 1] = households, state.today
    state["household"]["house"][households - 1] = home["building"][homes - 1]
    person = state["person"]
    people = np.flatnonzero(state.living() & np.isin(person["household"], households)) + 1
    person["house"][people - 1] = state["household"]["house"][person["household"][people - 1] - 1]
    state.touch_persons(people)
