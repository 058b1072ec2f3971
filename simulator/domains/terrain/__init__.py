"""The ground the city stands on: buildings, what threatens and protects them, and what firms discharge."""

from __future__ import annotations

from simulator.domains.domain import Domain
from simulator.domains.terrain import buildings, ecology, emergency
from simulator.rates import Rates
from simulator.state import State

NAME = "terrain"


def _found(state: State, rates: Rates) -> None:
    rate, rng = rates.of(NAME), state.rng_of(NAME)
    people = int(state.living().sum())
    buildings.build(state, max(60, int(people * rate["buildings"])), rng)
    emergency.found(state, rate, people, rng)
    ecology.found(state, rate, rng)


def _change(state: State, rates: Rates) -> None:
    rate, rng = rates.of(NAME), state.rng_of(NAME)
    buildings.change(state, rate, rng)
    emergency.change(state, rate, rng)
    ecology.change(state, rate, rng)


DOMAIN = Domain(
    NAME,
    {**buildings.SCHEMA, **emergency.SCHEMA, **ecology.SCHEMA},
    _found,
    _change,
    (buildings.SYSTEM, emergency.SYSTEM, ecology.SYSTEM),
    lambda state: {**buildings.truth(state), **emergency.truth(state), **ecology.truth(state)},
)
