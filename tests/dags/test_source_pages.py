"""The operators' page about a source: closed to strangers, complete, and without any value of any row."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from huiliu import business_date
from huiliu.database import connect
from ingestion import ledger, watching
from ingestion.spec import load_specs

ROOT = Path(__file__).resolve().parents[2]
PERSON = "王小明"
DECISIONS = [
    ("held", "闸门", "C01 必填项为空（pid）：60 行中 20 行不合格"),
    ("released", "李工", "部门来电核实无误"),
]


@pytest.fixture(scope="module")
def answers(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("airflow")
    with connect("warehouse", autocommit=True) as conn:
        business_date.set(conn, date(2026, 1, 15))
        ledger.register(conn, load_specs()["police"])
        row = conn.execute(
            "insert into ops.load_run"
            " (source, table_name, mode, business_date, status, rows_read, rows_inserted, finished_at)"
            " values ('police', 'resident', 'watermark', '2026-01-12', 'landed', 4711, 4708, now())"
            " returning batch_id"
        ).fetchone()
        assert row is not None
        conn.execute(
            "insert into ops.rejected_row (batch_id, source, table_name, position, raw_text, reason)"
            " values (%s, 'police', 'resident', 'line 7', %s, '<5 fields> instead of 9')",
            [row[0], PERSON],
        )
        for status, by, reason in DECISIONS:
            conn.execute(
                "with landed as (insert into ops.load_run (source, table_name, mode, business_date, status)"
                " values ('police', 'move', 'watermark', '2026-01-12', 'landed') returning batch_id)"
                " insert into ops.batch_gate (batch_id, status, decided_by, reason)"
                " select batch_id, %s, %s, %s from landed",
                [status, by, reason],
            )
        watching.raise_alert("police", "scheduled__2026-01-15", datetime(2026, 1, 15, 3, tzinfo=UTC))
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("read_pages.py")), str(ROOT / "dags")],
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "AIRFLOW_HOME": str(folder),
                "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql+psycopg2://nobody:nothing@127.0.0.1:1/none",
            },
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        yield json.loads(done.stdout.splitlines()[-1])
        conn.execute("delete from ops.late_alert where source = 'police'")
        conn.execute("delete from ops.rejected_row where source = 'police'")
        conn.execute(
            "delete from ops.batch_gate using ops.load_run"
            " where batch_gate.batch_id = load_run.batch_id and source = 'police'"
        )
        conn.execute("delete from ops.load_run where source = 'police'")
        conn.execute("delete from ops.resource where source = 'police'")


def test_nobody_reads_a_page_without_logging_in(answers: dict[str, Any]) -> None:
    assert sorted(answers["routes"]) == ["/dags/{dag_id}", "/sources"]
    assert answers["everything"] == answers["routes"], "no generated documentation"
    assert set(answers["without_login"].values()) == {401}
    assert "police" not in str(answers["bodies"])


def test_a_source_shows_its_owner_its_loads_and_its_rejected_rows(answers: dict[str, Any]) -> None:
    page = answers["pages"]["ingest_police"]
    for part in (
        "市公安局",
        "省级",
        "每天 01:00",
        "postgres",
        "4711",
        "4708",
        "迟到",
        "scheduled__2026-01-15",
    ):
        assert part in page
    assert "&lt;5 fields&gt; instead of 9" in page, "what a source says is text, never markup"
    assert PERSON not in page


def test_any_other_dag_shows_all_sources(answers: dict[str, Any]) -> None:
    page = answers["pages"]["build_warehouse"]
    assert "来源一览" in page
    assert "police" in page


def test_a_held_batch_is_shown_with_its_reason_and_where_to_decide(answers: dict[str, Any]) -> None:
    for page in answers["pages"].values():
        assert "被扣留的批次" in page
        assert "60 行中 20 行不合格" in page
        assert "release_batch" in page


def test_who_released_a_batch_and_why_is_shown(answers: dict[str, Any]) -> None:
    for page in answers["pages"].values():
        assert "李工" in page
        assert "部门来电核实无误" in page


def test_a_page_loads_and_runs_nothing_and_is_kept_nowhere(answers: dict[str, Any]) -> None:
    assert "default-src 'none'" in answers["headers"]["content-security-policy"]
    assert answers["headers"]["cache-control"] == "no-store"
    for page in answers["pages"].values():
        assert "<script" not in page
        assert "http" not in page
