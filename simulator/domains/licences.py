"""The register of e-licences 电子证照: what people and firms may show, as issued, ended and revoked."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.random import Generator
from numpy.typing import ArrayLike

from simulator.domains import holders
from simulator.domains.domain import Domain
from simulator.domains.licence_origins import Origin, origins
from simulator.domains.licence_types import FIRM, NUMBERS, PERSON, TYPES, drawn
from simulator.population import YEAR
from simulator.rates import Rates
from simulator.state import I8, I32, State
from simulator.systems import source_table as st
from simulator.systems.source_table import Columns, SourceTable
from simulator.systems.system import System
from simulator.table import NEVER, Column, Ints, Mask
from simulator.text import Strings, date_array, dates, join, padded, pick

NAME = "licences"
SCHEMA = {
    # origin: row of the register it comes from (0: none); number: which of that row's licences.
    "licence": {
        "type": I8, "person": I32, "firm": I32, "issued": I32, "until": I32, "revoked": I32, "origin": I32,
        "number": I8,
    },
}  # fmt: skip
_YEARS = np.array([kind.years for kind in TYPES])
_IDENTITY, _DRIVING = NUMBERS["居民身份证"], NUMBERS["机动车驾驶证"]
_RENEWABLE_DAYS = 30


def _found(state: State, rates: Rates) -> None:
    rate, rng = rates.of(NAME), state.rng_of(NAME)
    person, firm = state["person"], state["firm"]
    age = (state.today - person["birth"]) / YEAR
    here = person["resident"]
    identity = np.flatnonzero(here & (age >= 16.1)) + 1
    _issue_before(state, np.full(len(identity), _IDENTITY), identity, 0 * identity, rate, rng)
    driving = np.flatnonzero(here & (age > 19) & (age < 70) & (rng.random(len(age)) < rate["drivers"])) + 1
    _issue_before(state, np.full(len(driving), _DRIVING), driving, 0 * driving, rate, rng)
    people = np.repeat(person.ids, rng.poisson(np.where(here & (age > 20) & (age < 65), rate["people"], 0.0)))
    _issue_before(state, _draw(PERSON, len(people), rng), people, 0 * people, rate, rng)
    firms = np.repeat(firm.ids, rng.poisson(rate["firms"], len(firm)))
    _issue_before(state, _draw(FIRM, len(firms), rng), 0 * firms, firms, rate, rng)
    for origin in origins(state):
        _follow(state, origin)


def _draw(holder: str, count: int, rng: Generator) -> Ints:
    chosen, shares = drawn(holder)
    return np.asarray(rng.choice(chosen, size=count, p=shares), dtype=np.int64)


def _issue_before(
    state: State, types: Ints, persons: Ints, firms: Ints, rate: Mapping[str, float], rng: Generator
) -> None:
    """Issue licences in the past; some have ended since, some were revoked."""
    grown = state["person"]["birth"][np.maximum(persons, 1) - 1] + int(16 * YEAR)
    founded = state["firm"]["established"][np.maximum(firms, 1) - 1]
    years = _YEARS[types]
    span = np.where(years == 0, 12 * 365, (years * 365 * rate["outlived"]).astype(np.int64))
    issued = state.today - 1 - (rng.random(len(types)) * span).astype(np.int64)
    issued = np.minimum(np.maximum(issued, np.where(persons > 0, grown, founded)), state.today)
    revoked = np.where(
        rng.random(len(types)) < rate["revoked_before"],
        np.minimum(issued + rng.integers(1, 900, len(types)), state.today),
        NEVER,
    )
    revoked = np.where(types == _IDENTITY, NEVER, revoked)
    _issue(state, types, persons, firms, issued, revoked)


def _issue(
    state: State, types: Ints, persons: Ints, firms: Ints, issued: Column, revoked: ArrayLike = NEVER
) -> Ints:
    years = _YEARS[types]
    return state["licence"].append(
        type=types,
        person=persons,
        firm=firms,
        issued=issued,
        until=np.where(years == 0, NEVER, np.asarray(issued) + years * 365),
        revoked=revoked,
        origin=0,
        number=0,
    )


def _follow(state: State, origin: Origin) -> None:
    """Bring the licences of a register's rows to what the register says now."""
    licence, rows = state["licence"], origin.rows(state)
    mine = np.flatnonzero(
        (licence["type"] == origin.type) & (licence["number"] == origin.number) & (licence["origin"] > 0)
    )
    at = licence["origin"][mine] - 1
    differs: Mask = np.zeros(len(mine), dtype=bool)
    for name in ("person", "firm", "until", "revoked"):
        now = getattr(rows, name)[at]
        # A licence outlives the row it came from: whose it was stays.
        now = np.where(rows.there[at], now, licence[name][mine])
        differs |= licence[name][mine] != now
        licence[name][mine] = now
    state.touch("licence_register.licence", mine[differs] + 1)
    missing: Mask = rows.there.copy()
    missing[at] = False
    new = np.flatnonzero(missing)
    ids = state["licence"].append(
        type=np.full(len(new), origin.type),
        person=rows.person[new],
        firm=rows.firm[new],
        issued=rows.issued[new],
        until=rows.until[new],
        revoked=rows.revoked[new],
        origin=new + 1,
        number=origin.number,
    )
    state.add("licence_register.licence", ids)


