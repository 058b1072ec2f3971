"""Where places lie: a centre for every village, derived from codes alone, and points around it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.random import Generator

from simulator.places import Places
from simulator.state import State
from simulator.table import Column, Ints
from simulator.text import Strings, join, padded, pick

# Degrees from the centre of the unit above, at most. A village is smaller than its township by an order.
_SPREAD = {"district": 0.6, "township": 0.15, "village": 0.03, "point": 0.006}
MICRO = 1_000_000  # positions are kept in millionths of a degree (CGCS2000)
ROADS = ("文化", "建设", "人民", "和平", "新华", "胜利", "东海", "南山", "长江", "黄河", "迎宾", "学府")
ROAD_KINDS = ("路", "街", "东路", "西路", "大街")


def plain(values: Column) -> Strings:
    """Write whole numbers as they are."""
    return pa.array(np.asarray(values, dtype=np.int64)).cast(pa.string())


def nobody(state: State, ids: Ints) -> Ints:
    """Places and firms are no persons."""
    return np.zeros(len(ids), dtype=np.int64)


def _share(codes: Ints, salt: int) -> Column:
    """Return a number from -1 to 1 for each code, always the same one."""
    mixed = (codes.astype(np.uint64) + np.uint64(salt)) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return (mixed >> np.uint64(40)).astype(np.float64) / 2**23 - 1


def village_centres(places: Places) -> tuple[Column, Column]:
    """Return longitude and latitude in degrees of each village's centre."""
    village = np.array([int(code) for code in places.village_codes.to_pylist()], dtype=np.int64)
    township, district = village // 1_000, village // 1_000_000
    city = district // 100
    lon = 112 + 8 * _share(city, 1)
    lat = 32 + 7 * _share(city, 2)
    for codes, level in ((district, "district"), (township, "township"), (village, "village")):
        lon = lon + _SPREAD[level] * _share(codes, 1)
        lat = lat + _SPREAD[level] * _share(codes, 2)
    return lon, lat


def points(state: State, villages: Column, rng: Generator) -> tuple[Ints, Ints]:
    """Return longitude and latitude, in millionths of a degree, of a point in each village."""
    lon, lat = village_centres(state.places)
    shift = rng.uniform(-_SPREAD["point"], _SPREAD["point"], (2, len(villages)))
    found = np.rint((np.stack([lon[villages], lat[villages]]) + shift) * MICRO).astype(np.int64)
    return found[0], found[1]


def location(lon: Column, lat: Column) -> Strings:
    """Write positions as the surveyors do: longitude, comma, latitude."""
    return join(_degrees(lon), _degrees(lat), separator=",")


def _degrees(micro: Column) -> Strings:
    whole, rest = np.divmod(np.asarray(micro, dtype=np.int64), MICRO)
    return join(plain(whole), padded(rest, 6), separator=".")


def road_name(roads: Column) -> Strings:
    """Return the names of roads by number."""
    roads = np.asarray(roads, dtype=np.int64)
    return join(pick(ROADS, roads % len(ROADS)), pick(ROAD_KINDS, roads // len(ROADS) % len(ROAD_KINDS)))


def address(state: State, villages: Column, roads: Column, numbers: Column) -> Strings:
    """Write full addresses: city, district, township, road and number."""
    places = state.places
    return join(
        places.city_name,
        places.district_name(villages),
        places.township_name(villages),
        road_name(roads),
        plain(numbers),
        "号",
    )
