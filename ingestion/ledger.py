"""The load ledger: every load is written down before and after, whatever becomes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from huiliu.database import Connection
from huiliu.errors import HuiliuError
from ingestion import drift
from ingestion.errors import ManifestError, RefusedBatchError, Rejected
from ingestion.land import Changes
from ingestion.last_load import LastLoad
from ingestion.manifests import Manifest
from ingestion.read_files import remember_files
from ingestion.records import Days, Extracted
from ingestion.shape import Shape
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
            " published, cadence, key_columns, source_title)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict (resource_id) do update set"
            " title = excluded.title, department = excluded.department, level = excluded.level,"
            " share_type = excluded.share_type, published = excluded.published, cadence = excluded.cadence,"
            " key_columns = excluded.key_columns, source_title = excluded.source_title",
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
                list(table.key) or None,
                spec.title,
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


def start(conn: Connection, source: str, table: TableSpec, day: date, days: Days | None = None) -> int:
    """Write the row of a load that begins; return its batch id. `days`: it is a back-fill of those."""
    return _insert(conn, source, table.name, table.mode.type, day, "running", None, days)


def refuse(conn: Connection, source: str, table: TableSpec | None, day: date, error: HuiliuError) -> int:
    """Write the row of a load that could not begin (a wrong spec, a lock held by another run)."""
    name, mode = (table.name, table.mode.type) if table else ("*", "none")
    return _insert(conn, source, name, mode, day, "failed", str(error))


def _insert(
    conn: Connection,
    source: str,
    table: str,
    mode: str,
    day: date,
    status: str,
    error: str | None,
    days: Days | None = None,
) -> int:
    row = conn.execute(
        "insert into ops.load_run (source, table_name, mode, business_date, status, error, finished_at,"
        " first_day, last_day)"
        " values (%(source)s, %(table)s, %(mode)s, %(day)s, %(status)s, %(error)s,"
        " case when %(status)s = 'running' then null else clock_timestamp() end, %(first)s, %(last)s)"
        " returning batch_id",
        {
            "source": source,
            "table": table,
            "mode": mode,
            "day": day,
            "status": status,
            "error": error,
            "first": days.first if days else None,
            "last": days.last if days else None,
        },
    ).fetchone()
    if row is None:
        raise AssertionError("an insert returns its row")
    return int(row[0])


def last_landed(conn: Connection, source: str, table: str) -> LastLoad:
    """Return how far the landed loads of a table have come."""
    row = conn.execute(
        "select max(batch_id),"
        " (array_agg(watermark order by batch_id desc) filter (where watermark is not null))[1],"
        " (array_agg(shape order by batch_id desc) filter (where shape is not null))[1],"
        " max(business_date) filter (where reconciled)"
        " from ops.load_run where source = %s and table_name = %s and status = 'landed'",
        [source, table],
    ).fetchone()
    if row is None:
        raise AssertionError("an aggregate returns one row")
    batch_id, watermark, shape, reconciled_on = row
    return LastLoad(batch_id, watermark, Shape.read(shape) if shape else None, reconciled_on)


def known_types(conn: Connection, source: str, table: str) -> dict[str, str]:
    """Return the types of the source's columns at the last landed load, by the source's names."""
    rows = conn.execute(
        "select column_name, source_type from ops.source_column"
        " where source = %s and table_name = %s and source_type is not null",
        [source, table],
    )
    return dict(rows.fetchall())


def remember_columns(
    conn: Connection, load: TableLoad, present: Mapping[str, str | None], new: Sequence[str]
) -> None:
    """Keep which columns the source has, of which types, and which of them the spec doesn't know."""
    with conn.cursor() as cursor:
        cursor.executemany(
            "insert into ops.source_column (source, table_name, column_name, source_type, in_spec,"
            " first_batch_id, last_batch_id)"
            " values (%(source)s, %(table)s, %(name)s, %(type)s, %(in_spec)s, %(batch)s, %(batch)s)"
            " on conflict (source, table_name, column_name) do update set source_type = excluded.source_type,"
            " in_spec = excluded.in_spec, last_batch_id = excluded.last_batch_id",
            [
                {
                    "source": load.source,
                    "table": load.table_name,
                    "name": name,
                    "type": kind,
                    "in_spec": name not in new,
                    "batch": load.batch_id,
                }
                for name, kind in present.items()
                if drift.nameable(name)
            ],
        )


