"""Synthetic firms: the enterprise registry's content and people's employers."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from simulator import codes
from simulator.rates import DailyRates
from simulator.state import State
from simulator.table import Ints

BRANDS = "鑫泰华盛瑞丰恒源宏达永昌金龙海天新东方正兴隆顺康安利民福润嘉诚信远通博汇德亿百川"


def found_city(state: State, count: int) -> Ints:
    """Write the firms of a new city, founded in the last 45 years."""
    rng = state.rng(30)
    age = (rng.random(count) ** 1.5 * 45 * 365).astype(np.int64)
    return found(state, count, state.today - 30 - age, rng)


def found(state: State, count: int, established: Ints, rng: Generator) -> Ints:
    """Register firms; one older than the end of its district's former code may carry that code and name."""
    places = state.places
    village = rng.integers(0, len(places.village_township), count)
    district = places.district_numbers[places.village_district[village]]
    former = np.full(count, -1, dtype=np.int64)
    for position, change in enumerate(places.former):
        old = (district == change.successor) & (established < change.until) & (rng.random(count) < 0.5)
        former[old] = position
    former_codes = np.array([it.code for it in places.former] or [0], dtype=np.int64)
    serial = (np.arange(count) + len(state["firm"]) + 1) * 7919 + 10_000_000
    return state["firm"].append(
        district=np.where(former >= 0, former_codes[former], district),
        village=village,
        brand1=rng.integers(0, len(BRANDS), count),
        brand2=rng.integers(0, len(BRANDS), count),
        trade=rng.integers(0, len(codes.TRADES), count),
        form=rng.choice(len(codes.FIRM_FORMS), size=count, p=(0.72, 0.05, 0.03, 0.12, 0.08)),
        serial=serial % 10**8,
        established=established,
        capital=np.round(10 ** rng.normal(2.0, 0.8, count) * 10).astype(np.int64) + 1,
        currency=(rng.random(count) < 0.04).astype(np.int8),
        former=former,
        style=rng.integers(0, 12, count),
        house=rng.integers(1, 500, count),
    )


def change(state: State, daily: DailyRates, rng: Generator) -> None:
    """A day of the registry: new firms and changed capital."""
    firm = state["firm"]
    count = int(rng.poisson(len(firm) * daily.new_firms))
    if count:
        state.add("enterprise_registry.enterprise", found(state, count, np.full(count, state.today), rng))
    firm = state["firm"]
    changed = rng.permutation(len(firm))[: rng.poisson(len(firm) * daily.firm_changes)]
    firm["capital"][changed] = np.round(firm["capital"][changed] * 1.5).astype(np.int64)
    state.touch("enterprise_registry.enterprise", changed + 1)
