"""The load ledger: every load is written down before and after, whatever becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from huiliu.database import Connection
from huiliu.errors import HuiliuError
from ingestion.errors import RefusedBatchError, Rejected
from ingestion.land import Changes
from ingestion.records import Extracted
from ingestion.spec import SourceSpec, TableSpec


@dataclass(frozen=True)
class TableLoad:
    """The outcome of loading one table, as ops.load_run has it. `rows_read` counts broken records too."""

    batch_id: int
    source: str
    table_name: str
    mode: str
    status: str
    rows_read: int | None = None
    rows_inserted: int | None = None
    rows_updated: int | None = None
    rows_deleted: int | None = None
    rows_quarantined: int | None = None
    notice: str | None = None
    error: str | None = None


def resource_id(source: str, table: str) -> str:
    return f"{source}.{table}"


def register(conn: Connection, spec: SourceSpec) -> None:
    """Enter the source's tables in the resource catalogue, or correct their entries."""
    for table in spec.tables:
        conn.execute(
            "insert into ops.resource (resource_id, source, table_name, title, department, level, share_type,"
            " published, cadence) values (%s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict"
            " (resource_id) do update set"
            " title = excluded.title, department = excluded.department, level = excluded.level,"
            " share_type = excluded.share_type, published = excluded.published, cadence = excluded.cadence",
            [
                resource_id(spec.name, table.name),
                spec.name,
                table.name,
                table.title,
                spec.department,
                spec.level,
                table.resource.share_type,
                table.resource.published,
                spec.cadence,
            ],
        )


def abandon(conn: Connection, source: str) -> int:
    """Mark what a killed run left behind; the caller holds the source's lock, so nothing can be running."""
    return conn.execute(
        "update ops.load_run set status = 'abandoned', finished_at = clock_timestamp(),"
        " error = 'the process was killed before it ended; nothing of this batch landed'"
        " where source = %s and status = 'running'",
        [source],
    ).rowcount


def start(conn: Connection, source: str, table: TableSpec, day: date) -> int:
    """Write the row of a load that begins; return its batch id."""
    return _insert(conn, source, table.name, table.mode.type, day, "running", None)


def refuse(conn: Connection, source: str, table: TableSpec | None, day: date, error: HuiliuError) -> int:
    """Write the row of a load that could not begin (a wrong spec, a lock held by another run)."""
    name, mode = (table.name, table.mode.type) if table else ("*", "none")
    return _insert(conn, source, name, mode, day, "failed", str(error))


def _insert(
    conn: Connection, source: str, table: str, mode: str, day: date, status: str, error: str | None
) -> int:
    row = conn.execute(
        "insert into ops.load_run (source, table_name, mode, business_date, status, error, finished_at)"
        " values (%(source)s, %(table)s, %(mode)s, %(day)s, %(status)s, %(error)s,"
        " case when %(status)s = 'running' then null else clock_timestamp() end) returning batch_id",
        {"source": source, "table": table, "mode": mode, "day": day, "status": status, "error": error},
    ).fetchone()
    if row is None:
        raise AssertionError("an insert returns its row")
    return int(row[0])


def last_watermark(conn: Connection, source: str, table: str) -> str | None:
    """Return the watermark of the last landed load; a failed one never moves it."""
    row = conn.execute(
        "select watermark from ops.load_run where source = %s and table_name = %s and status = 'landed'"
        " and watermark is not null order by batch_id desc limit 1",
        [source, table],
    ).fetchone()
    return None if row is None else str(row[0])


def landed(
    conn: Connection, load: TableLoad, changes: Changes, extracted: Extracted, watermark: str | None
) -> None:
    """Close a load that landed, within the transaction that landed it."""
    _keep_rejected(conn, load, extracted.rejected)
    conn.execute(
        "update ops.load_run set status = 'landed', finished_at = clock_timestamp(), rows_read = %s,"
        " rows_inserted = %s, rows_updated = %s, rows_deleted = %s, rows_quarantined = %s, notice = %s,"
        " watermark = %s where batch_id = %s",
        [
            load.rows_read,
            load.rows_inserted,
            load.rows_updated,
            load.rows_deleted,
            load.rows_quarantined,
            load.notice,
            watermark,
            load.batch_id,
        ],
    )
    _probe(conn, load, changes.current)


def failed(conn: Connection, load: TableLoad, error: HuiliuError) -> None:
    """Close a load that failed; the broken records that refused it are kept for mending."""
    if isinstance(error, RefusedBatchError):
        _keep_rejected(conn, load, error.rejected)
    conn.execute(
        "update ops.load_run set status = 'failed', finished_at = clock_timestamp(), error = %s"
        " where batch_id = %s",
        [str(error), load.batch_id],
    )
    _probe(conn, load, None, str(error))


def _keep_rejected(conn: Connection, load: TableLoad, rejected: Sequence[Rejected]) -> None:
    if not rejected:
        return
    with conn.cursor().copy(
        "copy ops.rejected_row (batch_id, source, table_name, position, raw_text, reason) from stdin"
    ) as sink:
        for row in rejected:
            sink.write_row(
                (load.batch_id, load.source, load.table_name, row.position, row.raw_text, row.reason)
            )


def _probe(conn: Connection, load: TableLoad, rows: int | None, error: str | None = None) -> None:
    conn.execute(
        "insert into ops.mount_probe (resource_id, business_date, passed, row_count, error)"
        " select %s, business_date, %s, %s, %s from ops.load_run where batch_id = %s",
        [resource_id(load.source, load.table_name), error is None, rows, error, load.batch_id],
    )