@dataclass(frozen=True)
class Reached:
    """How far a load has come: the watermark, and the shape all rows have been read by."""

    watermark: str | None
    shape: Shape | None


def landed(
    conn: Connection, load: TableLoad, changes: Changes, extracted: Extracted, reached: Reached
) -> None:
    """Close a load that landed, within the transaction that landed it.

    Raises ManifestError, and nothing lands, if the source said that there is more or less of it.
    """
    _keep_rejected(conn, load, extracted.rejected)
    if extracted.manifest is not None:
        _check_manifest(conn, load, changes, extracted.manifest)
    conn.execute(
        "update ops.load_run set status = 'landed', finished_at = clock_timestamp(), rows_read = %s,"
        " rows_inserted = %s, rows_updated = %s, rows_deleted = %s, rows_quarantined = %s, notice = %s,"
        " watermark = %s, shape = %s, reconciled = %s where batch_id = %s",
        [
            load.rows_read,
            load.rows_inserted,
            load.rows_updated,
            load.rows_deleted,
            load.rows_quarantined,
            load.notice,
            reached.watermark,
            reached.shape.text() if reached.shape else None,
            extracted.complete or extracted.keys_read,
            load.batch_id,
        ],
    )
    remember_files(conn, load.batch_id, load.source, load.table_name, extracted.files)
    _probe(conn, load, changes.current)


def failed(conn: Connection, load: TableLoad, error: HuiliuError) -> None:
    """Close a load that failed; the broken records that refused it are kept for mending."""
    if isinstance(error, RefusedBatchError):
        _keep_rejected(conn, load, error.rejected)
    if isinstance(error, ManifestError):
        _keep_manifest(conn, load, error.manifest, error.rows, matches=False)
    conn.execute(
        "update ops.load_run set status = 'failed', finished_at = clock_timestamp(), error = %s"
        " where batch_id = %s",
        [str(error), load.batch_id],
    )
    _probe(conn, load, None, str(error))


def _check_manifest(conn: Connection, load: TableLoad, changes: Changes, manifest: Manifest) -> None:
    rows = load.rows_read if manifest.of_batch else changes.current
    if manifest.counted is not None:
        rows = manifest.counted
    wrong = []
    if manifest.rows is not None and manifest.rows != rows:
        wrong.append(f"{manifest.what} says {manifest.rows} rows, there are {rows}")
    if manifest.checksum is not None and manifest.checksum.lower() != manifest.computed:
        wrong.append(f"{manifest.what} says checksum {manifest.checksum}, it is {manifest.computed}")
    if wrong:
        raise ManifestError(
            f"{load.source}.{load.table_name}: {'; '.join(wrong)}",
            fix="have the department send the batch again, with its manifest",
            manifest=manifest,
            rows=rows,
        )
    _keep_manifest(conn, load, manifest, rows, matches=True)


def _keep_manifest(
    conn: Connection, load: TableLoad, manifest: Manifest, rows: int | None, *, matches: bool
) -> None:
    conn.execute(
        "insert into ops.manifest (batch_id, what, expected_rows, actual_rows, expected_checksum,"
        " actual_checksum, matches) values (%s, %s, %s, %s, %s, %s, %s)",
        [
            load.batch_id,
            manifest.what,
            manifest.rows,
            rows,
            manifest.checksum,
            manifest.computed,
            matches,
        ],
    )


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
