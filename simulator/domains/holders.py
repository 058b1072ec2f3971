"""Whose something is: a person's or a firm's, as the registers of vehicles and licences write it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.state import State
from simulator.systems import source_table as st
from simulator.systems.enterprise_registry import credit_code, firm_name
from simulator.systems.source_table import Columns
from simulator.table import Column, Ints
from simulator.text import Strings, where


def uscc(state: State, firms: Column) -> Strings:
    """Return credit codes; null for firm 0."""
    firms = np.asarray(firms)
    return where(firms > 0, credit_code(state, np.maximum(firms, 1)))


def named(state: State, prefix: str, persons: Column, firms: Column) -> Columns:
    """Return ``<prefix>_pid``, ``_name`` and ``_uscc`` of holders that are a person or a firm."""
    persons, firms = np.asarray(persons), np.asarray(firms)
    name = pc.if_else(pa.array(persons > 0), st.name(state, persons), firm_name(state, np.maximum(firms, 1)))
    return {
        f"{prefix}_pid": st.pid(state, persons),
        f"{prefix}_name": name,
        f"{prefix}_uscc": uscc(state, firms),
    }


def villages(state: State, persons: Column, firms: Column) -> Ints:
    """Return where each holder lives, or has its seat."""
    home = state["person"]["village"][np.maximum(persons, 1) - 1]
    seat = state["firm"]["village"][np.maximum(firms, 1) - 1]
    return np.asarray(np.where(np.asarray(persons) > 0, home, seat), dtype=np.int64)
