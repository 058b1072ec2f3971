"""What can go wrong with a source: one clear message, its own table only, and the same end after repair."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from clinic import PATIENT, POSTGRES, SNAPSHOT, WATERMARK, Raw, source, table

from huiliu.database import Connection, advisory_lock, connect
from huiliu.errors import TransientError
from ingestion.errors import IngestError, RetryableIngestError
from ingestion.run import ingest, ingest_source

Write = Callable[..., Path]
Clinic = psycopg.Connection[Any]


@pytest.fixture
def loaded(specs: Write, clinic: Clinic) -> None:
    """A source of two tables, loaded once."""
    clinic.execute("create table visit as select n as id, 'v' || n as note from generate_series(1, 30) n")
    specs(
        source(
            POSTGRES,
            table("patient", PATIENT, key=["id"]),
            table("visit", "id note", key=["id"]),
        )
    )
    ingest_source("clinic")


FAULTS = [
    ("alter table patient drop column born", "column born is missing"),
    ("alter table patient rename born to birthday", "write source_name: birthday for it in the spec"),
    ("drop table patient", "the source has no table public.patient; it has visit"),
    ("truncate patient", "the source has none of the 40 rows it had at the last load"),
    (
        "delete from patient where id > 20",
        "20 of 40 rows were deleted at the source, more than the allowed 20%",
    ),
]


@pytest.mark.parametrize(("fault", "message"), FAULTS)
def test_a_fault_of_one_table_fails_that_table_only(
    loaded: None, clinic: Clinic, raw: Raw, fault: str, message: str
) -> None:
    before = raw.current("clinic__patient", PATIENT)
    clinic.execute("insert into visit values (31, 'new')")
    clinic.execute(fault)
    with pytest.raises(IngestError) as raised:
        ingest_source("clinic")
    assert not isinstance(raised.value, TransientError)
    assert message in str(raised.value)
    assert raw.runs()[2:] == [("patient", "failed", None, None, None), ("visit", "landed", 1, 0, 0)]
    assert raw.current("clinic__patient", PATIENT) == before
    probe = raw.conn.execute(
        "select passed, error from ops.mount_probe where resource_id = 'clinic.patient' order by"
        " probed_at desc"
    ).fetchone()
    assert probe is not None
    assert probe[0] is False
    assert message in probe[1]


def test_a_reconciled_table_that_is_emptied_is_a_fault_too(specs: Write, clinic: Clinic, raw: Raw) -> None:
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"], mode=WATERMARK)))
    ingest_source("clinic")
    clinic.execute("truncate patient")
    with pytest.raises(IngestError, match="none of the 40 rows"):
        ingest_source("clinic")
    assert len(raw.current("clinic__patient", "id")) == 40


def test_a_true_mass_deletion_lands_once_it_is_allowed(specs: Write, clinic: Clinic, raw: Raw) -> None:
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"])))
    ingest_source("clinic")
    clinic.execute("truncate patient")
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"], max_delete_share=1.0)))
    ingest_source("clinic")
    assert raw.runs()[-1] == ("patient", "landed", 0, 0, 40)
    assert raw.current("clinic__patient", "id") == []


def test_a_mass_deletion_that_the_department_confirms_lands_once(
    specs: Write, clinic: Clinic, raw: Raw
) -> None:
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"])))
    ingest_source("clinic")
    clinic.execute("truncate patient")
    with pytest.raises(IngestError, match="--accept-deletions"):
        ingest_source("clinic")
    ingest_source("clinic", accept_deletions=True)
    assert raw.runs()[-1] == ("patient", "landed", 0, 0, 40)
    assert raw.current("clinic__patient", "id") == []


def test_an_unreachable_source_is_worth_a_retry_and_stops_no_other(
    specs: Write, clinic: Clinic, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"])))
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"]), name="surgery"))
    monkeypatch.setenv("HUILIU_DSN_SOURCE__SURGERY", "postgresql://someone:secret@127.0.0.1:1/nothing")
    with pytest.raises(RetryableIngestError) as raised:
        ingest()
    assert "HUILIU_DSN_SOURCE__SURGERY" in str(raised.value)
    assert "someone:secret" not in str(raised.value)
    assert raw.runs("clinic") == [("patient", "landed", 40, 0, 0)]
    assert raw.runs("surgery") == [("patient", "failed", None, None, None)]


def test_two_runs_of_a_source_do_not_interleave(specs: Write, clinic: Clinic, raw: Raw) -> None:
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"])))
    with connect("warehouse:ingest") as other, advisory_lock(other, "ingest:clinic"):
        with pytest.raises(RetryableIngestError, match="being worked on by another process"):
            ingest_source("clinic")
        assert raw.runs() == [("patient", "failed", None, None, None)]
    ingest_source("clinic")
    assert raw.runs()[-1] == ("patient", "landed", 40, 0, 0)


def test_no_value_of_a_row_stands_in_an_error(loaded: None, clinic: Clinic, raw: Raw) -> None:
    clinic.execute(
        "create function boom(text) returns text language plpgsql as $$ begin return 1 / 0; end $$"
    )
    clinic.execute("alter table patient rename to patients")
    clinic.execute("create view patient as select id, boom(name) as name, born, updated_at from patients")
    with pytest.raises(
        IngestError, match=r"clinic\.patient: the source could not be read: DivisionByZero \(22012\)"
    ):
        ingest_source("clinic")
    assert "p1" not in raw.error()


def stall(clinic: Clinic) -> None:
    """Make the source stop in mid-read: rows have come, the end has not."""
    clinic.execute("alter table patient rename to patients")
    clinic.execute(
        "create view patient as select id, case when id = 40 and pg_sleep(4) is not null then name"
        " else name end"
        " as name, born, updated_at from patients order by id"
    )


def recover(clinic: Clinic) -> None:
    clinic.execute("drop view patient")
    clinic.execute("alter table patients rename to patient")


END = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = %s and query ilike 'copy%%' and state = 'active' and pid <> pg_backend_pid()
"""


