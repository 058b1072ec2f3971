"""What a load reads: everything, or what came since the last one; and how far it then has come."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation, localcontext

from psycopg import sql

from ingestion import drift
from ingestion.land import number
from ingestion.last_load import LastLoad
from ingestion.modes import Append, Snapshot
from ingestion.records import Days, Extracted, Wanted
from ingestion.shape import Shape
from ingestion.spec import TableSpec
from ingestion.stage import Stage


def since_then(table: TableSpec, last: LastLoad) -> LastLoad:
    """Return what of the last loads still holds: a watermark only of the same column, rows only of the same
    columns."""
    if last.shape == Shape.of(table):
        return last
    return LastLoad(last.batch_id, None, last.shape, last.reconciled_on)


def wanted(table: TableSpec, last: LastLoad, today: date, *, first: bool, days: Days | None) -> Wanted:
    """Decide what is to be read. A first load, and one whose columns are not those of the last, reads
    everything: rows that did not change have values in the new columns too.
    """
    if days is not None:
        return _of_days(table, days)
    starts = None if first else since(table, last)
    return Wanted(starts, keys=starts is not None and _reconciles(table, last, today))


def has_days(table: TableSpec) -> bool:
    """Whether the rows of some days can be read again: by a column, as files of those days, or all."""
    mode = table.mode
    return (
        table.days_column is not None
        or isinstance(mode, Snapshot)
        or (isinstance(mode, Append) and mode.column is None)
    )


def _of_days(table: TableSpec, days: Days) -> Wanted:
    # A snapshot is read whole, so those days are too.
    return Wanted() if isinstance(table.mode, Snapshot) else Wanted(days=days)


def since(table: TableSpec, last: LastLoad) -> str | None:
    """Return the value from which to read: the last landed one less the overlap."""
    cursor = table.cursor
    if cursor is None or last.watermark is None:
        return None
    try:
        if cursor.kind == "time":
            return (datetime.fromisoformat(last.watermark) - timedelta(days=cursor.overlap)).isoformat()
        with localcontext(prec=200):  # serial numbers may have more digits than Decimal keeps by itself
            return f"{(Decimal(last.watermark) - Decimal(str(cursor.overlap))).normalize():f}"
    except (ValueError, InvalidOperation):
        return None  # the column's kind was another at the last load


def _reconciles(table: TableSpec, last: LastLoad, today: date) -> bool:
    every = table.cursor.reconcile_every_days if table.cursor else None
    if every is None:
        return False
    return last.reconciled_on is None or (today - last.reconciled_on).days >= every


def watermark(stage: Stage, extracted: Extracted, last: LastLoad) -> str | None:
    """Return the greatest value met of the mode's column. No time beyond the business date counts: a wrong
    year must not end loads."""
    cursor = stage.place.table.cursor
    if cursor is None or cursor.column is None:
        return None
    met = extracted.watermark or _greatest(stage, cursor.column, cursor.kind)
    both = [value for value in (met, last.watermark) if value is not None]
    return max(both, key=Decimal if cursor.kind == "number" else str, default=None)


def _greatest(stage: Stage, column: str, kind: str) -> str | None:
    text = sql.Identifier(column)
    if kind == "number":
        query, values = sql.SQL("select max({})::text from {}").format(number(text), stage.target), []
    else:
        query = sql.SQL("select max({0}) from {1} where {0} < %s and {0} ~ %s").format(text, stage.target)
        tomorrow = stage.batch.business_date + timedelta(days=1)
        values = [tomorrow.isoformat(), r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}|$)"]
    row = stage.conn.execute(query, values).fetchone()
    return row[0] if row else None


def notice(stage: Stage, extracted: Extracted) -> str | None:
    """Return what an operator should know of a load that landed."""
    new = drift.shown(stage.new_columns)
    kept = [f"columns the spec does not know were kept in _extra: {new}"] if new else []
    rejected = len(extracted.rejected)
    refused = [f"{rejected} broken records are in ops.rejected_row"] if rejected else []
    return "; ".join([*kept, *refused, *extracted.notices, *stage.notices]) or None
