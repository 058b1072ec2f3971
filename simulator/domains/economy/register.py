"""The register of organisations: firms and five other kinds, and the persons that hold their offices."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.random import Generator

from simulator import codes
from simulator.domains.economy import labels
from simulator.events.firms import BRANDS
from simulator.population import YEAR
from simulator.state import BOOL, I8, I32, I64, Schema, State
from simulator.table import NEVER, Column, Ints

# A subject of kind FIRM repeats its firm and takes the capital from it. earlier: the first 14 digits of the
# number before credit codes (0: none). unconverted: the market regulator never wrote the credit code.
SCHEMA: Schema = {
    "subject": {
        "kind": I8, "prefix": I8, "firm": I32, "district": I64, "village": I32, "house": I32, "brand1": I32,
        "brand2": I32, "trade": I8, "form": I8, "serial": I64, "earlier": I64, "established": I32,
        "ended": I32, "status": I8, "head": I32, "capital": I64, "unconverted": BOOL,
    },
    # One or two numbers say what was there before and after: brands, a village and a house, or a person.
    "subject_change": {
        "subject": I32, "item": I8, "changed": I32, "old1": I32, "old2": I32, "new1": I32, "new2": I32,
    },
    "officer": {"subject": I32, "person": I32, "role": I8, "share": I8, "started": I32, "ended": I32},
}  # fmt: skip

CREDIT_CODES_FROM = 16_709  # 2015-10-01: from here on new firms have a credit code only
CODES_OF_FIRMS = 20_000_000  # serials of other organisations begin here
Rate = Mapping[str, float]


def add_firms(state: State, firms: Ints, rate: Rate, rng: Generator) -> Ints:
    firm, at = state["firm"], firms - 1
    if not len(firms):
        return firms
    earlier = _earlier(firm["district"][at], firm["established"][at], firm["serial"][at], rate, rng)
    return state["subject"].append(
        kind=labels.FIRM, prefix=labels.PREFIXES[labels.FIRM], firm=firms, district=firm["district"][at],
        village=firm["village"][at], house=firm["house"][at], brand1=firm["brand1"][at],
        brand2=firm["brand2"][at], trade=firm["trade"][at], form=firm["form"][at], serial=firm["serial"][at],
        earlier=earlier, established=firm["established"][at], ended=NEVER, status=labels.ACTIVE,
        head=adults(state, len(firms), rng), capital=0,
        unconverted=(earlier > 0) & (rng.random(len(firms)) < rate["unconverted"]),
    )  # fmt: skip


def add_others(state: State, kind: int, established: Ints, rate: Rate, rng: Generator) -> Ints:
    count, subject, places = len(established), state["subject"], state.places
    if not count:
        return np.empty(0, dtype=np.int64)
    number = int((subject["kind"] == kind).sum()) + np.arange(count)
    village, form = _seats(state, kind, number, rng)
    serial = (CODES_OF_FIRMS + kind * 10**7 + number * 7919) % 10**8
    district = places.district_numbers[places.village_district[village]]
    earlier = _earlier(district, established, serial, rate, rng)
    if kind > labels.COOPERATIVE:
        earlier = np.zeros(count, dtype=np.int64)
    prefix = np.full(count, labels.PREFIXES[kind]) + (form % 3 if kind == labels.SOCIAL else 0)
    return subject.append(
        kind=kind, prefix=prefix, firm=0, district=district, village=village,
        house=rng.integers(1, 300, count), brand1=rng.integers(0, len(BRANDS), count),
        brand2=rng.integers(0, len(BRANDS), count), trade=rng.integers(0, len(codes.TRADES), count),
        form=form, serial=serial, earlier=earlier,
        established=established, ended=NEVER, status=labels.ACTIVE, head=adults(state, count, rng),
        capital=rng.integers(1, 500, count) * 10,
        unconverted=(earlier > 0) & (rng.random(count) < rate["unconverted"]),
    )  # fmt: skip


def _seats(state: State, kind: int, number: Ints, rng: Generator) -> tuple[Ints, Ints]:
    """Return villages and forms; public bodies sit in one place after another: no two share a name."""
    places, count = state.places, len(number)
    if kind < labels.INSTITUTION:
        return rng.integers(0, len(places.village_township), count), rng.integers(0, 6, count)
    townships, districts = len(places.township_district), len(places.district_codes)
    first = np.searchsorted(places.village_township, np.arange(townships))
    if kind == labels.INSTITUTION:
        return first[number % townships], number // townships
    seat = np.searchsorted(places.township_district, number % districts)
    bureaus = len(labels.BUREAUS) * districts
    offices = (number - bureaus) % townships
    is_bureau = number < bureaus
    return first[np.where(is_bureau, seat, offices)], np.where(is_bureau, number // districts + 1, 0)


def _earlier(district: Column, established: Column, serial: Column, rate: Rate, rng: Generator) -> Ints:
    """Return the first 14 digits of the number before credit codes, 0 where it is not known any more."""
    had = (established < CREDIT_CODES_FROM) & (rng.random(len(established)) < rate["earlier_known"])
    return np.where(had, np.asarray(district, dtype=np.int64) * 10**8 + serial, 0)


def adults(state: State, count: int, rng: Generator) -> Ints:
    person = state["person"]
    age = (state.today - person["birth"]) / YEAR
    return rng.choice(np.flatnonzero(person["resident"] & (age > 22) & (age < 70)) + 1, count)


def close(state: State, at: Column, rng: Generator, day: int | None = None) -> None:
    subject = state["subject"]
    past = np.maximum(subject["established"][at] + 10, state.today - rng.integers(1, 900, len(at)))
    subject["ended"][at] = past if day is None else day
    revoked = (rng.random(len(at)) < 0.2) & (subject["kind"][at] == labels.FIRM)
    subject["status"][at] = np.where(revoked, labels.REVOKED, labels.CLOSED)


def appoint(state: State, ids: Column, rng: Generator) -> None:
    """Give every organisation its head, firms and cooperatives managers and shareholders too."""
    subject, at = state["subject"], np.asarray(ids, dtype=np.int64) - 1
    if not len(at):
        return
    company = at[np.isin(subject["kind"][at], (labels.FIRM, labels.COOPERATIVE))]
    parts: list[tuple[Column, int, Column, Column | int]] = [(at, labels.HEAD, subject["head"][at], 0)]
    for role, chance in ((labels.MANAGER, 0.5), (labels.SUPERVISOR, 0.6), (labels.SHAREHOLDER, 0.7)):
        some = company[rng.random(len(company)) < chance]
        share = rng.integers(1, 60, len(some)) if role == labels.SHAREHOLDER else 0
        parts.append((some, role, adults(state, len(some), rng), share))
    own = company[rng.random(len(company)) < 0.8]
    parts.append((own, labels.SHAREHOLDER, subject["head"][own], rng.integers(20, 41, len(own))))
    for some, role, person, share in parts:
        if len(some):
            started = subject["established"][some]
            made = state["officer"].append(
                subject=some + 1, person=person, role=role, share=share, started=started, ended=NEVER
            )
            state.add("market_regulation.officer", made[subject["kind"][some] <= labels.COOPERATIVE])


def say(state: State, ids: Column, *, new: bool = False) -> None:
    """Write the rows of organisations at the department that keeps them, and what repeats their data."""
    speak = state.add if new else state.touch
    kind = state["subject"]["kind"][np.asarray(ids, dtype=np.int64) - 1]
    speak("market_regulation.entity", ids[kind <= labels.COOPERATIVE])
    speak("organisations.social_organisation", ids[kind == labels.SOCIAL])
    speak("organisations.institution", ids[kind >= labels.INSTITUTION])
    state.touch("taxation.taxpayer", np.flatnonzero(np.isin(state["taxpayer"]["subject"], ids)) + 1)
