"""Scoring the rules against the record of plants, and the table of `docs/quality_proof.md`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field

from own_warehouse import TODAY

from huiliu.database import Connection
from plants.planting import RECIPES, Garden
from plants.record import KINDS, Kind, Plant
from soda_checks.contract import Contract
from soda_checks.ledger import find_failing
from soda_checks.relations import table_relation
from soda_checks.rules import catalogue
from soda_checks.verify import verify

Flagged = dict[tuple[str, str, str], set[str]]
"""Rule, raw table and column -> keys of the rows that fail."""


def flagged_rows(connection: Connection, contracts: Iterable[Contract]) -> Flagged:
    """Verify staging tables as they are; the rows they name are as many as their checks say."""
    flagged: Flagged = defaultdict(set)
    for contract in contracts:
        (outcome,) = verify(connection, [(contract, table_relation(connection, contract, TODAY))])
        find_failing(connection, outcome)
        rows = connection.execute("select rule_id, column_name, row_key from pg_temp.failing").fetchall()
        named = Counter((rule, column) for rule, column, _ in rows)
        for check in outcome.checks:
            binding = (check.attributes.rule_id, check.bound.column)
            said = (contract.table_name, binding, check.failed)
            assert said == (contract.table_name, binding, named[binding]), check.message
        for rule, column, key in rows:
            flagged[rule, contract.raw_table, column].add(key)
    return flagged


@dataclass
class Tally:
    """What became of a rule's plants."""

    faults: int = 0
    found: int = 0
    near_misses: int = 0
    wrong: int = 0
    cases: dict[Kind, set[Hashable]] = field(default_factory=lambda: {kind: set() for kind in KINDS})
    places: set[tuple[str, str]] = field(default_factory=set)
    missed: list[Plant] = field(default_factory=list)
    accused: list[tuple[str, str, str, Plant | None]] = field(default_factory=list)

    def note(self, plant: Plant) -> None:
        """Note what was planted, and where."""
        self.cases[plant.kind].add(plant.case)
        self.places.add((plant.table, plant.column))

    @property
    def recall(self) -> float:
        """Share of the faults that were found."""
        return self.found / self.faults if self.faults else 0.0

    @property
    def precision(self) -> float:
        """Share of what was found, or flagged without a fault, that was planted."""
        return self.found / (self.found + self.wrong) if self.found else 0.0


def score(garden: Garden, flagged: Flagged) -> dict[str, Tally]:
    """Count for each rule its faults that were found, and rows without fault that were flagged.

    A row planted for another rule's fault may fail this one as well: what follows from a fault is no error.
    """
    tallies: dict[str, Tally] = defaultdict(Tally)
    found: set[int] = set()
    for (rule, table, column), keys in flagged.items():
        accused: set[int | None] = set()
        for key in keys:
            number = garden.numbers[table, key]
            plant = None if number is None else garden.plants[number]
            if plant is not None and plant.kind == "fault":
                if (plant.rule, plant.column) == (rule, column):
                    found.add(number or 0)
            elif plant is None or not rule.startswith(plant.draft.also or ("-",)):
                if number is None or number not in accused:
                    tallies[rule].wrong += 1
                    tallies[rule].accused.append((table, column, key, plant))
                accused.add(number)
    for number, plant in enumerate(garden.plants):
        tally = tallies[plant.rule]
        tally.note(plant)
        if plant.kind == "near_miss":
            tally.near_misses += 1
        else:
            tally.faults += 1
            tally.found += number in found
            if number not in found:
                tally.missed.append(plant)
    return tallies


HEAD = """# Proof of the rules

Faults planted for each rule, and near misses: values just on the right side, which must pass. All land at
once in the real raw tables, among clean rows, and are read through the real typed views by the contracts as
they are (C06 in the region base). What was planted is on record (`tests/quality/plants`), in plain values and
with a reason for each; the rules' SQL is never asked what a fault is. A near miss or a clean row that a rule
flags counts against it. A row planted for another rule's fault does not: one fault may be several.

Each rule has at least a hundred faults and a hundred near misses that differ in what is planted (`distinct`):
the same value in another column is the same case. Only where a rule's domain has no hundred values (marked
\\*: blanks, conditions, code sets, repeated keys) a case is a value at its table and column; so is a blank
among other rules' near misses, and what befalls a row between landing and staging (S06).
`bindings` says at how many of a rule's places faults were planted: every one of the staging tables. Those of
built tables are planted nowhere, but for C06's.

The counts are held against another count: each binding is scanned once more, on the rows planted for it and
the clean rows its table begins with, and the rows tested and failed must be as many as the record says.
Which rows are tested is said there in Python, over the source's text (`oracle.py`).

`tests/quality/test_staging_plants.py` plants them with a fixed seed, holds recall and precision at 0.99 or
more, and this page to what it found. After a change of a rule, a contract or a plant, write it anew:

```sh
.venv/bin/python -m pytest tests/quality/test_staging_plants.py --write-proof
```

| rule | | faults | distinct | found | near misses | distinct | flagged | recall | precision | bindings |
|---|---|---|---|---|---|---|---|---|---|---|
"""


def page(tallies: Mapping[str, Tally], bound_to: Mapping[str, int]) -> str:
    """The page with its table: a row for each rule of the catalogue."""
    lines = []
    for rule_id, rule in catalogue().rules.items():
        it = tallies[rule_id]
        faults, near_misses = (len(it.cases[kind]) for kind in KINDS)
        placed = " \\*" if rule_id in RECIPES and RECIPES[rule_id].placed else ""
        lines.append(
            f"| {rule_id}{placed} | {rule.title} | {it.faults} | {faults} | {it.found} | {it.near_misses}"
            f" | {near_misses} | {it.wrong} | {it.recall:.3f} | {it.precision:.3f}"
            f" | {len(it.places)} of {bound_to.get(rule_id, 0)} |"
        )
    return HEAD + "\n".join(lines) + "\n"
