"""The record of plants: what was planted where, and why it is a fault or only nearly one."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from toy_source import Row

from plants.fresh import Fresh

Kind = Literal["fault", "near_miss"]
KINDS: tuple[Kind, ...] = ("fault", "near_miss")
Fate = Literal["lost", "strayed", "undeleted", "stale", "deleted", "renewed", "withdrawn", "waiting"]
"""What becomes of a row between landing and staging (plants.loads)."""


@dataclass(frozen=True)
class Draft:
    """Rows of the table under test, and rows of other tables without which they would not be what they are.

    `also` begins the names of other rules that a near miss fails with good reason. With a `manifest` it is a
    file, of which that says (expected rows, rows read); or its rows meet a `fate`. `case` tells it from other
    plants of the rule (default: `why`). Of a fault's rows so many `fails`.
    """

    why: str
    rows: tuple[Row, ...]
    beside: tuple[tuple[str, Row], ...] = ()
    also: tuple[str, ...] = ()
    manifest: tuple[int | None, int] | None = None
    is_made_good: bool = False
    fate: Fate | None = None
    case: Hashable = None
    fails: int = 1


@dataclass(frozen=True)
class Plant:
    """A draft planted for one binding of a rule. It is found if any of its rows fails that rule there.

    `case`: what is planted, with its table and column where the rule's domain is too small without them.
    """

    rule: str
    table: str
    column: str
    kind: Kind
    draft: Draft
    case: Hashable


@dataclass
class Ask:
    """What a recipe starts from: the binding, how often its rule was planted before, and a good row."""

    table: str
    column: str
    turn: int
    draw: Random
    fresh: Fresh
    row: Row = field(default_factory=dict)
    beside: tuple[tuple[str, Row], ...] = ()

    def __post_init__(self) -> None:
        self.row, self.beside = self.fresh.row(self.table)

    @property
    def good(self) -> str:
        """The good value of the column asked about."""
        return self.row.get(self.column) or ""

    def put(self, value: str | None, why: str, *, also: Sequence[str] = (), case: Hashable = None) -> Draft:
        """Plant a value in the column asked about."""
        return self.change({self.column: value}, why, also=also, case=value if case is None else case)

    def change(self, changes: Row, why: str, *, also: Sequence[str] = (), case: Hashable = None) -> Draft:
        """Plant some changes of the good row, which are the case if nothing else is."""
        made = tuple(sorted(changes.items())) or why
        return Draft(
            why, (self.row | changes,), self.beside, tuple(also), case=made if case is None else case
        )


Recipe = Callable[[Ask], Draft | None]
"""Makes a plant, or nothing where it does not fit the binding."""


@dataclass(frozen=True)
class Recipes:
    """How to plant a rule's faults and its near misses; taken in turns, `each` for a binding at the least.

    `placed`: a case is one of its table and column, as the rule's domain has no hundred values.
    """

    faults: Sequence[Recipe]
    near_misses: Sequence[Recipe]
    each: int = 1
    placed: bool = False
