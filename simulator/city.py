"""A new city: people, their past, what they receive, and every source filled."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np

from huiliu import regions as region_files
from huiliu.regions import RegionChange, Regions
from huiliu.settings import get_settings
from simulator import emission, history, loading, population, store
from simulator.calendar import to_date, to_days
from simulator.domains import DOMAINS, schema
from simulator.events import benefits, firms, work
from simulator.loading import Connect, as_owner
from simulator.places import FormerDistrict, Places, from_regions
from simulator.rates import Rates
from simulator.rates import load as load_rates
from simulator.state import Meta, State

log = logging.getLogger(__name__)

DEFAULT_START = date(2026, 1, 15)
LEAST_PERSONS = 100
_FIRMS_LEAST = 40


def create(
    persons: int,
    seed: int,
    start: date | None = None,
    regions: Regions | None = None,
    home: Path | None = None,
    *,
    changes: Sequence[RegionChange] | None = None,
    rates: Rates | None = None,
    opened: Connect = as_owner,
) -> date:
    """Make a new city of so many living residents, replace the content of every source, and return the
    business date.

    Regions, changes of regions and home default to the settings'; the start to DEFAULT_START. The same
    arguments give the
    same bytes. Killed halfway, it is repeated from the beginning.
    """
    if persons < LEAST_PERSONS:
        raise ValueError(f"a city needs at least {LEAST_PERSONS} persons")
    home = home or get_settings().home
    rates = rates or load_rates()
    regions = regions or region_files.load()
    former = former_districts(region_files.load_changes() if changes is None else changes)
    with store.locked(home):
        state = imagine(persons, seed, start or DEFAULT_START, from_regions(regions, former), rates)
        log.info("%d persons are settled in %s", persons, regions.city.name)
        store.forget(home)
        loading.create(state, emission.everything(state, rates), home, opened)
        state.clear_step()
        store.commit(state, home)
    return to_date(state.today)


def imagine(persons: int, seed: int, start: date, places: Places, rates: Rates) -> State:
    """Return the truth of a new city; nothing is written."""
    identity = f"{persons} {seed} {start} {places.village_codes.to_pylist()} {rates!r}"
    name = hashlib.sha256(identity.encode()).hexdigest()[:16]
    state = State.new(Meta(city=name, seed=seed, today=to_days(start), label="create"), places, schema())
    sixties = population.settle(state, persons, rates.city)
    history.write(state, rates, persons, sixties)
    firms.found_city(state, max(_FIRMS_LEAST, int(persons * rates.city.firms)))
    work.insure_city(state, sixties)
    work.employ_city(state)
    work.enlist_city(state, sixties)
    benefits.award_city(state, rates.city.payment_months, sixties)
    benefits.assist_city(state)
    for domain in DOMAINS:
        domain.found(state, rates)
    state.clear_step()
    return state


def former_districts(changes: Sequence[RegionChange]) -> list[FormerDistrict]:
    """Return the district-level changes: a former code, its name, until when, and its successor."""
    return [
        FormerDistrict(
            code=int(change.old_code[:6]),
            name=change.old_name,
            until=int(np.datetime64(change.valid_until[:7], "D").astype(np.int64)),
            successor=int(change.new_code[:6]),
        )
        for change in changes
        if change.old_code.endswith("000000")
    ]
