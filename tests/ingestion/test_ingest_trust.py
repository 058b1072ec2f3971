"""Nothing lost, nothing twice, nothing unseen: failed attempts, interrupted rewrites, manifests, limits."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from clinic import PATIENT, POSTGRES, Raw, source, table
from test_ingest_faults import END, recover, stall, until

from huiliu.database import advisory_lock, connect
from ingestion import run
from ingestion.errors import FatalIngestError, RetryableIngestError
from ingestion.records import Days, Extracted, Wanted
from ingestion.run import ingest_source
from ingestion.spec import SourceSpec, TableSpec
from ingestion.stage import Stage

Write = Callable[..., Path]
Clinic = psycopg.Connection[Any]
NAME = "clinic__patient"
MANIFEST = {"type": "table", "relation": "public.control"}


def spec_of(container: dict[str, Any] = POSTGRES, **more: object) -> dict[str, Any]:
    return source(container, table("patient", PATIENT, key=["id"], **more))


def broken_off(clinic: Clinic) -> None:
    """Load while the source dies in mid-read."""
    stall(clinic)
    with connect("admin", autocommit=True) as admin, ThreadPoolExecutor(1) as pool:
        load = pool.submit(ingest_source, "clinic")
        until(lambda: any(row[0] for row in admin.execute(END, [clinic.info.dbname]).fetchall()))
        with pytest.raises(RetryableIngestError):
            load.result()
    recover(clinic)


def test_a_failed_attempt_does_not_move_the_watermark(specs: Write, clinic: Clinic, raw: Raw) -> None:
    """As airbytehq/airbyte#12821: there a failed attempt kept its cursor, and the retry skipped rows."""
    mode = {"type": "watermark", "column": "updated_at", "overlap": 0}
    specs(spec_of(mode=mode))
    ingest_source("clinic")
    clinic.execute(
        "insert into patient select n, 'new', null, timestamp '2026-01-10' + n * interval '1 minute'"
        " from generate_series(41, 80) n"
    )
    broken_off(clinic)
    (load,) = ingest_source("clinic")
    assert load.rows_inserted == 40
    marks = raw.conn.execute(
        "select status, watermark from ops.load_run where source = 'clinic' order by batch_id"
    ).fetchall()
    assert [(status, mark is None) for status, mark in marks] == [
        ("landed", False),
        ("failed", True),
        ("landed", False),
    ]


def test_an_interrupted_rewrite_leaves_what_there_was(specs: Write, clinic: Clinic, raw: Raw) -> None:
    """As airbytehq/airbyte#42468: there an overwrite that was cut short left no row at all."""
    specs(spec_of())
    ingest_source("clinic")
    before = raw.current(NAME, PATIENT)
    clinic.execute("update patient set name = 'all new'")
    broken_off(clinic)
    assert raw.current(NAME, PATIENT) == before
    (load,) = ingest_source("clinic")
    assert load.rows_updated == 40
    assert raw.state_agrees(NAME)


def test_a_batch_that_its_manifest_denies_is_refused(specs: Write, clinic: Clinic, raw: Raw) -> None:
    clinic.execute("create table control (table_name text, row_count bigint)")
    specs(spec_of(manifest=MANIFEST))
    with pytest.raises(FatalIngestError, match="control says nothing of patient"):
        ingest_source("clinic")
    clinic.execute("insert into control values ('patient', 41)")
    with pytest.raises(FatalIngestError, match=r"public\.control says 41 rows, there are 40"):
        ingest_source("clinic")
    assert raw.log(NAME, "id") == []
    clinic.execute("insert into patient values (41, 'the missing one', null, null)")
    ingest_source("clinic")
    found = raw.conn.execute(
        "select expected_rows, actual_rows, matches from ops.manifest join ops.load_run using (batch_id)"
        " where source = 'clinic' order by batch_id"
    ).fetchall()
    assert found == [(41, 40, False), (41, 41, True)]


