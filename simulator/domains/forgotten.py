"""People of whom one old record is all that is left: long dead or gone, in no register of the city.

A column of people may mix both: a positive number is a person's id, a negative one a forgotten person's.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.random import Generator

from simulator import codes, identity, names
from simulator.domains.domain import Domain
from simulator.rates import Rates
from simulator.state import I8, I32, I64, State
from simulator.table import Column, Ints
from simulator.text import Strings, date_array, pick


def remember(state: State, regions: Column, births: Column, sexes: Column, rng: Generator) -> Ints:
    """Add forgotten people, born in regions (6 digits) on days, and return them as negative numbers."""
    taken = np.concatenate([state["person"]["number"], state["forgotten"]["number"]])
    first, second = names.given_names(sexes, rng)
    return -state["forgotten"].append(
        number=identity.resident_numbers(regions, births, sexes, taken, rng),
        surname=names.surnames(len(births), rng),
        given1=first,
        given2=second,
        sex=sexes,
        birth=births,
        nation=rng.choice(len(codes.NATIONS), size=len(births), p=codes.NATION_WEIGHTS),
    )


def about(state: State, column: str, people: Column) -> Column:
    """Return a column that persons and forgotten people both have."""
    people = np.asarray(people, dtype=np.int64)
    persons = state["person"][column]
    everyone = np.concatenate([persons, state["forgotten"][column]])
    return np.asarray(everyone[np.where(people > 0, people - 1, len(persons) - people - 1)])


def name(state: State, people: Column) -> Strings:
    """Return names."""
    return names.full_names(*(about(state, column, people) for column in ("surname", "given1", "given2")))


def pid(state: State, people: Column) -> Strings:
    """Return resident ID numbers of 18 digits."""
    return identity.resident_ids(about(state, "number", people))


def person_ids(people: Column) -> pa.Array:
    """Return ids of persons for a truth table; null for the forgotten."""
    people = np.asarray(people, dtype=np.int64)
    return pa.array(people, mask=people <= 0)


def forgotten_ids(people: Column) -> pa.Array:
    """Return ids of forgotten people for a truth table; null for persons."""
    people = np.asarray(people, dtype=np.int64)
    return pa.array(-people, mask=people >= 0)


def _nothing(state: State, rates: Rates) -> None:
    """Nobody is forgotten by himself: the domains with old records remember them."""


def _truth(state: State) -> Mapping[str, pa.Table]:
    forgotten = state["forgotten"]
    people = -forgotten.ids
    table = pa.table(
        {
            "forgotten_id": forgotten.ids,
            "pid": pid(state, people),
            "name": name(state, people),
            "sex": pick(codes.SEXES, forgotten["sex"]),
            "birth_date": date_array(forgotten["birth"]),
            "nation": pick(codes.NATIONS, forgotten["nation"]),
        }
    )
    return {"forgotten": table}


DOMAIN = Domain(
    name="forgotten",
    schema={
        "forgotten": {
            "number": I64,
            "surname": I32,
            "given1": I32,
            "given2": I32,
            "sex": I8,
            "birth": I32,
            "nation": I8,
        }
    },
    found=_nothing,
    change=_nothing,
    systems=(),
    truth=_truth,
)
