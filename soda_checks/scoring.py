"""Scores from counts (docs/quality.md has the formula worked through by hand). No database here.

Class score = 1 - Σ(weight·failed) / Σ(weight·tested), between 0 and 1; nothing tested gives None, never 1.
Overall score = mean of the class scores by class weight, renormalised over the classes that were tested.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal

from soda_checks.contract import Contract
from soda_checks.rules import OVERALL, Dimension, catalogue
from soda_checks.verify import CheckOutcome, TableOutcome

BLOCKED_CAP = Decimal("0.5")
"""A table with a failing blocking rule, or one that could not be evaluated, scores no more than this."""

_PLACES = Decimal("0.000001")


@dataclass(frozen=True)
class Score:
    """One row of `quality.score`."""

    level: str
    name: str
    dimension: str
    score: Decimal | None


@dataclass
class Tally:
    """Weighted counts by class."""

    tested: dict[Dimension, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    failed: dict[Dimension, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def add(self, dimension: Dimension, weight: Decimal, tested: int, failed: int) -> None:
        """Count `tested` rows of which `failed` fail a rule of this weight."""
        self.tested[dimension] += weight * tested
        self.failed[dimension] += weight * failed

    def merge(self, other: Tally) -> None:
        """Add another tally."""
        for dimension in other.tested:
            self.tested[dimension] += other.tested[dimension]
            self.failed[dimension] += other.failed[dimension]

    def scores(self) -> dict[Dimension, Decimal | None]:
        """Score of each class; None where nothing was tested."""
        return {
            dimension: 1 - self.failed[dimension] / self.tested[dimension]
            if self.tested.get(dimension)
            else None
            for dimension in catalogue().dimensions
        }

    def overall(self) -> Decimal | None:
        """Mean of the tested classes by class weight."""
        weights = catalogue().dimensions
        known = [(weights[name].weight, score) for name, score in self.scores().items() if score is not None]
        if not known:
            return None
        return sum((weight * score for weight, score in known), Decimal(0)) / sum(
            weight for weight, _ in known
        )


def tally(checks: Iterable[CheckOutcome]) -> Tally:
    """Count the checks that were evaluated."""
    counted = Tally()
    for check in checks:
        if check.tested is not None and check.failed is not None:
            counted.add(check.dimension, check.attributes.weight, check.tested, check.failed)
    return counted


def table_overall(outcome: TableOutcome) -> Decimal | None:
    """Overall score of a table, capped if it is blocked; 0 if rules are bound and none could be evaluated."""
    overall = tally(outcome.checks).overall()
    if not outcome.blocking:
        return overall
    return min(overall, BLOCKED_CAP) if overall is not None else Decimal(0)


def _mass(outcome: TableOutcome) -> Decimal:
    """How much a table counts for its source: its weighted tests, those that could not be run included."""
    return sum(
        (
            check.attributes.weight * (check.tested if check.tested is not None else max(outcome.rows, 1))
            for check in outcome.checks
        ),
        Decimal(0),
    )


def table_scores(outcomes: Iterable[TableOutcome]) -> Iterator[Score]:
    """Scores by column and by table."""
    for outcome in outcomes:
        name = outcome.contract.table_name
        by_column: dict[str, list[CheckOutcome]] = defaultdict(list)
        for check in outcome.checks:
            if check.bound.column:
                by_column[check.bound.column].append(check)
        for column, checks in by_column.items():
            counted = tally(checks)
            yield from _rows("column", f"{name}.{column}", counted, counted.overall())
        yield from _rows("table", name, tally(outcome.checks), table_overall(outcome))


def rolled_up(outcomes: Iterable[TableOutcome], city: str) -> Iterator[Score]:
    """Scores by source, department and city: classes pooled, overall the tables' own, caps included.

    A department answers for its own checks, whosever the table is.
    """
    groups: dict[tuple[str, str], list[TableOutcome]] = defaultdict(list)
    for outcome in outcomes:
        meta = outcome.contract.huiliu
        if meta.source is not None:
            groups["source", meta.source].append(outcome)
        for department, part in _parts(outcome):
            groups["department", department].append(part)
        groups["city", city].append(outcome)
    for (level, name), members in sorted(groups.items()):
        pooled = Tally()
        for member in members:
            pooled.merge(tally(member.checks))
        yield from _rows(level, name, pooled, _mean(members))


def _parts(outcome: TableOutcome) -> Iterator[tuple[str, TableOutcome]]:
    """A table as each department answers for it: the checks that are its own, most of them the table's."""
    owned: dict[str, list[CheckOutcome]] = defaultdict(list)
    for check in outcome.checks:
        owned[check.attributes.department].append(check)
    for department, checks in owned.items():
        yield department, replace(outcome, checks=tuple(checks))


def _mean(members: Iterable[TableOutcome]) -> Decimal | None:
    known = [(_mass(m), score) for m in members if (score := table_overall(m)) is not None]
    mass = sum((mass for mass, _ in known), Decimal(0))
    return sum((mass * score for mass, score in known), Decimal(0)) / mass if mass else None


def region_scores(outcomes: Iterable[TableOutcome]) -> Iterator[Score]:
    """Scores by consumer code: townships, districts and the city (9, 6, 4 digits)."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    for outcome in outcomes:
        for region, check, counted in outcome.regions:
            for consumer in _consumers(region, outcome.contract):
                tallies[consumer].add(
                    check.dimension, check.attributes.weight, counted.tested, counted.failed
                )
    for code, counted_there in sorted(tallies.items()):
        yield from _rows("region", code, counted_there, counted_there.overall())


def _consumers(code: str, contract: Contract) -> list[str]:
    """A table of the return layer has a row for each of its consumers: its codes count as they are."""
    if contract.layer == "return":
        return [code]
    return [code[:length] for length in (9, 6, 4) if len(code) >= length]


def _rows(level: str, name: str, counted: Tally, overall: Decimal | None) -> Iterator[Score]:
    for dimension, score in counted.scores().items():
        yield Score(level, name, dimension, _rounded(score))
    yield Score(level, name, OVERALL, _rounded(overall))


def _rounded(score: Decimal | None) -> Decimal | None:
    return None if score is None else score.quantize(_PLACES)
