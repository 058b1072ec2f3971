"""PostgreSQL sources: every mode, and every change that a day can bring."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from clinic import PATIENT, POSTGRES, SNAPSHOT, WATERMARK, Raw, source, table

from ingestion.errors import IngestError
from ingestion.run import ingest_source

Write = Callable[..., Path]
Clinic = psycopg.Connection[Any]
NAME = "clinic__patient"


def at_source(clinic: Clinic) -> list[tuple[Any, ...]]:
    rows = clinic.execute("select id::text, name, born::text, updated_at::text from patient").fetchall()
    return sorted(rows, key=lambda row: tuple(value or "" for value in row))


def landed(raw: Raw) -> list[tuple[Any, ...]]:
    return sorted(raw.current(NAME, PATIENT), key=lambda row: tuple(value or "" for value in row))


@pytest.mark.parametrize("mode", [SNAPSHOT, WATERMARK])
def test_same_data_twice_changes_nothing(
    specs: Write, clinic: Clinic, raw: Raw, mode: dict[str, Any]
) -> None:
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"], mode=mode)))
    ingest_source("clinic")
    ingest_source("clinic")
    ingest_source("clinic")
    assert raw.runs() == [("patient", "landed", 40, 0, 0), *[("patient", "landed", 0, 0, 0)] * 2]
    assert landed(raw) == at_source(clinic)
    assert raw.state_agrees(NAME)


@pytest.mark.parametrize("mode", [SNAPSHOT, WATERMARK])
def test_a_day_of_changes_lands_as_changes(
    specs: Write, clinic: Clinic, raw: Raw, mode: dict[str, Any]
) -> None:
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"], mode=mode)))
    ingest_source("clinic")
    clinic.execute("update patient set name = 'new', updated_at = '2026-01-15' where id = 7")
    clinic.execute("delete from patient where id in (8, 9)")
    clinic.execute("insert into patient values (41, null, null, '2026-01-15 10:00')")
    ingest_source("clinic")
    assert raw.runs()[-1] == ("patient", "landed", 1, 1, 2)
    assert sorted(raw.log(NAME, "id name")[40:]) == [
        ("41", None, "I"),
        ("7", "new", "U"),
        ("8", "p8", "D"),
        ("9", "p9", "D"),
    ]
    assert landed(raw) == at_source(clinic)
    assert raw.state_agrees(NAME)


def test_a_deleted_row_that_returns_is_inserted_again(specs: Write, clinic: Clinic, raw: Raw) -> None:
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"])))
    ingest_source("clinic")
    clinic.execute("create table kept as table patient")
    clinic.execute("delete from patient where id = 3")
    ingest_source("clinic")
    clinic.execute("insert into patient select * from kept where id = 3")
    ingest_source("clinic")
    assert [row for row in raw.log(NAME, "id") if row[0] == "3"] == [("3", "I"), ("3", "D"), ("3", "I")]


def test_a_late_row_older_than_the_watermark_is_found_by_its_key(
    specs: Write, clinic: Clinic, raw: Raw
) -> None:
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"], mode=WATERMARK)))
    ingest_source("clinic")
    clinic.execute("insert into patient values (99, 'late', null, '2025-01-01')")
    (load,) = ingest_source("clinic")
    assert (load.rows_inserted, load.rows_deleted) == (1, 0)
    assert load.notice is not None
    assert "older than the watermark" in load.notice
    assert landed(raw) == at_source(clinic)


def test_a_watermark_load_reads_only_what_is_new(specs: Write, clinic: Clinic) -> None:
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"], mode=WATERMARK)))
    ingest_source("clinic")
    (load,) = ingest_source("clinic")
    # The last day's rows (the overlap) and no more.
    assert load.rows_read == 25


def test_a_wrong_year_does_not_push_the_watermark_past_all_later_rows(
    specs: Write, clinic: Clinic, raw: Raw
) -> None:
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"], mode=WATERMARK)))
    clinic.execute("update patient set updated_at = '2999-01-01' where id = 1")
    ingest_source("clinic")
    clinic.execute("update patient set name = 'x', updated_at = '2026-01-15' where id = 40")
    (load,) = ingest_source("clinic")
    assert load.rows_updated == 1
    assert landed(raw) == at_source(clinic)


def test_without_a_key_equal_rows_are_counted_by_occurrence(specs: Write, clinic: Clinic, raw: Raw) -> None:
    specs(source(POSTGRES, table("visit", "name kind")))
    clinic.execute("create table visit (name text, kind text)")
    clinic.execute("insert into visit values ('a', 'x'), ('a', 'x'), ('a', 'x'), ('b', null), ('b', '')")
    ingest_source("clinic")
    clinic.execute("delete from visit where ctid = (select max(ctid) from visit where name = 'a')")
    ingest_source("clinic")
    ingest_source("clinic")
    assert raw.runs() == [
        ("visit", "landed", 5, 0, 0),
        ("visit", "landed", 0, 0, 1),
        ("visit", "landed", 0, 0, 0),
    ]
    assert raw.current("clinic__visit", "name kind") == [("a", "x"), ("a", "x"), ("b", ""), ("b", None)]


def test_a_repeated_declared_key_keeps_every_row(specs: Write, clinic: Clinic, raw: Raw) -> None:
    specs(source(POSTGRES, table("visit", "id note", key=["id"])))
    clinic.execute("create table visit (id text, note text)")
    clinic.execute("insert into visit values ('1', 'a'), ('1', 'b'), ('2', 'c')")
    ingest_source("clinic")
    clinic.execute("update visit set note = 'd' where note = 'b'")
    ingest_source("clinic")
    assert raw.current("clinic__visit", "id note") == [("1", "a"), ("1", "d"), ("2", "c")]
    ingest_source("clinic")
    assert raw.runs()[-1] == ("visit", "landed", 0, 0, 0)
    assert raw.state_agrees("clinic__visit")


def test_a_watermark_needs_a_unique_key(specs: Write, clinic: Clinic) -> None:
    specs(source(POSTGRES, table("visit", "id updated_at", key=["id"], mode=WATERMARK)))
    clinic.execute("create table visit (id text, updated_at timestamp)")
    clinic.execute("insert into visit values ('1', '2026-01-01'), ('1', '2026-01-02')")
    with pytest.raises(IngestError, match="the key id is not unique"):
        ingest_source("clinic")


@pytest.mark.parametrize("mode", [SNAPSHOT, WATERMARK])
def test_an_empty_first_load_is_an_error_until_there_are_rows(
    specs: Write, clinic: Clinic, raw: Raw, mode: dict[str, Any]
) -> None:
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"], mode=mode)))
    clinic.execute("delete from patient")
    for _ in range(2):
        with pytest.raises(IngestError, match=r"clinic\.patient: the source has no row.*may_be_empty: true"):
            ingest_source("clinic")
    clinic.execute("insert into patient values (1, 'a', null, '2026-01-01')")
    ingest_source("clinic")
    assert raw.runs() == [
        *[("patient", "failed", None, None, None)] * 2,
        ("patient", "landed", 1, 0, 0),
    ]


@pytest.mark.parametrize("mode", [SNAPSHOT, WATERMARK])
def test_a_table_that_may_be_empty_lands_nothing_and_then_its_rows(
    specs: Write, clinic: Clinic, raw: Raw, mode: dict[str, Any]
) -> None:
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"], mode=mode, may_be_empty=True)))
    clinic.execute("delete from patient")
    ingest_source("clinic")
    clinic.execute("insert into patient values (1, 'a', null, '2026-01-01')")
    ingest_source("clinic")
    assert raw.runs() == [("patient", "landed", 0, 0, 0), ("patient", "landed", 1, 0, 0)]


def test_a_later_load_without_new_rows_lands_nothing(specs: Write, clinic: Clinic, raw: Raw) -> None:
    mode = WATERMARK | {"overlap": 0, "reconcile_every_days": None}
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"], mode=mode)))
    ingest_source("clinic")
    clinic.execute("delete from patient")
    (load,) = ingest_source("clinic")
    assert (load.status, load.rows_read) == ("landed", 0)
    assert len(raw.current(NAME, "id")) == 40


def test_a_new_column_of_the_spec_comes_in(specs: Write, clinic: Clinic, raw: Raw) -> None:
    specs(source(POSTGRES, table("patient", "id name", key=["id"])))
    (load,) = ingest_source("clinic")
    assert load.notice == "columns the spec does not know were kept in _extra: born, updated_at"
    assert raw.current(NAME, "id _extra")[0] == (
        "1",
        '{"born": "1980-01-02", "updated_at": "2026-01-01 01:00:00"}',
    )
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"])))
    (load,) = ingest_source("clinic")
    assert (load.rows_updated, load.notice) == (40, None)
    assert landed(raw) == at_source(clinic)


def test_the_ledgers_and_rights_are_set(specs: Write, clinic: Clinic, raw: Raw) -> None:
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"])))
    ingest_source("clinic")
    probe = "select passed, row_count from ops.mount_probe where resource_id = 'clinic.patient'"
    assert raw.conn.execute(probe).fetchall() == [(True, 40)]
    catalogue = "select department, level, share_type from ops.resource where resource_id = 'clinic.patient'"
    assert raw.conn.execute(catalogue).fetchall() == [("市卫生健康委员会", "city", "有条件共享")]
    rights = raw.conn.execute(
        "select has_table_privilege('huiliu_build', 'raw.clinic__patient', 'select'),"
        " has_table_privilege('huiliu_build', 'raw.clinic__patient', 'insert'),"
        " has_table_privilege('huiliu_build', 'ops.rejected_row', 'select')"
    ).fetchone()
    assert rights == (True, False, False)
