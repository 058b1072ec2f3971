"""Addresses and offices as they were called on the day: former counties, communes, brigades."""

from __future__ import annotations

from datetime import date
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.calendar import to_days
from simulator.places import Places
from simulator.state import State
from simulator.table import Column, Ints
from simulator.text import Strings, join, pick

_COMMUNES, _TOWNSHIPS, _TODAY = (to_days(date(*day)) for day in ((1958, 9, 1), (1984, 5, 1), (2000, 1, 1)))
_REVOLUTION, _ORDER = (to_days(date(*day)) for day in ((1968, 1, 1), (1980, 1, 1)))
_BUREAUS = to_days(date(2003, 10, 1))  # since then districts register marriages, not townships
_TOWN_ENDINGS = ("街道办事处", "街道", "镇", "乡")
_VILLAGE_ENDINGS = (
    "社区居委会",
    "社区居民委员会",
    "村民委员会",
    "居民委员会",
    "村委会",
    "居委会",
    "社区",
    "村",
)
# Endings of townships and villages by era: 1957, communes, townships; then as today.
_TOWNS, _VILLAGES = ("乡", "公社", "镇", ""), ("村", "大队", "村", "")


def _era(days: Column) -> Ints:
    return np.digitize(days, [_COMMUNES, _TOWNSHIPS, _TODAY])


def _stem(name: str, endings: tuple[str, ...]) -> str:
    ending = next((it for it in endings if name.endswith(it) and len(name) > len(it) + 1), "")
    return name.removesuffix(ending)


@cache
def _stems(names: tuple[str, ...], endings: tuple[str, ...]) -> pa.Array:
    return pa.array([_stem(name, endings) for name in names], pa.string())


def _then(
    names: pa.Array, endings: tuple[str, ...], suffixes: tuple[str, ...], at: Ints, era: Ints
) -> Strings:
    stems = _stems(tuple(names.to_pylist()), endings)
    old = join(pick(stems, at), pick(suffixes, era))
    return pc.if_else(pa.array(era == len(suffixes) - 1), pick(names, at), old)


def _towns(places: Places, villages: Column, days: Column) -> Strings:
    at = places.village_township[villages]
    # Every second of today's streets was one already: the old core of a city never was a commune.
    streets = np.array([name.endswith("街道") for name in places.township_names.to_pylist()], dtype=bool)
    era = np.where(streets[at] & (at % 2 == 0), len(_TOWNS) - 1, _era(days))
    return _then(places.township_names, _TOWN_ENDINGS, _TOWNS, at, era)


def _districts(places: Places, villages: Column, days: Column, salt: Column) -> Strings:
    """Return names of districts; where several became one, mostly the first of them."""
    district = places.village_district[villages]
    former = np.full(len(district), -1, dtype=np.int64)
    for number, it in enumerate(places.former):
        was = (places.district_numbers[district] == it.successor) & (np.asarray(days) < it.until)
        former = np.where(was & ((former < 0) | (salt % 8 == 0)), number, former)
    names = pa.array([it.name for it in places.former] or [""], pa.string())
    return pc.coalesce(pick(names, former), pick(places.district_names, district))


def address(state: State, villages: Column, days: Column, salt: Column) -> Strings:
    """Return home addresses: seldom without the district, often without the village."""
    places = state.places
    village = _then(places.village_names, _VILLAGE_ENDINGS, _VILLAGES, np.asarray(villages), _era(days))
    whole = np.asarray(salt) * 2_654_435_761 % 100
    return join(
        pc.if_else(pa.array(whole < 12), "", _districts(places, villages, days, salt)),
        _towns(places, villages, days),
        pc.if_else(pa.array(whole > 70), "", village),
    )


def office(state: State, villages: Column, days: Column, salt: Column) -> Strings:
    """Return the office that registered: the township's government of the time, since 2003 the district's."""
    places = state.places
    town = join(
        _towns(places, villages, days),
        pick(("人民政府", "革命委员会", "人民政府"), np.digitize(days, [_REVOLUTION, _ORDER])),
    )
    bureau = join(_districts(places, villages, days, salt), "民政局婚姻登记处")
    return pc.if_else(pa.array(np.asarray(days) >= _BUREAUS), bureau, town)