def _change(state: State, rates: Rates) -> None:
    """A day: what other registers say, deaths, renewals, revocations and new licences."""
    rate, rng = rates.of(NAME), state.rng_of(NAME)
    for origin in origins(state):
        _follow(state, origin)
    licence, person = state["licence"], state["person"]
    own = (licence["origin"] == 0) & (licence["revoked"] == NEVER)
    dead = state["death"]["person"][state.before["death"] :]
    ended = np.flatnonzero(
        own
        & ((np.isin(licence["person"], dead) & (licence["person"] > 0)) | _drop(licence["type"], rate, rng))
    )
    licence["revoked"][ended] = state.today
    alive = (licence["firm"] > 0) | person["resident"][np.maximum(licence["person"], 1) - 1]
    due = np.flatnonzero(
        own & alive & (licence["revoked"] == NEVER) & (licence["until"] <= state.today + _RENEWABLE_DAYS)
    )
    renewed = due[rng.random(len(due)) < rate["renewed"]]
    licence["until"][renewed] = state.today + _YEARS[licence["type"][renewed]] * 365
    state.touch("licence_register.licence", np.r_[ended, renewed] + 1)
    _issue_today(state, rate, rng)


def _drop(types: Column, rate: Mapping[str, float], rng: Generator) -> Mask:
    """Which licences are revoked today for a reason of their own; never an identity card."""
    return np.asarray((types != _IDENTITY) & (rng.random(len(types)) < rate["revoked"]))


def _issue_today(state: State, rate: Mapping[str, float], rng: Generator) -> None:
    person, firm = state["person"], state["firm"]
    age = state.today - person["birth"]
    sixteen = np.flatnonzero(person["resident"] & (age == int(16 * YEAR))) + 1
    adults = np.flatnonzero(person["resident"] & (age > 20 * YEAR) & (age < 60 * YEAR)) + 1
    people = adults[rng.random(len(adults)) < rate["newly_people"]]
    firms = firm.ids[rng.random(len(firm)) < rate["newly_firms"]]
    types = np.concatenate(
        [np.full(len(sixteen), _IDENTITY), _draw(PERSON, len(people), rng), _draw(FIRM, len(firms), rng)]
    )
    persons = np.concatenate([sixteen, people, 0 * firms]).astype(np.int64)
    companies = np.concatenate([0 * sixteen, 0 * people, firms]).astype(np.int64)
    ids = _issue(state, types, persons, companies, np.full(len(types), state.today))
    state.add("licence_register.licence", ids)


def _type_texts(types: Column) -> Columns:
    return {
        "type_code": pick([kind.code for kind in TYPES], types),
        "type_name": pick([kind.label for kind in TYPES], types),
        "issuing_department": pick([kind.department for kind in TYPES], types),
    }


def _until(state: State, until: Column) -> Strings:
    """Write ends as registers do: 长期 where there is none."""
    return dates(until).fill_null("长期")


def _licence(state: State, ids: Ints) -> Columns:
    licence, at = state["licence"], ids - 1
    texts = _type_texts(licence["type"][at])
    return {
        "type_code": texts["type_code"],
        "type_name": texts["type_name"],
        "licence_no": join(texts["type_code"], padded(ids, 10)),
        "holder_kind": pick((PERSON, FIRM), (licence["firm"][at] > 0).astype(np.int64)),
        **holders.named(state, "holder", licence["person"][at], licence["firm"][at]),
        "issuing_department": texts["issuing_department"],
        "issued_on": dates(licence["issued"][at]),
        "valid_until": _until(state, licence["until"][at]),
        "revoked_on": dates(licence["revoked"][at]),
    }


TABLES = (
    SourceTable(
        source="licence_register",
        name="licence",
        key="licence_id",
        columns=st.columns(
            "licence_id type_code type_name licence_no holder_kind holder_pid holder_name holder_uscc "
            "issuing_department issued_on valid_until revoked_on updated_at:timestamp"
        ),
        every=st.rows_of("licence"),
        project=_licence,
        person=st.person_of("licence"),
        key_text=st.numbered("Z"),
        forms={
            "type_code": "code", "holder_pid": "pid", "holder_name": "name", "holder_uscc": "uscc",
            "issuing_department": "text", "issued_on": "date",
        },
    ),
)  # fmt: skip


def _ids(values: Column) -> pa.Array:
    return pa.array(values.astype(np.int64), mask=values == 0)


def _truth(state: State) -> dict[str, pa.Table]:
    licence = state["licence"]
    return {
        "licence": pa.table(
            {
                "licence_id": padded(licence.ids, 10, "Z"),
                "type_code": _type_texts(licence["type"])["type_code"],
                "holder_person_id": _ids(licence["person"]),
                "holder_uscc": holders.uscc(state, licence["firm"]),
                "issued_on": date_array(licence["issued"]),
                "valid_until": date_array(licence["until"]),
                "revoked_on": date_array(licence["revoked"]),
            }
        )
    }


DOMAIN = Domain(NAME, SCHEMA, _found, _change, (System("licence_register", TABLES),), _truth)
