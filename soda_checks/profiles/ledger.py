"""Profiles, thresholds and alarms in `quality`: read back, and written in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from psycopg.types.json import Jsonb

from huiliu.database import Connection
from huiliu.errors import ConfigError
from soda_checks.profiles.alarm import COUNT, DISTANCE, SHARE, Judgement, Limits, Scale
from soda_checks.profiles.fit import WINDOW, History
from soda_checks.profiles.season import worth_reading

KEPT_DAYS = 1200
"""Business days a profile is kept: three years of seasons, and the weeks before them. Alarms stay."""

_SCALES = {"rows": COUNT, "distinct_count": COUNT, "null_share": SHARE}

Parts = dict[str, float]
Key = tuple[str, str]


@dataclass(frozen=True)
class Figure:
    """One measure of a column ('' for the table): a number, or the parts of a distribution."""

    column_name: str
    measure: str
    value: float | None
    parts: Parts | None

    @property
    def key(self) -> Key:
        """Column and measure."""
        return self.column_name, self.measure

    @property
    def scale(self) -> Scale:
        """The scale it is judged on; distributions by their distance from the usual one."""
        return _SCALES.get(self.measure, DISTANCE)


@dataclass(frozen=True)
class Batch:
    """What a profile is of, and with which batches it is compared."""

    batch_id: int
    table_name: str
    source: str
    stage: str
    mode: str
    business_date: date
    rows: int


@dataclass(frozen=True)
class Past:
    """Comparable batches: their days by batch id, oldest first, and each measure's values in them."""

    days: Mapping[int, date]
    values: Mapping[Key, tuple[Sequence[int], Sequence[float]]]
    parts: Mapping[Key, Sequence[Parts]]
    alarmed: Mapping[Key, int]

    def history(self, key: Key) -> History:
        """A measure's values, and how many of them are from its last alarm on."""
        batches, values = self.values.get(key, ((), ()))
        alarm = self.alarmed.get(key)
        since = 0 if alarm is None else sum(batch >= alarm for batch in batches)
        return History([self.days[batch] for batch in batches], np.array(values, dtype=float), since)


@dataclass(frozen=True)
class Alarm:
    """A figure out of the ordinary, and in words what is."""

    figure: Figure
    judgement: Judgement
    text: str


def past(connection: Connection, batch: Batch) -> Past:
    """Read back the comparable batches that say something of this one; those held or replaced say nothing."""
    alike = connection.execute(
        """
        select profiled.batch_id, profiled.business_date
        from quality.profile_batch as profiled
        left join ops.batch_gate as gate using (batch_id)
        where profiled.table_name = %s and profiled.stage = %s and profiled.mode = %s
            and profiled.batch_id < %s and coalesce(gate.status not in ('held', 'replaced'), true)
        order by profiled.batch_id
        """,
        (batch.table_name, batch.stage, batch.mode, batch.batch_id),
    ).fetchall()
    read = worth_reading([day for _, day in alike], batch.business_date)
    days = {int(alike[at][0]): alike[at][1] for at in read}
    of_batches = {"table_name": batch.table_name, "batches": list(days), "last": list(days)[-WINDOW:]}
    values = connection.execute(
        """
        select
            column_name, measure, array_agg(batch_id order by batch_id), array_agg(value order by batch_id)
        from quality.profile
        where table_name = %(table_name)s and batch_id = any(%(batches)s) and value is not null
        group by column_name, measure
        """,
        of_batches,
    ).fetchall()
    parts = connection.execute(
        """
        select column_name, measure, array_agg(parts order by batch_id) from quality.profile
        where table_name = %(table_name)s and batch_id = any(%(last)s) and parts is not null
        group by column_name, measure
        """,
        of_batches,
    ).fetchall()
    alarmed = connection.execute(
        """
        select column_name, measure, max(batch_id) from quality.drift_alarm
        where table_name = %(table_name)s and batch_id = any(%(batches)s) group by column_name, measure
        """,
        of_batches,
    ).fetchall()
    return Past(
        days,
        {(column, measure): (batches, numbers) for column, measure, batches, numbers in values},
        {(column, measure): each for column, measure, each in parts},
        {(column, measure): int(last) for column, measure, last in alarmed},
    )


def limits(connection: Connection, batch: Batch) -> dict[str, Limits]:
    """The thresholds valid on the batch's day: the table's own, else the stage's, else the general ones."""
    rows = connection.execute(
        """
        select distinct on (measure) measure, spreads, floor, sampling, min_history, settle_after
        from quality.drift_threshold
        where table_name in ('', %(table_name)s) and stage in ('', %(stage)s)
            and valid_from <= %(day)s and (valid_to is null or valid_to > %(day)s)
        order by measure, table_name desc, stage desc, valid_from desc
        """,
        {"table_name": batch.table_name, "stage": batch.stage, "day": batch.business_date},
    ).fetchall()
    found = {str(measure): Limits(*rest) for measure, *rest in rows}
    missing = {"rows", "values", "ranks", "quantiles", "ages", "forms", *_SCALES} - set(found)
    if missing:
        raise ConfigError(
            f"No threshold in quality.drift_threshold is valid for {', '.join(sorted(missing))}",
            fix="add a row that is valid on the business date, or run `huiliu prepare`",
        )
    return found


def write(connection: Connection, batch: Batch, figures: Sequence[Figure]) -> None:
    """Replace this batch's profile."""
    key = (batch.table_name, batch.batch_id)
    connection.execute("delete from quality.profile_batch where table_name = %s and batch_id = %s", key)
    connection.execute(
        "insert into quality.profile_batch (table_name, batch_id, stage, mode, business_date, row_count)"
        " values (%s, %s, %s, %s, %s, %s)",
        (*key, batch.stage, batch.mode, batch.business_date, batch.rows),
    )
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "copy quality.profile (table_name, batch_id, column_name, measure, value, parts) from stdin"
        ) as copy,
    ):
        for figure in figures:
            parts = None if figure.parts is None else Jsonb(figure.parts)
            copy.write_row((*key, figure.column_name, figure.measure, figure.value, parts))


def raise_alarms(connection: Connection, batch: Batch, alarms: Sequence[Alarm]) -> None:
    """Make this batch's alarms those found now; one acknowledged before stays, and stays acknowledged."""
    connection.execute(
        """
        delete from quality.drift_alarm as raised
        where table_name = %s and batch_id = %s and acknowledged_at is null
            and not (column_name, measure) in (select * from unnest(%s::text[], %s::text[]))
        """,
        (
            batch.table_name,
            batch.batch_id,
            [alarm.figure.column_name for alarm in alarms],
            [alarm.figure.measure for alarm in alarms],
        ),
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            insert into quality.drift_alarm (
                batch_id, source, table_name, column_name, measure, value, expected, low, high, reason,
                business_date
            ) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            on conflict (table_name, batch_id, column_name, measure) do update
            set value = excluded.value, expected = excluded.expected, low = excluded.low,
                high = excluded.high, reason = excluded.reason
            """,
            [
                (
                    batch.batch_id, batch.source, batch.table_name, alarm.figure.column_name,
                    alarm.figure.measure, alarm.judgement.value, alarm.judgement.expected,
                    alarm.judgement.low, alarm.judgement.high, alarm.text, batch.business_date,
                )
                for alarm in alarms
            ],
        )  # fmt: skip


def prune(connection: Connection, today: date) -> None:
    """Forget profiles older than any season looks back; alarms stay."""
    connection.execute(
        "delete from quality.profile_batch where business_date < %s::date - %s", (today, KEPT_DAYS)
    )
