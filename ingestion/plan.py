"""What a load reads: everything, or what came since the last one; and how far it then has come."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from psycopg import sql

from huiliu.errors import ConfigError
from ingestion.land import number
from ingestion.ledger import LastLoad
from ingestion.modes import Append, Snapshot, Watermark
from ingestion.records import Days, Extracted, Wanted
from ingestion.spec import TableSpec
from ingestion.stage import Stage


def wanted(table: TableSpec, last: LastLoad, today: date, *, first: bool, days: Days | None) -> Wanted:
    """Decide what is to be read. A first load, and one whose columns are not those of the last, reads
    everything: rows that did not change have values in the new columns too.
    """
    if days is not None:
        return _of_days(table, days)
    since = None if first or last.shape != shape(table) else _since(table, last)
    return Wanted(since, keys=since is not None and _reconciles(table, last, today))


def _of_days(table: TableSpec, days: Days) -> Wanted:
    if isinstance(table.mode, Snapshot):
        return Wanted()  # it is read whole, so those days are too
    if table.days_column is None and not (isinstance(table.mode, Append) and table.mode.column is None):
        raise ConfigError(
            f"table {table.name} has no column by which days can be read again",
            fix="write backfill_column for it in the spec, or load it without a range of days",
        )
    return Wanted(days=days)


def _since(table: TableSpec, last: LastLoad) -> str | None:
    """Return the value from which to read: the last landed one less the overlap."""
    cursor = table.cursor
    if cursor is None or last.watermark is None:
        return None
    try:
        if cursor.kind == "time":
            return (datetime.fromisoformat(last.watermark) - timedelta(days=cursor.overlap)).isoformat()
        return f"{(Decimal(last.watermark) - Decimal(str(cursor.overlap))).normalize():f}"
    except (ValueError, InvalidOperation):
        return None  # the column's kind was another at the last load


def _reconciles(table: TableSpec, last: LastLoad, today: date) -> bool:
    if not isinstance(table.mode, Watermark) or table.mode.reconcile_every_days is None:
        return False
    done = last.reconciled_on
    return done is None or (today - done).days >= table.mode.reconcile_every_days


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


def shape(table: TableSpec) -> str:
    """Return a fingerprint of what a row is made of: its columns, where they come from, and its key."""
    parts = [table.relation, table.key, [(column.name, column.at_source) for column in table.columns]]
    return hashlib.md5(json.dumps(parts).encode(), usedforsecurity=False).hexdigest()


def notice(stage: Stage, extracted: Extracted) -> str | None:
    """Return what an operator should know of a load that landed."""
    new = stage.new_columns
    kept = [f"columns the spec does not know were kept in _extra: {', '.join(new)}"] if new else []
    return "; ".join([*kept, *extracted.notices]) or None
