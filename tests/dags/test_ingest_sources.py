"""What a run's parameters ask of the load, and what a missed deadline leaves behind."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowRescheduleException

from dags import alerts, reporting
from dags.ingest_sources import LOOK_AGAIN_AFTER, asked_for, land
from huiliu import business_date
from huiliu.database import advisory_lock, connect
from huiliu.errors import ConfigError, DataError
from ingestion import spec
from ingestion.probing import Probe
from ingestion.records import Days


def test_an_ordinary_run_asks_for_nothing_special() -> None:
    assert asked_for({}) == {"accept_deletions": False, "days": None}
    assert asked_for({"accept_deletions": True, "backfill_from": None, "backfill_to": None}) == {
        "accept_deletions": True,
        "days": None,
    }


def test_a_back_fill_asks_for_its_days() -> None:
    asked = asked_for({"backfill_from": "2026-01-01", "backfill_to": "2026-01-31"})
    assert asked["days"] == Days(date(2026, 1, 1), date(2026, 1, 31))


@pytest.mark.parametrize(
    "params",
    [
        {"backfill_from": "2026-01-01"},
        {"backfill_to": "2026-01-31"},
        {"backfill_from": "2026-01-31", "backfill_to": "2026-01-01"},
    ],
)
def test_a_back_fill_without_both_its_days_in_order_is_refused(params: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        asked_for(params)


@pytest.fixture
def no_alerts(home: Path) -> Iterator[None]:
    with connect("warehouse", autocommit=True) as conn:
        business_date.set(conn, date(2026, 1, 15))
        yield
        conn.execute("delete from ops.late_alert where source = 'police'")


@pytest.mark.usefixtures("no_alerts")
@pytest.mark.parametrize("as_text", [True, False])
def test_a_missed_deadline_is_logged_and_written_down(
    caplog: pytest.LogCaptureFixture, as_text: bool
) -> None:
    due = datetime(2026, 1, 15, 3, tzinfo=UTC)
    context = {
        "dag_run": {"dag_run_id": "scheduled__2026-01-15"},
        "deadline": {"deadline_time": due.isoformat() if as_text else due},
    }
    with caplog.at_level(logging.ERROR, logger="huiliu"):
        alerts.source_is_late(context, source="police")
    assert "police 采集超时" in caplog.text
    with connect("warehouse") as conn:
        found = conn.execute("select run_id, due_at from ops.late_alert where source = 'police'").fetchall()
    assert found == [("scheduled__2026-01-15", due)]


def test_a_source_whose_server_is_busy_gives_its_slot_back_and_leaves_no_trace(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (spec.SOURCES / "region_codes.yml").read_text(encoding="utf-8")
    named = text.replace("name: region_codes\n", "name: queued\nserver: old_machine\n", 1)
    (tmp_path / "queued.yml").write_text(named, encoding="utf-8")
    monkeypatch.setattr(spec, "SOURCES", tmp_path)
    with connect("warehouse", autocommit=True) as conn:
        business_date.set(conn, date(2026, 1, 15))
        with (
            advisory_lock(conn, "ingest-server:old_machine"),
            pytest.raises(AirflowRescheduleException) as later,
        ):
            land("queued", asked_for({}))
        assert later.value.reschedule_date - datetime.now(UTC) <= LOOK_AGAIN_AFTER
        runs = conn.execute("select count(*) from ops.load_run where source = 'queued'").fetchone()
        assert runs == (0,), "waiting is no failed load"


def test_a_source_that_cannot_be_reached_turns_the_probe_red() -> None:
    good = Probe("police", "resident", "居民", "市公安局", True, found="12 columns")
    bad = Probe("health", "birth", "出生", "市卫生健康委员会", False, error="gone", fix="start it")
    reporting.fail_if_not_mounted(reporting.probed([good]))
    with pytest.raises(DataError, match=r"health\.birth: gone"):
        reporting.fail_if_not_mounted(reporting.probed([good, bad]))