@pytest.mark.parametrize("database", ["warehouse", "source"])
def test_a_lost_connection_in_mid_load_is_worth_a_retry(
    specs: Write, clinic: Clinic, raw: Raw, database: str
) -> None:
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"])))
    stall(clinic)
    lost = clinic.info.dbname if database == "source" else "warehouse"
    with connect("admin", autocommit=True) as admin, ThreadPoolExecutor(1) as pool:
        load = pool.submit(ingest_source, "clinic")
        until(lambda: any(row[0] for row in admin.execute(END, [lost]).fetchall()))
        with pytest.raises(RetryableIngestError):
            load.result()
    recover(clinic)
    ingest_source("clinic")
    first = "failed" if database == "source" else "abandoned"
    assert raw.runs() == [("patient", first, None, None, None), ("patient", "landed", 40, 0, 0)]
    assert len(raw.log("clinic__patient", "id")) == 40


def test_a_source_silent_in_mid_read_holds_up_no_other_thread(specs: Write, clinic: Clinic, raw: Raw) -> None:
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"])))
    clinic.execute("update patient set name = repeat('x', 10000)")  # so that the first rows come at once
    stall(clinic)
    with connect("admin", autocommit=True) as admin, ThreadPoolExecutor(1) as pool:
        load = pool.submit(ingest_source, "clinic")
        time.sleep(2)
        assert not load.done()
        until(lambda: any(row[0] for row in admin.execute(END, [clinic.info.dbname]).fetchall()))
        with pytest.raises(RetryableIngestError):
            load.result()


KILLED = """
import sys
from pathlib import Path
from ingestion import spec
from ingestion.run import ingest_source
spec.SOURCES = Path(sys.argv[1])
print("begun", flush=True)
ingest_source("clinic")
"""


@pytest.mark.parametrize("mode", [SNAPSHOT, WATERMARK])
@pytest.mark.parametrize("first", [True, False])
def test_a_killed_load_leaves_no_trace_but_its_ledger_row(
    specs: Write, clinic: Clinic, raw: Raw, mode: dict[str, Any], first: bool
) -> None:
    path = specs(source(POSTGRES, table("patient", PATIENT, key=["id"], mode=mode)))
    if not first:
        ingest_source("clinic")
        clinic.execute("update patient set name = 'new', updated_at = '2026-01-15' where id = 7")
        clinic.execute("delete from patient where id = 8")
    stall(clinic)
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path.parent)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    running = "select count(*) from ops.load_run where source = 'clinic' and status = 'running'"
    until(lambda: raw.conn.execute(running).fetchone() == (1,))
    time.sleep(0.5)
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    recover(clinic)
    with connect("warehouse:ingest") as other:
        until(lambda: _lock_is_free(other))
    ingest_source("clinic")
    runs = raw.runs()
    assert [run[1] for run in runs] == (["landed"] if not first else []) + ["abandoned", "landed"]
    assert runs[-1] == ("patient", "landed", 40, 0, 0) if first else ("patient", "landed", 0, 1, 1)
    expected = clinic.execute("select id::text, name from patient order by id::text").fetchall()
    assert raw.current("clinic__patient", "id name") == sorted(expected)
    assert len(raw.log("clinic__patient", "id")) == (40 if first else 42)


def _lock_is_free(conn: Connection) -> bool:
    try:
        with advisory_lock(conn, "ingest:clinic"):
            return True
    except TransientError:
        return False


def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
