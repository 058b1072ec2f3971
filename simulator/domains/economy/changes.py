"""Organisations change their name, place or head."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from simulator.domains.economy import labels
from simulator.domains.economy.register import adults, say
from simulator.events.firms import BRANDS
from simulator.state import State
from simulator.table import NEVER, Column, Ints

_COLUMNS = (("brand1", "brand2"), ("village", "house"), ("head",))


def change_back(state: State, item: int, at: Column, days: Column, rng: Generator) -> None:
    """Write changes of the past: what is there now is what they led to."""
    subject = state["subject"]
    now1, now2 = _values(state, item, at)
    old1, old2 = _drawn(state, item, len(at), rng)
    _record(state, item, at, days, old1, old2, now1, now2)
    if item == labels.HEAD_CHANGED:
        current = state["officer"]
        mine = (current["role"] == labels.HEAD) & np.isin(current["subject"], at + 1)
        since = dict(zip((at + 1).tolist(), days.tolist(), strict=True))
        current["started"][mine] = [since[owner] for owner in current["subject"][mine].tolist()]
        if len(at):
            current.append(
                subject=at + 1, person=old1, role=labels.HEAD, share=0,
                started=subject["established"][at], ended=days,
            )  # fmt: skip


def change_now(state: State, item: int, at: Column, rng: Generator) -> None:
    """Change names, places or heads today."""
    if not len(at):
        return
    subject, firm = state["subject"], state["firm"]
    old1, old2 = _values(state, item, at)
    new1, new2 = _drawn(state, item, len(at), rng)
    _record(state, item, at, np.full(len(at), state.today), old1, old2, new1, new2)
    for name, values in zip(_COLUMNS[item], (new1, new2), strict=False):
        subject[name][at] = values
        of_firm = subject["firm"][at] > 0
        if name in firm.names:
            firm[name][subject["firm"][at][of_firm] - 1] = values[of_firm]
    if item == labels.HEAD_CHANGED:
        _succeed(state, at, new1)
    firms = subject["firm"][at][subject["firm"][at] > 0]
    if item == labels.ADDRESS_CHANGED:
        firm["former"][firms - 1] = -1
    if item != labels.HEAD_CHANGED:
        state.touch("enterprise_registry.enterprise", firms)
    if item == labels.NAME_CHANGED:
        jobs = np.flatnonzero(np.isin(state["employment"]["firm"], firms)) + 1
        state.touch("social_security.employment", jobs)
    say(state, at + 1)


def _succeed(state: State, at: Column, heads: Ints) -> None:
    """End the time of the heads until today and begin that of the new ones."""
    officer, kind = state["officer"], state["subject"]["kind"][at]
    ending = np.flatnonzero(
        (officer["role"] == labels.HEAD) & (officer["ended"] == NEVER) & np.isin(officer["subject"], at + 1)
    )
    officer["ended"][ending] = state.today
    made = officer.append(
        subject=at + 1, person=heads, role=labels.HEAD, share=0, started=state.today, ended=NEVER
    )
    market = state["subject"]["kind"][officer["subject"][ending] - 1] <= labels.COOPERATIVE
    state.touch("market_regulation.officer", ending[market] + 1)
    state.add("market_regulation.officer", made[kind <= labels.COOPERATIVE])


def _values(state: State, item: int, at: Column) -> tuple[Ints, Ints]:
    found = [state["subject"][name][at].astype(np.int64) for name in _COLUMNS[item]]
    return found[0], found[1] if len(found) > 1 else np.zeros(len(at), dtype=np.int64)


def _drawn(state: State, item: int, count: int, rng: Generator) -> tuple[Ints, Ints]:
    if item == labels.NAME_CHANGED:
        return rng.integers(0, len(BRANDS), count), rng.integers(0, len(BRANDS), count)
    if item == labels.ADDRESS_CHANGED:
        return rng.integers(0, len(state.places.village_township), count), rng.integers(1, 500, count)
    return adults(state, count, rng), np.zeros(count, dtype=np.int64)


def _record(
    state: State, item: int, at: Column, days: Column, old1: Ints, old2: Ints, new1: Ints, new2: Ints
) -> None:
    if not len(at):
        return
    made = state["subject_change"].append(
        subject=at + 1, item=item, changed=days, old1=old1, old2=old2, new1=new1, new2=new2
    )
    state.add("market_regulation.change", made[state["subject"]["kind"][at] <= labels.COOPERATIVE])
