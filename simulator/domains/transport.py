"""Transport: vehicles with their inspections, and the licences of those who carry goods and people."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.random import Generator

from simulator.domains import holders
from simulator.domains.domain import Domain
from simulator.domains.transport_tables import (
    BUS,
    CAR,
    DRIVER,
    FREIGHT,
    HEAVY_TRUCK,
    LIGHT_TRUCK,
    MOTORCYCLE,
    PASSENGERS,
    TABLES,
    TAXI,
    TAXIS,
    VAN,
    commercial,
    truth,
)
from simulator.population import YEAR
from simulator.rates import Rates
from simulator.state import I8, I32, State
from simulator.systems.system import System
from simulator.table import NEVER, Column, Ints

NAME = "transport"
SCHEMA = {
    "vehicle": {
        "person": I32, "firm": I32, "kind": I8, "village": I32, "registered": I32, "inspected_until": I32,
        "scrapped": I32,
    },
    "transport_licence": {
        "kind": I8, "person": I32, "firm": I32, "issued": I32, "until": I32, "revoked": I32,
    },
}  # fmt: skip

NEEDED = {HEAVY_TRUCK: FREIGHT, BUS: PASSENGERS, TAXI: TAXIS}
_LICENCE_YEARS = np.array([4, 4, 8, 6])
_TRANSPORT_TRADE = 9  # codes.TRADES
_MOTORCAR_YEARS = 2
_RENEWABLE_DAYS = 30  # so long before its end an inspection or licence is renewed, if at all


def _found(state: State, rates: Rates) -> None:
    rate, rng = rates.of(NAME), state.rng_of(NAME)
    person, firm = state["person"], state["firm"]
    age = (state.today - person["birth"]) / YEAR
    adult = person["resident"] & (age > 20) & (age < 72)
    for kind in (CAR, VAN, MOTORCYCLE, LIGHT_TRUCK, HEAVY_TRUCK, TAXI):
        owners = np.flatnonzero(adult & (rng.random(len(person)) < rate[f"owners_{kind}"])) + 1
        since = person["birth"][owners - 1] + int(18.5 * YEAR)
        _register(state, owners, np.zeros(len(owners), dtype=np.int64), kind, since, rng)
    for kind in (CAR, LIGHT_TRUCK, HEAVY_TRUCK, BUS, TAXI):
        many = rate[f"fleet_{kind}"] * np.where(
            firm["trade"] == _TRANSPORT_TRADE, rate["transport_fleet"], 1.0
        )
        firms = np.repeat(firm.ids, rng.poisson(many))
        _register(
            state, np.zeros(len(firms), dtype=np.int64), firms, kind, firm["established"][firms - 1], rng
        )
    vehicle = state["vehicle"]
    expired = rng.random(len(vehicle)) < rate["inspection_expired"]
    vehicle["inspected_until"][expired] = state.today - rng.integers(1, 400, int(expired.sum()))
    scrapped = np.flatnonzero(rng.random(len(vehicle)) < rate["scrapped_before"])
    vehicle["scrapped"][scrapped] = np.maximum(
        state.today - rng.integers(1, 700, len(scrapped)), vehicle["registered"][scrapped]
    )
    _license_operators(state, rate["licensed"], rng)
    drivers = np.flatnonzero(adult & (age < 60) & (rng.random(len(person)) < rate["drivers"])) + 1
    _license(
        state, DRIVER, drivers, np.zeros(len(drivers), dtype=np.int64), _past(state, DRIVER, drivers, rng)
    )
    licence = state["transport_licence"]
    revoked = np.flatnonzero(rng.random(len(licence)) < rate["revoked_before"])
    licence["revoked"][revoked] = np.maximum(
        state.today - rng.integers(1, 300, len(revoked)), licence["issued"][revoked]
    )


def _register(state: State, persons: Ints, firms: Ints, kind: int, since: Column, rng: Generator) -> None:
    """Register vehicles some time in the last twelve years, but not before their owner could."""
    registered = np.maximum(state.today - rng.integers(20, 4400, len(persons)), since)
    span = 365 if commercial(np.array(kind)) else _MOTORCAR_YEARS * 365
    state["vehicle"].append(
        person=persons,
        firm=firms,
        kind=kind,
        village=holders.villages(state, persons, firms),
        registered=np.minimum(registered, state.today - 1),
        inspected_until=state.today + rng.integers(1, span, len(persons)),
        scrapped=NEVER,
    )


def _past(state: State, kind: int, holders_: Column, rng: Generator) -> Ints:
    """Return days of issue in the past: some of the licences have run out meanwhile."""
    return state.today - rng.integers(5, int(_LICENCE_YEARS[kind] * 365 * 1.06), len(holders_))


def _license(state: State, kind: int, persons: Column, firms: Column, issued: Column) -> Ints:
    return state["transport_licence"].append(
        kind=kind,
        person=persons,
        firm=firms,
        issued=issued,
        until=np.asarray(issued) + _LICENCE_YEARS[kind] * 365,
        revoked=NEVER,
    )


def _license_operators(state: State, share: float, rng: Generator) -> None:
    """Give most owners of commercial vehicles the licence they need."""
    vehicle = state["vehicle"]
    for kind, needed in NEEDED.items():
        running = (vehicle["kind"] == kind) & (vehicle["scrapped"] == NEVER)
        owners = np.unique(np.stack([vehicle["person"][running], vehicle["firm"][running]]), axis=1)
        owners = owners[:, rng.random(owners.shape[1]) < share].astype(np.int64)
        _license(state, needed, owners[0], owners[1], _past(state, needed, owners[0], rng))


def _change(state: State, rates: Rates) -> None:
    """A day: inspections and licences renewed, vehicles sold, inherited, scrapped and registered."""
    rate, rng = rates.of(NAME), state.rng_of(NAME)
    _renew(state, rate, rng)
    _hand_over(state, rate, rng)
    vehicle, person = state["vehicle"], state["person"]
    running = np.flatnonzero(vehicle["scrapped"] == NEVER)
    gone = running[rng.random(len(running)) < rate["scrapped"]]
    vehicle["scrapped"][gone] = state.today
    state.touch("transport.vehicle", gone + 1)
    before = len(vehicle)
    age = (state.today - person["birth"]) / YEAR
    buyers = (
        np.flatnonzero(
            person["resident"] & (age > 20) & (age < 65) & (rng.random(len(person)) < rate["bought"])
        )
        + 1
    )
    _register(
        state, buyers, np.zeros(len(buyers), dtype=np.int64), CAR, np.full(len(buyers), state.today), rng
    )
    new = np.arange(before, len(state["vehicle"]))
    state["vehicle"]["registered"][new] = state.today
    state["vehicle"]["inspected_until"][new] = state.today + _MOTORCAR_YEARS * 365
    state.add("transport.vehicle", new + 1)


def _renew(state: State, rate: Mapping[str, float], rng: Generator) -> None:
    vehicle, licence = state["vehicle"], state["transport_licence"]
    due = np.flatnonzero(
        (vehicle["scrapped"] == NEVER) & (vehicle["inspected_until"] <= state.today + _RENEWABLE_DAYS)
    )
    done = due[rng.random(len(due)) < rate["renewed"]]
    years = np.where(commercial(vehicle["kind"][done]), 1, _MOTORCAR_YEARS)
    vehicle["inspected_until"][done] = state.today + years * 365
    state.touch("transport.vehicle", done + 1)
    running = np.flatnonzero(licence["revoked"] == NEVER)
    revoked = running[rng.random(len(running)) < rate["revoked"]]
    licence["revoked"][revoked] = state.today
    due = np.flatnonzero((licence["revoked"] == NEVER) & (licence["until"] <= state.today + _RENEWABLE_DAYS))
    done = due[rng.random(len(due)) < rate["renewed"]]
    licence["until"][done] = state.today + _LICENCE_YEARS[licence["kind"][done]] * 365
    state.touch("transport.licence", np.r_[revoked, done] + 1)
    before = len(licence)
    _license_newcomers(state, rate["newly_licensed"], rng)
    state.add("transport.licence", np.arange(before, len(licence)) + 1)


def _license_newcomers(state: State, share: float, rng: Generator) -> None:
    """License some adults as drivers today."""
    person = state["person"]
    age = (state.today - person["birth"]) / YEAR
    fit = person["resident"] & (age > 22) & (age < 55)
    drivers = np.flatnonzero(fit & (rng.random(len(person)) < share)) + 1
    _license(
        state, DRIVER, drivers, np.zeros(len(drivers), dtype=np.int64), np.full(len(drivers), state.today)
    )


def _hand_over(state: State, rate: Mapping[str, float], rng: Generator) -> None:
    """Sell some vehicles to other people; heirs take most of those whose owner died today."""
    vehicle, person = state["vehicle"], state["person"]
    running = (vehicle["scrapped"] == NEVER) & (vehicle["person"] > 0)
    adults = np.flatnonzero(person["resident"] & ((state.today - person["birth"]) / YEAR > 20)) + 1
    sold = np.flatnonzero(running & (rng.random(len(vehicle)) < rate["sold"]))
    vehicle["person"][sold] = rng.choice(adults, len(sold))
    dead = state["death"]["person"][state.before["death"] :]
    left = np.flatnonzero(running & np.isin(vehicle["person"], dead))
    heads = state["household"]["head"][person["household"][vehicle["person"][left] - 1] - 1]
    inherited = (heads > 0) & (rng.random(len(left)) < rate["inherited"])
    vehicle["person"][left[inherited]] = heads[inherited]
    changed = np.r_[sold, left[inherited]]
    vehicle["village"][changed] = person["village"][vehicle["person"][changed] - 1]
    state.touch("transport.vehicle", changed + 1)


DOMAIN = Domain(NAME, SCHEMA, _found, _change, (System("transport", TABLES),), truth)
