"""Days passing in the city: what happens, what the sources hear of it, and the new business date."""

from __future__ import annotations

import logging
from datetime import date
from pathlib import Path

import numpy as np
from numpy.random import Generator

from huiliu.settings import get_settings
from simulator import dirt, emission, loading, population, store
from simulator.calendar import to_date
from simulator.domains import DOMAINS
from simulator.events import benefits, firms, homes, life, work
from simulator.identity import phones
from simulator.loading import Connect, as_owner
from simulator.rates import DailyRates, Rates
from simulator.rates import load as load_rates
from simulator.registry import TABLES
from simulator.state import State
from simulator.systems.source_table import SourceTable
from simulator.table import Ints

log = logging.getLogger(__name__)


def advance(
    days: int = 1, home: Path | None = None, *, rates: Rates | None = None, opened: Connect = as_owner
) -> date:
    """Let days pass and return the new business date.

    Every day is a step of its own, so one day twice equals two days. Killed halfway, the same call again
    ends where the
    killed one would have.
    """
    if days < 1:
        raise ValueError("days must be at least 1")
    home = home or get_settings().home
    rates = rates or load_rates()
    with store.locked(home):
        state = store.load(home)
        until = store.plan(home, days, state.today)
        while state.today < until:
            pass_day(state, rates)
            commit(state, rates, home, opened)
            log.info("it is %s", to_date(state.today))
        store.finish_plan(home)
    return to_date(state.today)


def commit(state: State, rates: Rates, home: Path, opened: Connect) -> None:
    """Bring the step's changes to the sources, then commit truth and state."""
    loading.apply(state, emission.changes(state, rates, state.before), home, opened)
    state.clear_step()
    store.commit(state, home)


def pass_day(state: State, rates: Rates) -> None:
    """Let one day pass in the state; nothing is written."""
    state.meta.today += 1
    state.meta.scripted_today = 0
    state.begin(f"day {to_date(state.today)}")
    _reveal(state)
    rng = state.rng(1)
    _population(state, rates, rng)
    work.change_jobs(state, rates.daily, rates.lateness, rng)
    work.change_insurance(state, rates.daily, rng)
    benefits.change_awards(state, rates.daily, rates.lateness, rng)
    benefits.change_cases(state, rates.daily, rng)
    firms.change(state, rates.daily, rng)
    for domain in DOMAINS:
        domain.change(state, rates)
    _office_work(state, rates)


def _reveal(state: State) -> None:
    """Show the events that reach their source today, some days late."""
    life.reveal_late_deaths(state)
    for name, source in (
        ("birth", "health.birth"),
        ("move", "police.move"),
        ("employment", "social_security.employment"),
        ("payment", "civil_affairs.subsidy_payment"),
    ):
        state.add(source, np.flatnonzero(state[name]["shown"] == state.today) + 1)
    marriages = np.flatnonzero(state["marriage"]["shown"] == state.today) + 1
    state.add("marriage_registry.registration", marriages * 2)


def _population(state: State, rates: Rates, rng: Generator) -> None:
    daily, lateness = rates.daily, rates.lateness
    living = np.flatnonzero(state.living()) + 1

    def count(rate: float) -> int:
        return int(rng.poisson(len(living) * rate))

    life.bear(state, count(daily.births), lateness, rng)
    life.arrive(state, count(daily.moves_in), lateness, rng)
    life.marry(state, count(daily.marriages), lateness, rng)
    life.divorce(state, count(daily.divorces), rng)
    _move_some(state, daily, count(daily.moves_within), rates, rng)
    age = state.today - state.person("birth", living)
    risk = np.exp((age / population.YEAR - 80) / 9)
    dead = rng.choice(living, size=count(daily.deaths), replace=False, p=risk / risk.sum())
    life.die(state, np.sort(dead), np.full(len(dead), state.today), lateness, rng)
    adults = living[(age > 18 * population.YEAR) & (age < 50 * population.YEAR)]
    leaving = np.setdiff1d(rng.permutation(adults)[: count(daily.moves_out)], dead)
    life.leave(state, leaving, np.full(len(leaving), state.today), lateness, rng)
    called = living[rng.random(len(living)) < daily.new_phones]
    called = called[state.person("phone", called) > 0]
    state["person"]["phone"][called - 1] = phones(len(called), rng)
    state.touch_persons(called)


def _move_some(state: State, daily: DailyRates, people: int, rates: Rates, rng: Generator) -> None:
    """Move whole households until about so many people have moved."""
    lived_in = np.flatnonzero(state["household"]["head"] > 0) + 1
    size = max(1.0, float(state.living().sum()) / len(lived_in))
    moving = np.sort(rng.permutation(lived_in)[: round(people / size)])
    targets = rng.integers(0, len(state.places.village_township), len(moving))
    homes.move_households(state, moving, targets, rates.lateness, rng)


def _office_work(state: State, rates: Rates) -> None:
    """The sources' own doings: rows entered twice, second rows found and deleted, faults corrected."""
    for table in TABLES:
        spec = rates.dirt.get(table.full_name)
        if spec is None:
            continue
        rng = state.rng_of(f"office work {table.full_name}")
        if not table.appended:
            _remove_repeats(state, table, rates.daily.removed_repeats, rng)
        state.touch(table.full_name, dirt.correct_some(state, table, rates.daily.corrected_faults, rng))
        if spec.duplicate:
            _repeat_some(state, table, rates.daily.repeated_rows, rng)


def _remove_repeats(state: State, table: SourceTable, rate: float, rng: Generator) -> None:
    extra = state["extra"]
    mine = extra["key"][extra["table"] == table.number]
    state.remove(table.full_name, mine[rng.random(len(mine)) < rate])


def _repeat_some(state: State, table: SourceTable, rate: float, rng: Generator) -> None:
    keys = table.every(state)
    chosen = keys[rng.random(len(keys)) < rate]
    state.touch(table.full_name, dirt.repeat(state, table, _clean_rows(state, table, chosen)))


def _clean_rows(state: State, table: SourceTable, keys: Ints) -> Ints:
    """Return which keys are of visible rows without faults, second rows or deletion, in order."""
    keys = keys[table.visible(state, keys)]
    faulty = state.faults_of(table.full_name)["key"].to_numpy()
    extra, withheld = state["extra"], state["withheld"]
    doubled = extra["of"][extra["table"] == table.number]
    gone = withheld["key"][withheld["table"] == table.number]
    new = [ids for ids in state.added.get(table.full_name, [])]
    return np.setdiff1d(keys, np.concatenate([faulty, doubled, gone, *new]))
