"""E-licences that other registers tell of: a marriage has two certificates, a vehicle has one, and so on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np

from simulator import codes
from simulator.calendar import to_days
from simulator.domains.licence_types import NUMBERS
from simulator.domains.transport_tables import DRIVER
from simulator.state import State
from simulator.table import NEVER, Column, Mask

_ELECTRONIC = to_days(date(2012, 1, 1))  # marriages before it have no e-licence


@dataclass(frozen=True)
class Rows:
    """For every row of the register: whether there is a licence, whose it is, and its days."""

    there: Mask
    person: Column
    firm: Column
    issued: Column
    until: Column
    revoked: Column


@dataclass(frozen=True)
class Origin:
    """A register whose rows each have a licence of one type; ``number`` tells the licences of a row apart."""

    type: int
    number: int
    table: str
    rows: Callable[[State], Rows]


def _rows(
    state: State, table: str, issued: Column, *, there: Mask | None = None, person: Column | None = None,
    firm: Column | None = None, until: Column | None = None, revoked: Column | None = None,
) -> Rows:  # fmt: skip
    count = len(state[table])
    nobody, never = np.zeros(count, dtype=np.int32), np.full(count, NEVER)
    exists = np.asarray(issued) <= state.today
    return Rows(
        exists if there is None else exists & there,
        nobody if person is None else person,
        nobody if firm is None else firm,
        issued,
        never if until is None else until,
        never if revoked is None else revoked,
    )


def _married(side: str) -> Callable[[State], Rows]:
    def rows(state: State) -> Rows:
        it = state["marriage"]
        divorced = np.where(it["end_kind"] == codes.DIVORCED, it["ended"], NEVER)
        there = it["registered"] >= _ELECTRONIC
        return _rows(state, "marriage", it["registered"], there=there, person=it[side], revoked=divorced)

    return rows


def _divorced(side: str) -> Callable[[State], Rows]:
    def rows(state: State) -> Rows:
        it = state["marriage"]
        there = (it["end_kind"] == codes.DIVORCED) & (it["ended"] >= _ELECTRONIC)
        return _rows(state, "marriage", it["ended"], there=there, person=it[side])

    return rows


def _born(state: State) -> Rows:
    return _rows(state, "birth", state["birth"]["born"], person=state["birth"]["person"])


def _served(state: State) -> Rows:
    it = state["service"]
    return _rows(state, "service", it["discharged"] + 180, person=it["person"])


def _founded(state: State) -> Rows:
    it = state["firm"]
    return _rows(state, "firm", it["established"], firm=it.ids)


def _vehicle(state: State) -> Rows:
    it = state["vehicle"]
    there = it["person"] > 0
    return _rows(state, "vehicle", it["registered"], there=there, person=it["person"], revoked=it["scrapped"])


def _transport(driver: bool) -> Callable[[State], Rows]:
    def rows(state: State) -> Rows:
        it = state["transport_licence"]
        # The catalogue knows operators as organisations only.
        there = (it["kind"] == DRIVER) if driver else (it["kind"] != DRIVER) & (it["firm"] > 0)
        return _rows(
            state, "transport_licence", it["issued"], there=there, person=np.where(there, it["person"], 0),
            firm=np.where(there, it["firm"], 0), until=it["until"], revoked=it["revoked"],
        )  # fmt: skip

    return rows


def _disabled(state: State) -> Rows:
    it = state["certificate"]
    return _rows(
        state,
        "certificate",
        it["issued"],
        person=it["person"],
        until=it["valid_until"],
        revoked=it["revoked"],
    )


_ALL = (
    Origin(NUMBERS["结婚证"], 0, "marriage", _married("husband")),
    Origin(NUMBERS["结婚证"], 1, "marriage", _married("wife")),
    Origin(NUMBERS["离婚证"], 0, "marriage", _divorced("husband")),
    Origin(NUMBERS["离婚证"], 1, "marriage", _divorced("wife")),
    Origin(NUMBERS["出生医学证明"], 0, "birth", _born),
    Origin(NUMBERS["退役军人优待证"], 0, "service", _served),
    Origin(NUMBERS["营业执照"], 0, "firm", _founded),
    Origin(NUMBERS["机动车行驶证"], 0, "vehicle", _vehicle),
    Origin(NUMBERS["道路运输从业资格证"], 0, "transport_licence", _transport(driver=True)),
    Origin(NUMBERS["道路运输经营许可证"], 0, "transport_licence", _transport(driver=False)),
    Origin(NUMBERS["残疾人证"], 0, "certificate", _disabled),
)


def origins(state: State) -> list[Origin]:
    """Return the registers that this city has."""
    return [origin for origin in _ALL if origin.table in state.tables]
