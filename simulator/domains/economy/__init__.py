"""Organisations of every kind: who runs them, what they pay, what stands against them."""

from __future__ import annotations

from simulator.domains.domain import Domain
from simulator.domains.economy import credit, register, subjects, taxes, truth
from simulator.domains.economy.systems import SYSTEMS
from simulator.rates import Rates
from simulator.state import State

NAME = "economy"


def found(state: State, rates: Rates) -> None:
    """Write the organisations of a new city, their past, their taxes and their records."""
    rng, rate = state.rng_of(NAME), rates.of(NAME)
    subjects.found(state, rate, rng)
    taxes.found(state, rate, rng)
    credit.found(state, rate, rng)


def change(state: State, rates: Rates) -> None:
    """Let a day pass in the economy."""
    rng, rate = state.rng_of(NAME), rates.of(NAME)
    subjects.change(state, rate, rng)
    taxes.change(state, rate, rng)
    credit.change(state, rate, rng)


DOMAIN = Domain(
    name=NAME,
    schema={**register.SCHEMA, **taxes.SCHEMA, **credit.SCHEMA},
    found=found,
    change=change,
    systems=SYSTEMS,
    truth=truth.tables,
)