def test_the_whole_table_must_match_its_manifest_when_only_changes_are_read(
    specs: Write, clinic: Clinic, raw: Raw
) -> None:
    clinic.execute("create table control (table_name text, row_count bigint)")
    clinic.execute("insert into control values ('patient', 40)")
    mode = {"type": "watermark", "column": "updated_at", "overlap": 0}
    specs(spec_of(manifest=MANIFEST, mode=mode))
    ingest_source("clinic")
    # Deletes that are not yet seen deny no manifest: the source itself is counted.
    clinic.execute("delete from patient where id = 1")
    clinic.execute("update control set row_count = 39")
    ingest_source("clinic")
    ingest_source("clinic", days=Days(date(2026, 1, 1), date(2026, 1, 1)))
    clinic.execute("update control set row_count = 40")
    with pytest.raises(FatalIngestError, match="says 40 rows, there are 39"):
        ingest_source("clinic")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("insert into control values ('patient', '41')", "control has more than one row for patient"),
        ("update control set row_count = '四十'", "control has no number in row_count for patient"),
        ("update control set row_count = null", "control says nothing of patient"),
    ],
)
def test_a_manifest_that_says_no_number_is_refused(
    specs: Write, clinic: Clinic, raw: Raw, change: str, said: str
) -> None:
    clinic.execute("create table control (table_name text, row_count text)")
    clinic.execute("insert into control values ('patient', ' 40 ')")
    specs(spec_of(manifest=MANIFEST))
    ingest_source("clinic")
    clinic.execute(change)
    with pytest.raises(FatalIngestError, match=said) as raised:
        ingest_source("clinic")
    assert "四十" not in str(raised.value)


def csv_of(path: Path, names: str = "id name", **more: object) -> dict[str, Any]:
    return source({"type": "csv", "path": str(path)}, table("patient", names, **more))


def test_a_record_that_cannot_be_read_is_not_deleted(
    specs: Write, clinic: Clinic, raw: Raw, tmp_path: Path
) -> None:
    path = tmp_path / "patient.csv"
    lines = [f"{n},p{n}" for n in range(40)]

    def load(changed: dict[int, str | None]) -> tuple[int | None, str | None]:
        kept = [changed.get(n, line) for n, line in enumerate(lines)]
        path.write_text("\n".join(["id,name", *(line for line in kept if line is not None)]))
        (loaded,) = ingest_source("clinic")
        return loaded.rows_deleted, loaded.notice

    specs(csv_of(path, key=["id"]))
    load({})
    deleted, notice = load({7: "7,p,7", 9: None})
    assert deleted == 0
    assert notice is not None
    assert "2 rows are not seen any more, but may be among the broken records" in notice
    # What vanishes later is deleted, while what may be the broken record waits for it to be mended.
    assert load({7: "7,p,7", 9: None, 11: None})[0] == 1
    assert load({7: "7,mended", 9: None, 11: None})[0] == 1
    assert sorted(int(n) for (n,) in raw.current(NAME, "id")) == [n for n in range(40) if n not in (9, 11)]


def test_a_file_without_header_shows_nobody(specs: Write, clinic: Clinic, raw: Raw, tmp_path: Path) -> None:
    path = tmp_path / "patient.csv"
    path.write_text("110101199001011234,张三\n")
    specs(csv_of(path))
    with pytest.raises(FatalIngestError, match="id, name is missing, that is all the spec has") as raised:
        ingest_source("clinic")
    for text in (str(raised.value), raw.error()):
        assert "张三" not in text
        assert "11010119" not in text


def test_an_object_keyed_by_people_shows_nobody(
    specs: Write, clinic: Clinic, raw: Raw, tmp_path: Path
) -> None:
    path = tmp_path / "patient.json"
    path.write_text('{"id": 1, "110101199001011234": {"score": 5}}\n')
    specs(source({"type": "json", "lines": True, "path": str(path)}, table("patient", "id")))
    (load,) = ingest_source("clinic")
    assert load.notice == "columns the spec does not know were kept in _extra: column 1"
    assert raw.current(NAME, "_extra") == [('{"110101199001011234": "{\\"score\\": 5}"}',)]
    named = raw.conn.execute("select column_name from ops.source_column where source = 'clinic'").fetchall()
    assert named == [("id",)]


