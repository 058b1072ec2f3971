"""What an operator wants to know of a source: loads, rejects, corrections, probes, tasks, drift, lateness.

Read as huiliu_watch, which sees figures and reasons and no value of any row.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, LiteralString

from psycopg.rows import dict_row

from huiliu import business_date
from huiliu.database import Connection, connect

Rows = list[dict[str, Any]]

_OF_SOURCE: dict[str, LiteralString] = {
    "lateness_rows": """
        select state, landed_on, landed_at, missed_on, days_late
        from ops.source_lateness where source = %(source)s
    """,
    "loads": """
        select
            load.batch_id, load.table_name, load.business_date, load.started_at, load.status, load.rows_read,
            load.rows_inserted, load.rows_updated, load.rows_deleted, load.rows_quarantined,
            extract(epoch from load.finished_at - load.started_at)::numeric(12, 1) as seconds,
            coalesce(load.error, load.notice) as remark, load.first_day, load.last_day,
            gate.status as gate, manifest.matches as manifest_matches,
            case when gate.status in ('released', 'replaced') then gate.decided_by end as decided_by,
            case when gate.status in ('released', 'replaced') then gate.reason end as decided_because
        from ops.load_run as load
        left join ops.batch_gate as gate using (batch_id)
        left join ops.manifest as manifest using (batch_id)
        where load.source = %(source)s order by load.batch_id desc limit 30
    """,
    "held": """
        select batch_id, source, table_name, title, landed_on, held_since, reason, waiting
        from ops.held_batch where source = %(source)s order by batch_id
    """,
    "rejected": """
        select batch_id, table_name, reason, count(*) as rows
        from ops.rejected_row
        where source = %(source)s and batch_id in (
            select batch_id from ops.load_run where source = %(source)s order by batch_id desc limit 30
        )
        group by batch_id, table_name, reason order by batch_id desc, rows desc limit 50
    """,
    "corrections": """
        select
            correction.table_name, correction.rule_id, correction.column_name, count(*) as open_rows,
            count(*) filter (where correction.due_at < today.business_date) as overdue_rows,
            min(correction.due_at) as next_due_at
        from quality.correction as correction cross join ops.business_date as today
        where correction.source = %(source)s and correction.closed_at is null
        group by correction.table_name, correction.rule_id, correction.column_name
        order by overdue_rows desc, open_rows desc
    """,
    "probes": """
        select
            resource.table_name, probe.probed_at, probe.business_date, probe.passed, probe.row_count,
            probe.error
        from ops.mount_probe as probe inner join ops.resource as resource using (resource_id)
        where resource.source = %(source)s order by probe.probed_at desc limit 20
    """,
    "tasks": """
        select list_title, item, resource_id, what, lead_department, due_on, state, closed_on, closed_by_batch
        from ops.demand_task_state
        where split_part(resource_id, '.', 1) = %(source)s order by list, item, resource_id
    """,
    "drift": """
        select batch_id, table_name, reason, business_date, raised_at, acknowledged_by, acknowledged_reason
        from quality.drift_alarm where source = %(source)s order by alarm_id desc limit 20
    """,
    "alerts": """
        select run_id, due_at, raised_at, business_date
        from ops.late_alert where source = %(source)s order by raised_at desc limit 10
    """,
}


def of_source(conn: Connection, source: str) -> dict[str, Rows]:
    """Return the rows of each part of a source's page, newest first; empty lists for one never read."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return {
            part: cursor.execute(query, {"source": source}).fetchall() for part, query in _OF_SOURCE.items()
        }


def late_sources(conn: Connection) -> Rows:
    """Return every source with its state, the latest first. ConfigError if there is no business date yet."""
    business_date.get(conn)
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "select source, department, level, cadence, state, landed_on, missed_on, days_late"
            " from ops.source_lateness order by days_late desc, state, source"
        ).fetchall()


def held_batches(conn: Connection) -> Rows:
    """Return every batch that the gate holds, the oldest first, with how many wait behind it."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "select batch_id, source, table_name, title, landed_on, held_since, reason, waiting"
            " from ops.held_batch order by batch_id"
        ).fetchall()


def decisions(conn: Connection) -> Rows:
    """Return what people decided about held batches, the last 20, newest first."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "select batch_id, source, table_name, decision.status, decided_at, decided_by, decision.reason"
            " from ops.batch_decision as decision inner join ops.load_run using (batch_id)"
            " where decision.status in ('released', 'replaced') order by decision_id desc limit 20"
        ).fetchall()


def raise_alert(source: str, run_id: str, due_at: datetime) -> None:
    """Write down that a run of a source passed its deadline; said again, it changes nothing."""
    with connect("warehouse:ingest") as conn:
        conn.execute(
            "insert into ops.late_alert (source, run_id, due_at, business_date)"
            " select %s, %s, %s, business_date from ops.business_date on conflict do nothing",
            [source, run_id, due_at],
        )
