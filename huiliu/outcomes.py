"""What a flow came to, read from the ledgers: loads, models, scores, deliveries with their receipts, KPIs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg import sql

from huiliu.database import Connection

Rows = list[tuple[Any, ...]]

# The last attempt at each delivery of some batches, with the rows that all attempts changed.
_LATEST = sql.SQL(
    """
    select distinct on (delivery.package, delivery.consumer_code)
        delivery.package, delivery.consumer_code, delivery.status, delivery.rows_total,
        sum(coalesce(delivery.rows_upserted, 0) + coalesce(delivery.rows_deleted, 0))
            over (partition by delivery.package, delivery.consumer_code) as changes,
        coalesce(receipt.matches, false) as matches, delivery.error
    from ops.delivery as delivery
    left join ops.receipt as receipt using (delivery_id)
    where delivery.batch_id = any(%(batches)s)
    order by delivery.package, delivery.consumer_code, delivery.delivery_id desc
    """
)
_EACH = sql.SQL(
    "select package, consumer_code, status, rows_total, changes, matches, error from ({}) as latest"
).format(_LATEST)
_BY_PACKAGE = sql.SQL(
    """
    select package, count(*), count(*) filter (where matches and status = 'delivered'),
        count(*) filter (where status = 'held'), sum(changes), sum(rows_total)
    from ({}) as latest group by package order by package
    """
).format(_LATEST)


@dataclass(frozen=True)
class Deliveries:
    """Deliveries of some batches: due, held, matching; `missing` has a line for each that is neither."""

    due: int
    matching: int
    held: int
    changes: int
    missing: list[str] = field(default_factory=list)


def deliveries(conn: Connection, batches: Sequence[int]) -> Deliveries:
    """What came of every delivery of the batches; the last attempt counts."""
    rows = conn.execute(_EACH, {"batches": list(batches)}).fetchall()
    return Deliveries(
        due=len(rows),
        matching=sum(row[2] == "delivered" and row[5] for row in rows),
        held=sum(row[2] == "held" for row in rows),
        changes=sum(row[4] for row in rows),
        missing=[
            f"{row[0]} {row[1]}: {row[2]}, {row[6] or 'the receipt does not match'}"
            for row in rows
            if row[2] != "held" and not (row[2] == "delivered" and row[5])
        ],
    )


def batches_since(conn: Connection, since: datetime) -> list[int]:
    """Delivery batches planned at or after a moment."""
    rows = conn.execute(
        "select distinct batch_id from ops.delivery where started_at >= %s order by batch_id", [since]
    ).fetchall()
    return [int(row[0]) for row in rows]


def deliveries_by_package(conn: Connection, batches: Sequence[int]) -> Rows:
    """(package, due, matching receipts, held, rows changed, rows held there) for the batches."""
    return conn.execute(_BY_PACKAGE, {"batches": list(batches)}).fetchall()


def loads_since(conn: Connection, since: datetime) -> Rows:
    """(source, tables landed, tables failed, rows read, inserted, updated, deleted) of loads begun since."""
    return conn.execute(
        """
        select source, count(*) filter (where status = 'landed'), count(*) filter (where status <> 'landed'),
            coalesce(sum(rows_read), 0), coalesce(sum(rows_inserted), 0), coalesce(sum(rows_updated), 0),
            coalesce(sum(rows_deleted), 0)
        from ops.load_run where started_at >= %s group by source order by source
        """,
        [since],
    ).fetchall()


def models_since(conn: Connection, since: datetime) -> Rows:
    """(status, models, rows written, seconds) of builds begun since."""
    return conn.execute(
        """
        select model_run.status, count(*), coalesce(sum(model_run.row_count), 0),
            round(sum(model_run.seconds), 1)
        from ops.model_run inner join ops.build using (build_id)
        where build.started_at >= %s group by model_run.status order by model_run.status
        """,
        [since],
    ).fetchall()


def links_since(conn: Connection, since: datetime) -> Rows:
    """(records without a number, linked, in review, alone, weighed anew, matches changed) of builds since."""
    return conn.execute(
        """
        select run.records, run.linked, run.in_review, run.alone, run.scored, run.changed
        from linkage.run inner join ops.build using (build_id)
        where build.started_at >= %s order by build_id
        """,
        [since],
    ).fetchall()


def scores(conn: Connection) -> Rows:
    """(level, name, score) of the last scoring: the city and its departments."""
    return conn.execute(
        """
        select level, name, round(score, 4) from quality.score
        where batch_id = (
                select max(batch_id) from quality.score_run where stage = 'score' and status = 'succeeded'
            )
            and dimension = 'overall' and level in ('city', 'department')
        order by level, name
        """
    ).fetchall()


def kpis(conn: Connection) -> Rows:
    """(kpi, numerator, denominator, value, note) of the latest month for the whole city.

    A KPI is of all departments together, or of the data department where only that one answers for it.
    """
    return conn.execute(
        """
        select distinct on (kpi) kpi, trim_scale(numerator), trim_scale(denominator), round(value, 4), note
        from metrics.kpi
        where period = (select max(period) from metrics.kpi) and length(region_code) = 4
        order by kpi, department <> '全部部门', department
        """
    ).fetchall()
