"""Lateness by the business date, checked against another reading of cron; what the operators' page reads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from croniter import croniter
from pydantic import TypeAdapter, ValidationError
from typer.testing import CliRunner

from huiliu import business_date
from huiliu.cli import app
from huiliu.database import connect
from ingestion import watching
from ingestion.cadence import Cadence, in_words

TODAY = date(2026, 3, 18)  # a Wednesday


@pytest.fixture
def ledger(home: Path) -> Iterator[psycopg.Connection[Any]]:
    with connect("warehouse", autocommit=True) as conn:
        business_date.set(conn, TODAY)
        yield conn
        conn.execute("delete from ops.rejected_row where source = 'depot'")
        conn.execute("delete from ops.late_alert where source = 'depot'")
        conn.execute("delete from ops.load_run where source = 'depot'")
        conn.execute("delete from ops.resource where source = 'depot'")


def listed(conn: psycopg.Connection[Any], cadence: str, *tables: str) -> None:
    for table in tables or ("stock",):
        conn.execute(
            "insert into ops.resource (resource_id, source, table_name, title, department, level, share_type,"
            " published, cadence) values"
            " ('depot.' || %(table)s, 'depot', %(table)s, '库存', '市粮食局', 'city',"
            " '无条件共享', true, %(cadence)s)",
            {"table": table, "cadence": cadence},
        )


def loaded(
    conn: psycopg.Connection[Any],
    day: date,
    table: str = "stock",
    status: str = "landed",
    first_day: date | None = None,
) -> int:
    row = conn.execute(
        "insert into ops.load_run (source, table_name, mode, business_date, status, finished_at, first_day)"
        " values ('depot', %s, 'snapshot', %s, %s, now(), %s) returning batch_id",
        [table, day, status, first_day],
    ).fetchone()
    assert row is not None
    return int(row[0])


def state(conn: psycopg.Connection[Any]) -> tuple[Any, ...] | None:
    return conn.execute(
        "select state, missed_on, days_late from ops.source_lateness where source = 'depot'"
    ).fetchone()


@pytest.mark.parametrize(
    "cadence",
    [
        "0 1 * * *", "*/15 * * * *", "0 0 1 * *", "0 0 1,15 * *", "0 3 * * 1-5", "0 3 * * 0", "0 3 * * 7",
        "0 3 * * 5-7", "0 3 */10 * *", "0 3 10-20/5 * *", "0 3 1 1,7 *", "0 3 13 * 5", "0 3 29 2 *",
        "0 3 * */3 *", "0 3 * * */2",
    ],
)  # fmt: skip
def test_a_cadence_falls_on_the_days_that_another_reading_of_cron_finds(
    ledger: psycopg.Connection[Any], cadence: str
) -> None:
    first = datetime(2027, 12, 25, tzinfo=UTC)
    times = croniter(cadence, first - timedelta(seconds=1))
    expected = set()
    while (at := times.get_next(datetime)) < first + timedelta(days=400):
        expected.add(at.date())
    found = ledger.execute(
        "select day::date from generate_series(%s::date, %s::date + 399, interval '1 day') as series (day)"
        " where ops.cron_falls_on(%s, day::date)",
        [first.date(), first.date(), cadence],
    ).fetchall()
    assert {day for (day,) in found} == expected


@pytest.mark.parametrize(
    ("cadence", "landed_on", "expected"),
    [
        ("0 1 * * *", None, ("never", None, 0)),
        ("0 1 * * *", TODAY, ("in time", None, 0)),
        ("0 1 * * *", TODAY - timedelta(days=1), ("due", None, 0)),
        ("0 1 * * *", TODAY - timedelta(days=3), ("late", TODAY - timedelta(days=2), 2)),
        ("0 0 1 * *", date(2026, 3, 1), ("in time", None, 0)),
        ("0 0 1 * *", date(2026, 2, 20), ("late", date(2026, 3, 1), 17)),
        ("0 0 18 * *", date(2026, 2, 18), ("due", None, 0)),
    ],
)
def test_a_source_is_late_by_the_business_date(
    ledger: psycopg.Connection[Any], cadence: str, landed_on: date | None, expected: tuple[Any, ...]
) -> None:
    listed(ledger, cadence)
    if landed_on is not None:
        loaded(ledger, landed_on)
        loaded(ledger, TODAY, status="failed")
    assert state(ledger) == expected


def test_a_source_is_as_late_as_its_latest_table(ledger: psycopg.Connection[Any]) -> None:
    listed(ledger, "0 1 * * *", "stock", "price")
    loaded(ledger, TODAY, "stock")
    loaded(ledger, TODAY - timedelta(days=2), "price")
    assert state(ledger) == ("late", TODAY - timedelta(days=1), 1)
    result = CliRunner().invoke(app, ["late"])
    assert result.exit_code == 1
    assert "late: depot" in result.output


def test_a_source_that_fails_from_the_first_day_is_late_from_then(ledger: psycopg.Connection[Any]) -> None:
    listed(ledger, "0 1 * * *", "stock", "price")
    loaded(ledger, TODAY - timedelta(days=2), "stock", status="failed")
    assert state(ledger) == ("late", TODAY - timedelta(days=2), 2)
    loaded(ledger, TODAY, "stock")
    assert state(ledger) == ("in time", None, 0)


def test_a_back_fill_leaves_a_late_source_late(ledger: psycopg.Connection[Any]) -> None:
    listed(ledger, "0 1 * * *")
    loaded(ledger, TODAY, first_day=date(2026, 1, 1))
    assert state(ledger) == ("never", None, 0)
    loaded(ledger, TODAY - timedelta(days=3))
    loaded(ledger, TODAY, first_day=date(2026, 1, 1))
    assert state(ledger) == ("late", TODAY - timedelta(days=2), 2)


def test_a_table_that_left_its_spec_is_late_no_more(ledger: psycopg.Connection[Any]) -> None:
    listed(ledger, "0 1 * * *", "stock", "price")
    loaded(ledger, TODAY, "stock")
    loaded(ledger, TODAY - timedelta(days=9), "price")
    ledger.execute("update ops.resource set retired_on = %s where resource_id = 'depot.price'", [TODAY])
    assert state(ledger) == ("in time", None, 0)
    ledger.execute("update ops.resource set retired_on = %s where source = 'depot'", [TODAY])
    assert state(ledger) is None


def test_an_alert_is_written_once(ledger: psycopg.Connection[Any]) -> None:
    due = datetime(2026, 3, 18, 1, tzinfo=UTC)
    for _ in range(2):
        watching.raise_alert("depot", "scheduled__1", due)
    with connect("warehouse:watch") as conn:
        alerts = watching.of_source(conn, "depot")["alerts"]
    assert [(row["run_id"], row["due_at"], row["business_date"]) for row in alerts] == [
        ("scheduled__1", due, TODAY)
    ]


def test_the_page_counts_rejected_rows_by_reason_and_cannot_read_them(
    ledger: psycopg.Connection[Any],
) -> None:
    listed(ledger, "0 1 * * *")
    batch = loaded(ledger, TODAY)
    ledger.execute(
        "insert into ops.rejected_row (batch_id, source, table_name, position, raw_text, reason)"
        " select %s, 'depot', 'stock', 'line ' || n, '王小明', '5 fields instead of 9'"
        " from generate_series(1, 3) n",
        [batch],
    )
    with connect("warehouse:watch") as conn:
        parts = watching.of_source(conn, "depot")
        assert [(row["reason"], row["rows"]) for row in parts["rejected"]] == [("5 fields instead of 9", 3)]
        assert [row["batch_id"] for row in parts["loads"]] == [batch]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("select raw_text from ops.rejected_row")


@pytest.mark.parametrize(
    "statement",
    [
        "select row_key from quality.correction",
        "select * from quality.failed_row",
        "select * from raw.depot",
        "insert into ops.late_alert values ('a', 'b', now(), now(), now())",
        "update ops.load_run set error = ''",
        "delete from ops.demand_task",
    ],
)
def test_whoever_serves_the_page_reads_no_values_and_writes_nothing(home: Path, statement: str) -> None:
    with connect("warehouse:watch") as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(statement)  # type: ignore[call-overload]  # the statements are constants of this file


@pytest.mark.parametrize(
    ("cadence", "words"),
    [
        ("0 1 * * *", "每天 01:00"),
        ("30 2 * * 1-5", "02:30, 周一 到 周五"),
        ("0 0 1 * *", "00:00, 每月的 1 号"),
    ],
)
def test_a_cadence_is_said_in_words(cadence: str, words: str) -> None:
    assert in_words(cadence) == words


@pytest.mark.parametrize("cadence", ["0 25 * * *", "daily", "0 1 * *", "0 1 * * MON", "0 0 L * *", "@daily"])
def test_a_cadence_that_is_no_cron_is_refused(cadence: str) -> None:
    with pytest.raises(ValidationError, match="no cron expression"):
        TypeAdapter(Cadence).validate_python(cadence)
