"""The organisations of a new city, and a day among them."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from simulator.domains.economy import labels
from simulator.domains.economy.changes import change_back, change_now
from simulator.domains.economy.register import Rate, add_firms, add_others, appoint, close, say
from simulator.state import State
from simulator.table import NEVER, Column

OTHERS = ("self_employed", "cooperatives", "social", "institutions", "government")


def found(state: State, rate: Rate, rng: Generator) -> None:
    """Write the organisations of a new city and how they came to be what they are."""
    persons = int(state.living().sum())
    add_firms(state, state["firm"].ids, rate, rng)
    for kind, name in enumerate(OTHERS, 1):
        age = (rng.random(max(3, int(persons * rate[name]))) ** 1.5 * 30 * 365).astype(np.int64)
        add_others(state, kind, state.today - 30 - age, rate, rng)
    subject = state["subject"]
    market = np.flatnonzero(subject["kind"] <= labels.COOPERATIVE)
    gone = market[rng.random(len(market)) < rate["closed"]]
    close(state, gone, rng)
    appoint(state, subject.ids, rng)
    for item, share in ((0, "renamed"), (1, "relocated"), (2, "headed_anew")):
        at = market[rng.random(len(market)) < rate[share]]
        span = state.today - subject["established"][at] - 40
        at, span = at[span > 0], span[span > 0]
        change_back(state, item, at, (state.today - 20 - rng.random(len(at)) * span).astype(np.int32), rng)


def change(state: State, rate: Rate, rng: Generator) -> None:
    """Let a day pass: firms and shops open and close, change name, place and head; heads die."""
    subject = state["subject"]
    _follow_firms(state)
    new = [add_firms(state, np.arange(state.before["firm"], len(state["firm"])) + 1, rate, rng)]
    opened = int(rng.poisson((subject["kind"] == labels.SELF_EMPLOYED).sum() * rate["daily_opened"]))
    new.append(add_others(state, labels.SELF_EMPLOYED, np.full(opened, state.today), rate, rng))
    fresh = np.concatenate(new)
    appoint(state, fresh, rng)
    say(state, fresh, new=True)
    shops = np.flatnonzero((subject["kind"] == labels.SELF_EMPLOYED) & (subject["ended"] == NEVER))
    closed = shops[(rng.random(len(shops)) < rate["daily_closed"]) | _headless(state, shops)]
    close(state, closed, rng, state.today)
    say(state, closed + 1)
    running = np.flatnonzero((subject["ended"] == NEVER) & (subject["kind"] <= labels.COOPERATIVE))
    for item, name in ((0, "daily_renamed"), (1, "daily_relocated"), (2, "daily_headed_anew")):
        chosen = rng.random(len(running)) < rate[name]
        if item == labels.HEAD_CHANGED:
            chosen |= _headless(state, running)
        change_now(state, item, running[chosen], rng)
    others = np.flatnonzero(subject["kind"] > labels.COOPERATIVE)
    change_now(state, labels.HEAD_CHANGED, others[_headless(state, others)], rng)


def _headless(state: State, at: Column) -> Column:
    """Say whose head died in this step."""
    died = state["death"]["person"][state.before["death"] :]
    return np.asarray(np.isin(state["subject"]["head"][at], died))


def _follow_firms(state: State) -> None:
    """Show the market regulator what the register of firms changed."""
    for firms in state.touched.get("enterprise_registry.enterprise", []):
        say(state, np.flatnonzero(np.isin(state["subject"]["firm"], firms[firms > 0])) + 1)
