"""Funeral homes: cremations, some before any register knows of the death, a few of people from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.random import Generator

from simulator import codes
from simulator.domains import forgotten
from simulator.domains.domain import Domain
from simulator.population import YEAR, elsewhere
from simulator.rates import Rates
from simulator.state import I8, I32, State
from simulator.systems import source_table as st
from simulator.systems.source_table import Columns, SourceTable
from simulator.systems.system import Shown, System
from simulator.table import NEVER, Column, Ints, Mask
from simulator.text import Strings, date_array, dates, join, pick, where
from simulator.writers import write_json

FILE = "火化登记.json"
HEADER = (
    ("登记号", "cremation_no"),
    ("逝者姓名", "name"),
    ("逝者身份证号", "pid"),
    ("性别", "sex"),
    ("出生日期", "birth_date"),
    ("年龄", "age"),
    ("死亡日期", "died_on"),
    ("火化日期", "cremated_on"),
    ("户籍地址", "address"),
    ("与联系人关系", "contact_relation"),
    ("殡仪馆", "funeral_home"),
)
_RELATIONS = ("子", "女", "配偶", "孙子女", "兄弟姐妹", "村（居）委会")
_RELATION_SHARES = (0.45, 0.25, 0.16, 0.05, 0.05, 0.04)
_TWO_YEARS = 730

# "deceased" is a person's id or the negative number of a forgotten one; "shown" is the day from which the
# funeral home's list has the row.
SCHEMA = {
    "cremation": {
        "deceased": I32, "died": I32, "cremated": I32, "shown": I32, "village": I32, "contact": I8,
        "numbered": np.bool_, "dated": np.bool_,
    }
}  # fmt: skip


def _found(state: State, rates: Rates) -> None:
    rng = state.rng_of("funerals")
    _cremate(state, 0, rates.of("funerals"), rng)
    _strangers(state, state.today - rng.integers(5, _TWO_YEARS, _few(state, rates, rng)), rng)


def _change(state: State, rates: Rates) -> None:
    rng = state.rng_of("funerals")
    _cremate(state, state.before["death"], rates.of("funerals"), rng)
    if rng.random() < _few(state, rates, rng) / _TWO_YEARS:
        _strangers(state, np.array([state.today]), rng)
    state.add("funeral.cremation", np.flatnonzero(state["cremation"]["shown"] == state.today) + 1)


def _few(state: State, rates: Rates, rng: Generator) -> int:
    return max(2, round(len(state["death"]) * rates.of("funerals")["strangers"]))


def _cremate(state: State, before: int, rate: dict[str, float], rng: Generator) -> None:
    """Cremate most of those who have died since a row of the deaths."""
    death = state["death"]
    new = np.arange(before, len(death))
    new = new[rng.random(len(new)) < rate["cremated"]]
    people = death["person"][new].astype(np.int64)
    _book(state, people, death["died"][new], state.person("village", people), rate["numbered"], rng)


def _strangers(state: State, days: Column, rng: Generator) -> None:
    """Cremate people who died in the city but lived elsewhere."""
    births = np.asarray(days) - ((55 + rng.random(len(days)) * 40) * YEAR).astype(np.int64)
    sexes = rng.integers(1, 3, len(days))
    people = forgotten.remember(state, elsewhere(len(days), rng), births, sexes, rng)
    _book(state, people, days, np.full(len(days), -1), 0.6, rng)


def _book(
    state: State, people: Ints, died: Column, villages: Column, numbered: float, rng: Generator
) -> None:
    cremated = np.asarray(died) + rng.integers(1, 5, len(people))
    state["cremation"].append(
        deceased=people,
        died=died,
        cremated=cremated,
        shown=cremated + rng.integers(0, 2, len(people)),
        village=villages,
        contact=rng.choice(len(_RELATIONS), size=len(people), p=_RELATION_SHARES),
        numbered=rng.random(len(people)) < numbered,
        dated=rng.random(len(people)) < 0.8,
    )


def _text(numbers: Column) -> Strings:
    return pc.cast(pa.array(np.asarray(numbers, dtype=np.int64)), pa.string())


def _cremation(state: State, ids: Ints) -> Columns:
    cremation, at = state["cremation"], ids - 1
    people, died = cremation["deceased"][at], cremation["died"][at].astype(np.int64)
    births = forgotten.about(state, "birth", people)
    dated = cremation["dated"][at]
    village = cremation["village"][at]
    age = np.floor((died - births) / YEAR).astype(np.int64)
    return {
        "name": forgotten.name(state, people),
        "pid": where(cremation["numbered"][at], forgotten.pid(state, people)),
        "sex": pick(codes.SEX_NAMES, forgotten.about(state, "sex", people)),
        "birth_date": dates(np.where(dated, births, NEVER)),
        "age": where(~dated, _text(age)),
        "died_on": dates(died),
        "cremated_on": dates(cremation["cremated"][at]),
        "address": pc.coalesce(state.places.full_name(village), pa.scalar("外地")),
        "contact_relation": pick(_RELATIONS, cremation["contact"][at]),
        "funeral_home": join(pick(state.places.district_names, _home(state, at)), "殡仪馆"),
    }


def _home(state: State, at: Ints) -> Ints:
    """Return the district of the funeral home: that of the dead, for strangers the first."""
    village = state["cremation"]["village"][at]
    return np.where(village < 0, 0, state.places.village_district[village])


def _deceased(state: State, ids: Ints) -> Ints:
    return np.maximum(state["cremation"]["deceased"][ids - 1].astype(np.int64), 0)


def _visible(state: State, ids: Ints) -> Mask:
    return np.asarray(state["cremation"]["shown"][ids - 1] <= state.today)


TABLES = (
    SourceTable(
        source="funeral",
        name="cremation",
        key="cremation_no",
        columns=tuple((name, "text") for _, name in HEADER),
        every=st.rows_of("cremation"),
        project=_cremation,
        person=_deceased,
        visible=_visible,
        key_text=st.numbered("HH"),
        forms={
            "name": "name",
            "pid": "pid",
            "sex": "code",
            "birth_date": "date",
            "died_on": "date",
            "cremated_on": "date",
            "address": "text",
        },
        stamped=False,
    ),
)


def _write(state: State, shown: Shown, folder: Path) -> None:
    write_json(shown.whole("cremation"), HEADER, folder / FILE)


def _truth(state: State) -> Mapping[str, pa.Table]:
    cremation = state["cremation"]
    table = pa.table(
        {
            "cremation_no": TABLES[0].key_text(state, cremation.ids, cremation.ids),
            "person_id": forgotten.person_ids(cremation["deceased"]),
            "forgotten_id": forgotten.forgotten_ids(cremation["deceased"]),
            "died_on": date_array(cremation["died"]),
            "cremated_on": date_array(cremation["cremated"]),
            "reported_on": date_array(cremation["shown"]),
        }
    )
    return {"cremation": table}


DOMAIN = Domain(
    name="funerals",
    schema=SCHEMA,
    found=_found,
    change=_change,
    systems=(System("funeral", TABLES, _write),),
    truth=_truth,
)
