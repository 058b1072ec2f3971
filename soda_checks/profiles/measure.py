"""Profile a batch or a table and compare it with those before: `quality.profile`, `quality.drift_alarm`.

Figures come from statistics that PostgreSQL gathered of these very rows (ANALYZE reads at most 30,000): of a
batch for the rules' own queries, of a table for its profile. Written in the caller's transaction; no alarm
stops a batch (docs/profiling.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

import numpy as np
from psycopg.rows import class_row

from huiliu import business_date
from huiliu.database import Connection
from huiliu.errors import DataError
from soda_checks.profiles import ledger
from soda_checks.profiles.alarm import Limits, judge
from soda_checks.profiles.ledger import Alarm, Batch, Figure, Past
from soda_checks.profiles.reason import reason
from soda_checks.profiles.shares import distance, quantile_distance, usual
from soda_checks.verify import TableOutcome

ROWS_FOR_COLUMNS = 30
"""Below so many rows only their number is kept: shares would be chance, and single people."""
SAMPLED_ROWS = 30_000
"""Rows that ANALYZE reads at most (300 times default_statistics_target)."""
_HISTOGRAM = 100

_WHOLE = "whole"


def profile_landed(connection: Connection, batch_id: int, outcome: TableOutcome) -> list[str]:
    """Profile a landed batch at the gate, as it was verified; return its alarms in words."""
    row = connection.execute(
        "select business_date, case when first_day is null then mode else 'backfill' end"
        " from ops.load_run where batch_id = %s",
        (batch_id,),
    ).fetchone()
    if row is None:
        raise DataError(f"Batch {batch_id} is not in ops.load_run", fix="gate batches that landed")
    return _profile(connection, outcome, batch_id, "staging_gate", str(row[1]), row[0])


def profile_tables(connection: Connection, batch_id: int, outcomes: Iterable[TableOutcome]) -> list[str]:
    """Profile the staging tables as a whole, forget what no season looks back to; return alarms in words.

    A table that is not there has no profile.
    """
    found: list[str] = []
    day = business_date.get(connection)
    for outcome in outcomes:
        if outcome.contract.layer == "staging" and outcome.rows:
            texts = _profile(connection, outcome, batch_id, "score", _WHOLE, day)
            found += [f"{outcome.contract.table_name} {text}" for text in texts]
    ledger.prune(connection, day)
    return found


def _profile(
    connection: Connection, outcome: TableOutcome, batch_id: int, stage: str, mode: str, day: date
) -> list[str]:
    contract = outcome.contract
    batch = Batch(batch_id, contract.table_name, str(contract.huiliu.source), stage, mode, day, outcome.rows)
    past = ledger.past(connection, batch)
    figures = [_measured(figure, past) for figure in _figures(connection, outcome, batch)]
    limits = ledger.limits(connection, batch)
    alarms = list(_alarms(figures, batch, past, limits))
    ledger.write(connection, batch, figures)
    ledger.raise_alarms(connection, batch, alarms)
    return [alarm.text for alarm in alarms]


def _figures(connection: Connection, outcome: TableOutcome, batch: Batch) -> Iterator[Figure]:
    yield Figure("", "rows", float(batch.rows), None)
    if batch.rows < ROWS_FOR_COLUMNS:
        return
    contract, relation = outcome.contract, outcome.relation
    name = relation.identifier.as_string(connection)
    documented = f"{contract.layer}.{contract.model}"
    connection.execute("select quality.analyze_staging(to_regclass(%s))", (name,))
    with connection.cursor(row_factory=class_row(Figure)) as cursor:
        yield from cursor.execute(
            "select * from quality.profile_of(to_regclass(%s), coalesce("
            "to_regclass(%s), to_regclass(%s)), %s, %s)",
            (name, f"{documented}_typed", documented, batch.rows, batch.business_date),
        ).fetchall()


def _measured(figure: Figure, past: Past) -> Figure:
    """Give a distribution its distance from the usual one of the last batches."""
    before = past.parts.get(figure.key)
    if figure.parts is None or not before:
        return figure
    are_shares = figure.measure != "quantiles"
    normal = usual(before, are_shares=are_shares)
    far = distance(figure.parts, normal) if are_shares else quantile_distance(figure.parts, normal)
    return Figure(figure.column_name, figure.measure, far, figure.parts)


def chance(figure: Figure, rows: int) -> float | None:
    """The standard error, on its scale, of a figure of so many rows of which ANALYZE read a sample.

    None of counts, where it follows from their size.
    """
    if figure.measure in ("rows", "distinct_count"):
        return None
    sampled = min(rows, SAMPLED_ROWS)
    if figure.measure == "null_share":
        return float(0.5 / np.sqrt(sampled))
    if figure.measure in ("ages", "forms"):
        sampled = min(sampled, _HISTOGRAM)
    parts = 1 if figure.measure == "quantiles" else len(figure.parts or ())
    return float(np.sqrt(parts / sampled))


def _alarms(
    figures: Sequence[Figure], batch: Batch, past: Past, limits: Mapping[str, Limits]
) -> Iterator[Alarm]:
    """Judge every figure; where the rows themselves changed, distinct counts follow and are not judged."""
    rows_changed = False
    for figure in figures:
        if figure.value is None or (rows_changed and figure.measure == "distinct_count"):
            continue
        judgement = judge(
            past.history(figure.key),
            batch.business_date,
            figure.value,
            limits[figure.measure],
            figure.scale,
            chance(figure, batch.rows),
        )
        if judgement is None or not judgement.is_alarm:
            continue
        rows_changed = rows_changed or figure.measure == "rows"
        before = past.parts.get(figure.key)
        normal = usual(before, are_shares=figure.measure != "quantiles") if before else {}
        text = reason(figure.measure, figure.column_name, judgement, figure.parts, normal)
        yield Alarm(figure, judgement, text)
