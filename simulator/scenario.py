"""Scripted changes for tests: one thing happens to one person, in the truth and in the sources, on the
business date.

Each call is a step of its own, committed like a day; the sources show it at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import numpy as np

from huiliu.settings import get_settings
from simulator import codes, days, dirt, emission, store
from simulator.calendar import birthday, to_days
from simulator.events import benefits, homes, life
from simulator.loading import Connect, as_owner
from simulator.rates import Lateness
from simulator.rates import load as load_rates
from simulator.registry import by_name
from simulator.state import State
from simulator.systems.source_table import FIRST_EXTRA
from simulator.table import NEVER, Ints

_PUNCTUAL = Lateness(
    days=1, birth=0, death_one_source=0, death_never=0, move=0, marriage=0, payment=0, employment=0
)


@contextmanager
def _step(label: str, home: Path | None, opened: Connect) -> Iterator[State]:
    home = home or get_settings().home
    with store.locked(home):
        state = store.load(home)
        state.meta.scripted_today += 1
        state.begin(label)
        yield state
        days.commit(state, load_rates(), home, opened)


def die(person_id: int, on: date, home: Path | None = None, *, opened: Connect = as_owner) -> None:
    """Let a living resident die on a day up to today; health and police both know at once."""
    with _step(f"die {person_id} {on}", home, opened) as state:
        person = _resident(state, person_id)
        day = _past(state, on)
        life.die(state, person, np.array([day]), _PUNCTUAL, state.rng(1))


def move(
    person_id: int, to_village: str, on: date, home: Path | None = None, *, opened: Connect = as_owner
) -> None:
    """Let a resident move alone to a village (12-digit code), today; a household of one is founded there."""
    with _step(f"move {person_id} {to_village} {on}", home, opened) as state:
        person = _resident(state, person_id)
        if to_days(on) != state.today:
            raise ValueError("a move is scripted for the business date")
        villages = state.places.village_codes.to_pylist()
        target = np.array([villages.index(to_village)])
        rng = state.rng(1)
        rural = state.person("rural", person)
        household = homes.found(state, target, rural, person, rng)
        homes.join(state, person, household, np.array([codes.HEAD]), state.today)
        homes.relocate(state, person, target, _PUNCTUAL, rng)


def end_award(award_no: str, on: date, home: Path | None = None, *, opened: Connect = as_owner) -> None:
    """End an award in force on a day up to today: its holder no longer qualifies."""
    with _step(f"end {award_no} {on}", home, opened) as state:
        at = int(award_no.removeprefix("BT")) - 1
        award = state["award"]
        if not 0 <= at < len(award) or award["ended"][at] != NEVER:
            raise ValueError("no such award in force")
        award["stops"][at], award["stop_reason"][at] = _past(state, on), codes.STOP_UNFIT
        benefits.end_due_awards(state)


def delete_source_row(
    source: str, table: str, key: str | int, home: Path | None = None, *, opened: Connect = as_owner
) -> None:
    """Delete a row at its source, by the source's key, though the truth has not changed; recorded as a
    fault 'deleted'.

    Second rows of the same thing go with it, so that no contradictory one is left alone. ValueError if there
    is no such row, or the source never takes back what it has sent.
    """
    form = by_name(source, table)
    if form.appended:
        raise ValueError(f"{source}.{table} is sent in files that are never taken back")
    number = int("".join(character for character in str(key) if character.isdigit()))
    with _step(f"delete {source}.{table} {key}", home, opened) as state:
        keys = np.array([number])
        if number not in emission.present(state, form):
            raise ValueError(f"{source}.{table} has no such row")
        if number < FIRST_EXTRA:
            state["withheld"].append(table=form.number, key=number)
            dirt.record_deleted(state, form, number)
        state.remove(form.full_name, keys)


def turn_sixty(within_days: int, home: Path | None = None) -> list[int]:
    """Return veterans who turn 60 in the next days and meet every other condition of the subsidy."""
    state = store.load(home or get_settings().home)
    person, service = state["person"], state["service"]
    soldier = np.isin(service["kind"], (codes.CONSCRIPT, codes.SERGEANT))
    soldier &= (service["enlisted"] >= to_days(date(1954, 11, 1))) & (
        service["enlisted"] <= to_days(date(2011, 10, 31))
    )
    candidates = np.unique(service["person"][soldier])
    day = birthday(person["birth"][candidates - 1], 60)
    due = (day > state.today) & (day <= state.today + within_days)
    fit = due & person["resident"][candidates - 1] & person["rural"][candidates - 1]
    return [int(it) for it in np.setdiff1d(candidates[fit], _provided(state))]


def _provided(state: State) -> Ints:
    """Return persons with an employee pension or a regular benefit."""
    insurance, award = state["insurance"], state["award"]
    pensioned = (insurance["kind"] == codes.EMPLOYEE_PENSION) & (insurance["status"] != codes.STOPPED)
    benefit = (award["kind"] == codes.REGULAR_BENEFIT) & benefits.in_force(state, state.today)
    return np.union1d(insurance["person"][pensioned], award["person"][benefit]).astype(np.int64)


def _resident(state: State, person_id: int) -> Ints:
    if not 1 <= person_id <= len(state["person"]) or not state["person"]["resident"][person_id - 1]:
        raise ValueError(f"person {person_id} is not a living resident")
    return np.array([person_id], dtype=np.int64)


def _past(state: State, on: date) -> int:
    if to_days(on) > state.today:
        raise ValueError("a scripted event cannot lie in the future")
    return to_days(on)
