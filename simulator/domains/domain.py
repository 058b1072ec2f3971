"""A domain of the city's life: truth of its own, what happens in it, and the systems that record it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from simulator.rates import Rates
    from simulator.state import State
    from simulator.systems.system import System


@dataclass(frozen=True)
class Domain:
    """A part of the city that can be taken away without the rest noticing.

    ``schema`` gives the truth tables it adds to the state (columns with numpy dtypes). ``found`` fills them
    for a new city, when people, firms and their past are there; ``change`` lets a day pass, after people have
    lived theirs: what happened to them are the rows added since ``state.before``. ``truth`` names what the
    tests may know (docs/truth.md). Random numbers come from ``state.rng_of(name)``.
    """

    name: str
    schema: Mapping[str, Mapping[str, Any]]
    found: Callable[[State, Rates], None]
    change: Callable[[State, Rates], None]
    systems: tuple[System, ...]
    truth: Callable[[State], Mapping[str, pa.Table]]
