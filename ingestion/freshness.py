"""When what a micro-batch loaded had changed at its source, and when it became usable (ops.freshness).

Usable is what was delivered: a batch that the gate holds, or rows of a package that is held, wait, and their
age grows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql

from huiliu.database import Connection, connect
from ingestion.ledger import TableLoad
from ingestion.spec import SourceSpec

# A source's times are local. Where the business date is not the clock's (a simulated city), they are moved.
_CHANGED = """
    insert into ops.freshness (batch_id, changed_at, row_count)
    select {batch_id}, changed_at, count(*)
    from (
        select replace(left({column}, 19), 'T', ' ')::timestamp at time zone 'Asia/Shanghai'
            + interval '1 day'
            * ((clock_timestamp() at time zone 'Asia/Shanghai')::date - today.business_date) as changed_at
        from {raw}
        cross join ops.business_date as today
        where _batch_id = {batch_id} and pg_input_is_valid(replace(left({column}, 19), 'T', ' '), 'timestamp')
    ) as changed
    group by changed_at
    on conflict do nothing
"""
_USABLE = """
    with usable as (
        update ops.freshness set usable_at = clock_timestamp()
        where usable_at is null and batch_id in (select batch_id from ops.build_batch)
        returning extract(epoch from usable_at - changed_at) as seconds, row_count
    )
    select max(seconds) from usable
"""


def note_changes(spec: SourceSpec, loads: Sequence[TableLoad]) -> None:
    """Write down when the rows of these loads had changed at the source, by the column of the mode."""
    with connect("warehouse:ingest") as conn:
        for load in loads:
            cursor = spec.table(load.table_name).cursor
            if cursor is None or cursor.column is None:
                raise AssertionError("only tables with a watermark are streamed")
            conn.execute(
                sql.SQL(_CHANGED).format(
                    batch_id=sql.Literal(load.batch_id),
                    column=sql.Identifier(cursor.column),
                    raw=sql.Identifier("raw", f"{load.source}__{load.table_name}"),
                )
            )


@dataclass(frozen=True)
class MicroBatch:
    """What a micro-batch did; ``faults``: what failed, in one line each."""

    started_at: datetime
    tables: list[str]
    rows_changed: int
    batches_held: int
    models: int
    deliveries: int
    rows_delivered: int
    faults: list[str]


def end(done: MicroBatch, *, all_delivered: bool) -> float | None:
    """Write a micro-batch down; if nothing failed or is held back, all that a build claimed is usable now.

    Return how many seconds the oldest of these changes is old, None if none waited.
    """
    with connect("warehouse:ingest") as conn:
        _write(conn, done)
        if done.faults or not all_delivered:
            return None
        (oldest,) = conn.execute(_USABLE).fetchone() or (None,)
    return None if oldest is None else float(oldest)


def _write(conn: Connection, done: MicroBatch) -> None:
    conn.execute(
        """
        insert into ops.micro_batch (business_date, started_at, finished_at, tables, rows_changed,
            batches_held, models, deliveries, rows_delivered, faults)
        select business_date, %s, clock_timestamp(), %s, %s, %s, %s, %s, %s, %s from ops.business_date
        """,
        [
            done.started_at,
            done.tables,
            done.rows_changed,
            done.batches_held,
            done.models,
            done.deliveries,
            done.rows_delivered,
            done.faults,
        ],
    )
