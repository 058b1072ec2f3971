"""The build ledger: which build runs, what it claimed, how each model ended, which touched keys may go."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby, takewhile

from psycopg import sql

from huiliu.database import Connection
from transformation.dbt_runner import NodeRun

_WAITING = """
    select
        load_run.source,
        load_run.table_name,
        load_run.batch_id,
        coalesce(batch_gate.status in ('passed', 'released'), false) as is_open,
        coalesce(batch_gate.status = 'replaced', false) as is_replaced
    from ops.load_run
    left join ops.batch_gate using (batch_id)
    left join ops.build_batch using (batch_id)
    where load_run.status = 'landed' and build_batch.batch_id is null
    order by load_run.source, load_run.table_name, load_run.batch_id
"""
# For each row of a replaced batch the first newer version that a build may show; null: there is none yet.
_CORRECTED_BY = """
    select coalesce(max(correction.batch_id), {batch_id}), count(*) filter (where correction.batch_id is null)
    from {raw} as replaced
    left join lateral (
        select min(case when claimed.batch_id is null then newer._batch_id else {batch_id} end) as batch_id
        from {raw} as newer
        inner join ops.load_run as loaded on newer._batch_id = loaded.batch_id
        left join ops.batch_gate as gate on newer._batch_id = gate.batch_id
        left join ops.build_batch as claimed on newer._batch_id = claimed.batch_id
        where newer._row_key = replaced._row_key
            and newer._batch_id > {batch_id}
            and loaded.status = 'landed'
            and (claimed.batch_id is not null or gate.status in ('passed', 'released'))
    ) as correction on true
    where replaced._batch_id = {batch_id}
"""
# A build that succeeded with all models proves every table to be made by its project. Since then, nothing may
# have been made by another one, and no full refresh may be unfinished: its models would keep their old rows.
# What people decided since the last linkage, and thresholds that begin, ask for a build as a batch does.
_STANDING = """
    with proven as (
        select max(build_id) as build_id from ops.build where selection is null and status = 'succeeded'
    ),
    linked as (
        select array[accept, review, margin, cluster] as thresholds
        from linkage.run order by build_id desc limit 1
    ),
    thresholds as (
        select array[accept, review, margin, cluster] as valid from linkage.threshold
        where valid_from <= %(day)s::date and (valid_to is null or valid_to > %(day)s::date)
        order by valid_from desc limit 1
    )
    select
        max(proven.build_id) is not null,
        coalesce(
            bool_or(
                build.fingerprint is distinct from %(fingerprint)s
                or build.full_refresh and build.selection is null and build.status <> 'succeeded'
            ),
            false
        ),
        coalesce(
            bool_and(build.as_of = %(day)s and (build.selection is not null or build.status = 'succeeded')),
            false
        ) and not exists (
            select from ops.build_batch, proven as last where build_batch.build_id > last.build_id
        ) and not exists (
            select from linked where thresholds is distinct from (select valid from thresholds)
        ) and not exists (
            select from linked, linkage.decision
            full join linkage.decision_used as used using (record_key, candidate_key)
            where (decision.decision, decision.seen) is distinct from (used.decision, used.seen)
        )
    from ops.build cross join proven
    where build.build_id >= coalesce(proven.build_id, 0)
"""


@dataclass(frozen=True)
class Standing:
    """How the tables stand to a project and a day.

    ``proven``: some build of all models succeeded. ``must_refresh``: a table may hold rows of another
    project, or of before a full refresh that did not finish. ``as_of_day``: no batch, model or day is behind,
    and the last linkage knew what people decided and the thresholds of the day.
    """

    proven: bool
    must_refresh: bool
    as_of_day: bool

    @property
    def is_up_to_date(self) -> bool:
        """True if a build would find nothing to do."""
        return self.proven and self.as_of_day and not self.must_refresh


@dataclass(frozen=True)
class _Waiting:
    """A landed batch that no build has claimed yet."""

    source: str
    table_name: str
    batch_id: int
    is_open: bool
    is_replaced: bool


def abandon_running(conn: Connection) -> None:
    """Mark builds left running by a killed process; the caller holds the build lock, so none is alive."""
    conn.execute(
        "update ops.build set status = 'abandoned', finished_at = clock_timestamp() where status = 'running'"
    )


def standing(conn: Connection, fingerprint: str, day: date | None = None) -> Standing:
    """Return how the tables stand to the project of this fingerprint and to the day, if one is given."""
    row = conn.execute(_STANDING, {"fingerprint": fingerprint, "day": day}).fetchone()
    return Standing(*row) if row else Standing(proven=False, must_refresh=False, as_of_day=False)


def is_whole(conn: Connection, day: date) -> bool:
    """Whether the last build of all models is of this day, and every model succeeded; not while one runs."""
    row = conn.execute(
        "select as_of = %s and status = 'succeeded' from ops.build where selection is null"
        " order by build_id desc limit 1",
        [day],
    ).fetchone()
    return bool(row and row[0])


def functions_fingerprint(conn: Connection) -> str:
    """Return a hash of the functions that models call, as the warehouse has them now."""
    row = conn.execute(
        "select coalesce(md5(string_agg(md5(pg_get_functiondef(oid)), '' order by oid::regprocedure::text"
        " collate \"C\")), '')"
        " from pg_proc where pronamespace = to_regnamespace('std') and prokind in ('f', 'p')"
    ).fetchone()
    return str(row[0]) if row else ""


def claimable(conn: Connection, tables: Collection[tuple[str, str]] | None = None) -> list[int]:
    """Return the batches (of these tables, if any are given) that a build may claim now, oldest first.

    Of each table those that the gate let through, up to the first that waits: raw is a change log, a load is
    only right on top of all before it. A replaced batch goes with those that bring newer versions of all its
    rows, so that none of its rows is ever current; until they can go too, it waits.
    """
    waiting = [_Waiting(*row) for row in conn.execute(_WAITING) if tables is None or row[:2] in tables]
    found: list[int] = []
    for _, batches in groupby(waiting, lambda batch: (batch.source, batch.table_name)):
        found += _claimable_of_table(conn, list(batches))
    return sorted(found)


def _claimable_of_table(conn: Connection, waiting: Sequence[_Waiting]) -> list[int]:
    taken: list[int] = []
    wanted = end = 0  # the batch that a claim must reach for all replaced ones in it; how many it may hold
    for batch in takewhile(lambda batch: batch.is_open or batch.is_replaced, waiting):
        if batch.is_replaced:
            corrected_by = _corrected_by(conn, batch)
            if corrected_by is None:
                break
            wanted = max(wanted, corrected_by)
        taken.append(batch.batch_id)
        if wanted <= batch.batch_id:
            end = len(taken)
    return taken[:end]


def _corrected_by(conn: Connection, batch: _Waiting) -> int | None:
    """Return the batch with which the last row of a replaced batch is mended; None if one never is."""
    row = conn.execute(
        sql.SQL(_CORRECTED_BY).format(
            raw=sql.Identifier("raw", f"{batch.source}__{batch.table_name}"),
            batch_id=sql.Literal(batch.batch_id),
        )
    ).fetchone()
    return int(row[0]) if row and not row[1] else None


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
