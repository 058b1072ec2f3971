"""The build ledger: which build runs, what it claimed, how each model ended, which touched keys may go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from huiliu.database import Connection
from transformation.dbt_runner import NodeRun

# A batch may be claimed when the gate let it through and nothing of its table waits before it. A replaced
# batch goes with the one that corrects it: raw is a change log, a load is only right on top of all before it.
_CLAIMABLE = """
    with waiting as (
        select
            load_run.batch_id,
            coalesce(batch_gate.status in ('passed', 'released'), false) as is_open,
            coalesce(batch_gate.status = 'replaced', false) as is_replaced,
            load_run.source,
            load_run.table_name
        from ops.load_run
        left join ops.batch_gate using (batch_id)
        left join ops.build_batch using (batch_id)
        where load_run.status = 'landed' and build_batch.batch_id is null
    )
    select waiting.batch_id
    from waiting
    where
        (
            waiting.is_open
            or waiting.is_replaced and exists (
                select from waiting as later
                where (later.source, later.table_name) = (waiting.source, waiting.table_name)
                    and later.batch_id > waiting.batch_id and later.is_open
            )
        )
        and not exists (
            select from waiting as earlier
            where (earlier.source, earlier.table_name) = (waiting.source, waiting.table_name)
                and earlier.batch_id < waiting.batch_id and not earlier.is_open and not earlier.is_replaced
        )
    order by waiting.batch_id
"""


@dataclass(frozen=True)
class LastBuild:
    """What the newest build of all models was, and whether a build of some models claimed batches since."""

    as_of: date
    status: str
    fingerprint: str | None
    claimed_since: bool


def abandon_running(conn: Connection) -> None:
    """Mark builds left running by a killed process; the caller holds the build lock, so none is alive."""
    conn.execute(
        "update ops.build set status = 'abandoned', finished_at = clock_timestamp() where status = 'running'"
    )


def last_build(conn: Connection) -> LastBuild | None:
    """Return the newest build of all models, None before the first."""
    row = conn.execute(
        """
        select build.as_of, build.status, build.fingerprint, exists (
            select from ops.build_batch where build_batch.build_id > build.build_id
        )
        from ops.build where build.selection is null order by build.build_id desc limit 1
        """
    ).fetchone()
    return None if row is None else LastBuild(*row)


def claimable(conn: Connection) -> list[int]:
    """Return the batches that a build may claim now, oldest first."""
    return [row[0] for row in conn.execute(_CLAIMABLE)]


def begin(
    conn: Connection,
    *,
    as_of: date,
    full_refresh: bool,
    selection: str | None,
    fingerprint: str,
    batches: Sequence[int],
) -> int:
    """Open a build and claim its batches in one transaction; return its build_id."""
    with conn.transaction():
        row = conn.execute(
            "insert into ops.build (as_of, full_refresh, status, selection, fingerprint)"
            " values (%s, %s, 'running', %s, %s) returning build_id",
            [as_of, full_refresh, selection, fingerprint],
        ).fetchone()
        build_id = int(row[0]) if row else 0
        conn.execute(
            "insert into ops.build_batch (batch_id, build_id) select unnest(%s::bigint[]), %s",
            [list(batches), build_id],
        )
    return build_id


def finish(conn: Connection, build_id: int, *, status: str, runs: Sequence[NodeRun]) -> None:
    """Close a build with the outcome of each model, in one transaction."""
    with conn.transaction(), conn.cursor() as cursor:
        cursor.executemany(
            "insert into ops.model_run (build_id, model, status, seconds, row_count, message)"
            " values (%s, %s, %s, %s, %s, %s)",
            [(build_id, run.name, run.status, run.seconds, run.rows, run.message) for run in runs],
        )
        cursor.execute(
            "update ops.build set status = %s, finished_at = clock_timestamp() where build_id = %s",
            [status, build_id],
        )


def prune_touched_keys(conn: Connection, links: Sequence[tuple[str, str]]) -> int:
    """Delete the logged keys that every child has consumed; return how many. ``links``: (parent, child).

    A child without state will compute all its keys at its first build, so it holds nothing back.
    """
    cursor = conn.execute(
        """
        with link as (select * from unnest(%s::text[], %s::text[]) as pair (parent, child)),
        needed as (
            select link.parent, state.build_id as consumed
            from link inner join ops.model_state as state on state.model = link.child
        )
        delete from ops.touched_key as logged
        where not exists (
            select from needed where needed.parent = logged.model and needed.consumed < logged.build_id
        )
        """,
        [[parent for parent, _ in links], [child for _, child in links]],
    )
    return cursor.rowcount