@pytest.mark.parametrize("key", [[], ["id"]])
def test_a_new_field_of_a_file_is_no_other_row(
    specs: Write, clinic: Clinic, raw: Raw, tmp_path: Path, key: list[str]
) -> None:
    path = tmp_path / "patient.json"
    specs(source({"type": "json", "lines": True, "path": str(path)}, table("patient", "id", key=key)))
    path.write_text("\n".join(f'{{"id": {n}}}' for n in range(20)))
    ingest_source("clinic")
    path.write_text("\n".join(f'{{"id": {n}, "ward": 5}}' for n in range(20)))
    (load,) = ingest_source("clinic")
    assert (load.rows_inserted, load.rows_updated, load.rows_deleted) == (0, 20, 0)


def test_what_nobody_foresaw_stops_no_other_table(
    specs: Write, clinic: Clinic, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic.execute("create table visit (no int primary key)")
    clinic.execute("insert into visit values (1)")
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"]), table("visit", "no", key=["no"])))
    reading = run.extract

    def odd(spec: SourceSpec, wanted_table: TableSpec, wanted: Wanted, stage: Stage) -> Extracted:
        if wanted_table.name == "patient":
            raise ValueError("张三")
        return reading(spec, wanted_table, wanted, stage)

    monkeypatch.setattr(run, "extract", odd)
    with pytest.raises(FatalIngestError, match=r"ended with ValueError in \w+\.py, line") as raised:
        ingest_source("clinic")
    assert "张三" not in str(raised.value)
    assert raw.runs() == [("patient", "failed", None, None, None), ("visit", "landed", 1, 0, 0)]


def test_a_statement_that_takes_too_long_is_ended(specs: Write, clinic: Clinic, raw: Raw) -> None:
    specs(spec_of(POSTGRES | {"timeout_seconds": 0.5}))
    stall(clinic)
    with pytest.raises(RetryableIngestError, match="statement timeout"):
        ingest_source("clinic")
    recover(clinic)
    assert ingest_source("clinic")[0].rows_inserted == 40


def test_a_source_is_read_over_one_connection(specs: Write, clinic: Clinic, raw: Raw) -> None:
    specs(spec_of())
    stall(clinic)
    count = (
        "select count(*) from pg_stat_activity where datname = %s and application_name = 'huiliu'"
        " and backend_type = 'client backend'"
    )
    seen = []
    with connect("admin", autocommit=True) as admin, ThreadPoolExecutor(1) as pool:
        load = pool.submit(ingest_source, "clinic")
        until(
            lambda: (
                "copy"
                in str(
                    admin.execute(
                        "select string_agg(lower(query), ' ') from pg_stat_activity where datname = %s",
                        [clinic.info.dbname],
                    ).fetchone()
                )
            )
        )
        seen.append(admin.execute(count, [clinic.info.dbname]).fetchone())
        until(lambda: any(row[0] for row in admin.execute(END, [clinic.info.dbname]).fetchall()))
        with pytest.raises(RetryableIngestError):
            load.result()
    assert seen == [(1,)]


def test_sources_of_one_server_take_turns(
    specs: Write, clinic: Clinic, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs(spec_of() | {"server": "province_hall"})
    with connect("warehouse:ingest") as other, ThreadPoolExecutor(1) as pool:
        with advisory_lock(other, "ingest-server:province_hall"):
            load = pool.submit(ingest_source, "clinic")
            with pytest.raises(TimeoutError):
                load.result(timeout=1)
        assert load.result(timeout=30)[0].rows_inserted == 40
        monkeypatch.setattr(run, "WAIT_FOR_SERVER", 0)
        with (
            advisory_lock(other, "ingest-server:province_hall"),
            pytest.raises(RetryableIngestError, match=r"province_hall.* is being worked on"),
        ):
            ingest_source("clinic")
    assert raw.runs()[-1] == ("patient", "failed", None, None, None)
