"""Alarms of sudden change, as people read and acknowledge them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from huiliu.database import connect
from huiliu.errors import ConfigError, DataError


@dataclass(frozen=True)
class DriftAlarm:
    """One alarm; the last three are empty until somebody has acknowledged it."""

    alarm_id: int
    batch_id: int
    table_name: str
    column_name: str
    measure: str
    reason: str
    raised_at: datetime
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    acknowledged_reason: str | None


def alarms(*, every: bool = False, limit: int = 200) -> list[DriftAlarm]:
    """Return the newest alarms first: those nobody has acknowledged, or every one."""
    with (
        connect("warehouse:score") as connection,
        connection.cursor(row_factory=class_row(DriftAlarm)) as rows,
    ):
        return rows.execute(
            """
            select
                alarm_id, batch_id, table_name, column_name, measure, reason, raised_at,
                acknowledged_by, acknowledged_at, acknowledged_reason
            from quality.drift_alarm where %s or acknowledged_at is null
            order by alarm_id desc limit %s
            """,
            (every, limit),
        ).fetchall()


def acknowledge(alarm_ids: Sequence[int], *, by: str, reason: str) -> None:
    """Note who has looked at alarms and what they were: all of them or, if one is not open, none.

    ConfigError without a name or a reason; DataError if there is no such open alarm.
    """
    if not by.strip() or not reason.strip():
        raise ConfigError("An alarm is acknowledged with a name and a reason", fix="give --by and --reason")
    with connect("warehouse:score") as connection:
        noted = connection.execute(
            "update quality.drift_alarm set acknowledged_at = clock_timestamp(), acknowledged_by = %s,"
            " acknowledged_reason = %s where alarm_id = any(%s) and acknowledged_at is null"
            " returning alarm_id",
            (by.strip(), reason.strip(), list(alarm_ids)),
        ).fetchall()
        not_open = sorted(set(alarm_ids) - {alarm_id for (alarm_id,) in noted})
        if not_open:
            raise DataError(
                f"Alarm {', '.join(map(str, not_open))} is not open; none was acknowledged",
                fix="see the open alarms with `huiliu drift`, all with --all",
            )
