"""Scoring the rules against the record of plants, and the table of `docs/quality_proof.md`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from own_warehouse import TODAY
from psycopg import sql

from huiliu.database import Connection
from plants.planting import Garden
from plants.record import Plant
from soda_checks.conditions import condition, counted_groups
from soda_checks.contract import Contract
from soda_checks.ledger import find_failing
from soda_checks.relations import columns_of, rows_of, table_relation
from soda_checks.rules import catalogue
from soda_checks.verify import CheckOutcome, TableOutcome, verify

Flagged = dict[tuple[str, str, str], set[str]]
"""Rule, raw table and column -> keys of the rows that fail."""


def flagged_rows(connection: Connection, contracts: Iterable[Contract]) -> Flagged:
    """Verify staging tables as they are; their rows, counted apart, are as many as the checks say."""
    flagged: Flagged = defaultdict(set)
    for contract in contracts:
        (outcome,) = verify(connection, [(contract, table_relation(connection, contract, TODAY))])
        find_failing(connection, outcome)
        rows = connection.execute("select rule_id, column_name, row_key from pg_temp.failing").fetchall()
        found = Counter((rule, column) for rule, column, _ in rows)
        for check, tested in zip(outcome.checks, _tested(connection, outcome), strict=True):
            binding = (check.attributes.rule_id, check.bound.column)
            counted = (contract.table_name, binding, check.tested, check.failed)
            assert counted == (contract.table_name, binding, tested, found[binding]), check.message
        for rule, column, key in rows:
            flagged[rule, contract.raw_table, column].add(key)
    return flagged


def _tested(connection: Connection, outcome: TableOutcome) -> tuple[int, ...]:
    """How many rows each check tests, counted apart."""
    counts = sql.SQL(", ").join(_count_of(outcome, check) for check in outcome.checks)
    held = columns_of(connection, outcome.relation)
    rows = rows_of(connection, outcome.contract, outcome.relation, held)
    query = sql.SQL("select {} from {}").format(counts, rows.query)
    return connection.execute(query).fetchone() or ()


def _count_of(outcome: TableOutcome, check: CheckOutcome) -> sql.Composed:
    groups = counted_groups(check.bound.check, outcome.relation)
    if groups is not None:
        return sql.SQL("(select coalesce(sum(row_count), 0)::bigint from {})").format(groups)
    tested = condition(outcome.contract, check.bound, outcome.relation).tested
    return sql.SQL("count(*) filter (where {})").format(tested)


@dataclass
class Tally:
    """What became of a rule's plants."""

    faults: int = 0
    found: int = 0
    near_misses: int = 0
    wrong: int = 0
    missed: list[Plant] = field(default_factory=list)
    accused: list[tuple[str, str, str, Plant | None]] = field(default_factory=list)

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

`tests/quality/test_staging_plants.py` plants them with a fixed seed, holds recall and precision at 0.99 or
more, and this page to what it found. After a change of a rule, a contract or a plant, write it anew:

```sh
.venv/bin/python -m pytest tests/quality/test_staging_plants.py --write-proof
```

| rule | | bound to | faults | found | recall | near misses | wrongly flagged | precision |
|---|---|---|---|---|---|---|---|---|
"""


def page(tallies: Mapping[str, Tally], bound_to: Mapping[str, int], notes: str = "") -> str:
    """The page with its table: a row for each rule of the catalogue."""
    lines = []
    for rule_id, rule in catalogue().rules.items():
        it = tallies.get(rule_id)
        places = f"{bound_to.get(rule_id, 0)} columns and tables"
        if it is None:
            lines.append(f"| {rule_id} | {rule.title} | not bound | | | | | | |")
            continue
        lines.append(
            f"| {rule_id} | {rule.title} | {places} | {it.faults} | {it.found} | {it.recall:.3f}"
            f" | {it.near_misses} | {it.wrong} | {it.precision:.3f} |"
        )
    return HEAD + "\n".join(lines) + "\n" + notes
