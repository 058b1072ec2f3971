"""Whom people turn to near their home."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from simulator.state import State
from simulator.table import Column, Ints


def in_own_district(state: State, sites: Column, homes: Column, rng: Generator) -> Ints:
    """Return for each home (a village) the position of a site (a village too) in its district.

    Any site where the district has none; there must be at least one.
    """
    district = state.places.village_district
    order = np.argsort(district[sites], kind="stable")
    ordered, wanted = district[sites][order], district[np.asarray(homes)]
    first = np.searchsorted(ordered, wanted, side="left")
    count = np.searchsorted(ordered, wanted, side="right") - first
    draw = rng.random(len(wanted))
    near = first + np.floor(draw * count).astype(np.int64)
    anywhere = np.floor(draw * len(order)).astype(np.int64)
    return np.asarray(order[np.where(count > 0, near, anywhere)], dtype=np.int64)
