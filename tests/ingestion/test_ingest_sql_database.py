"""Databases through SQLAlchemy: SQLite files, and MariaDB by another way."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from clinic import PATIENT, SNAPSHOT, WATERMARK, Raw, source, table
from mariadb_server import MariadbServer

from huiliu.errors import ConfigError, DataError
from ingestion.errors import FatalIngestError, IngestError, RetryableIngestError
from ingestion.extract import probe
from ingestion.extract.sql_texts import NoTextError, text_of
from ingestion.records import Days
from ingestion.run import ingest_source
from ingestion.spec import load_specs

Write = Callable[..., Path]
SQL = {"type": "sql", "timeout_seconds": 20}
NAME = "clinic__patient"
SETTING = "HUILIU_DSN_SOURCE__CLINIC"


@dataclass
class Clinic:
    """The source: a SQLite file or a MariaDB database with the table `patient` of 40 rows."""

    run: Callable[..., None]


@pytest.fixture
def sqlite_file(specs: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clinic:
    path = tmp_path / "clinic.db"

    def run(*statements: str) -> None:
        with sqlite3.connect(path) as conn:
            for statement in statements:
                conn.execute(statement)
        conn.close()

    run(
        "create table patient (id integer primary key, name text, born date, updated_at timestamp)",
        "with recursive seq(n) as (select 1 union all select n + 1 from seq where n < 40)"
        " insert into patient select n, 'p' || n, date('1980-01-01', n || ' days'),"
        " datetime('2026-01-01 00:00:00', n || ' hours') from seq",
    )
    monkeypatch.setenv(SETTING, f"sqlite:///{path}")
    return Clinic(run)


@pytest.fixture
def mariadb_database(
    specs: Write, mariadb: MariadbServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Clinic]:
    mariadb.create_database("clinic")
    clinic = Clinic(lambda *statements: mariadb.run("clinic", *statements))
    clinic.run(
        "create table patient (id bigint primary key, name varchar(200), born date, updated_at datetime)",
        "insert into patient select seq, concat('p', seq), date '1980-01-01' + interval seq day,"
        " timestamp '2026-01-01 00:00:00' + interval seq hour from seq_1_to_40",
    )
    monkeypatch.setenv(SETTING, mariadb.url("clinic").replace("mysql:", "mysql+pymysql:"))
    yield clinic
    assert mariadb.connections() == 0


@pytest.fixture(params=["sqlite_file", "mariadb_database"])
def clinic(request: pytest.FixtureRequest) -> Clinic:
    database: Clinic = request.getfixturevalue(request.param)
    return database


def landed(raw: Raw) -> set[tuple[Any, ...]]:
    return set(raw.current(NAME, PATIENT))


FIRST = {
    (
        str(n),
        f"p{n}",
        str(date(1980, 1, 1) + timedelta(days=n)),
        str(datetime(2026, 1, 1) + timedelta(hours=n)),  # noqa: DTZ001 - the source's times have no zone
    )
    for n in range(1, 41)
}


@pytest.mark.parametrize("mode", [SNAPSHOT, WATERMARK])
def test_a_day_of_changes_lands_as_changes_and_the_same_again_as_none(
    specs: Write, clinic: Clinic, raw: Raw, mode: dict[str, Any]
) -> None:
    specs(source(SQL, table("patient", PATIENT, key=["id"], mode=mode)))
    ingest_source("clinic")
    assert landed(raw) == FIRST
    clinic.run(
        "update patient set name = 'new', updated_at = '2026-01-15 00:00:00' where id = 7",
        "delete from patient where id in (8, 9)",
        "insert into patient values (41, null, null, '2026-01-15 10:00:00')",
        "insert into patient values (42, '', null, null)",
    )
    ingest_source("clinic")
    ingest_source("clinic")
    assert raw.runs() == [
        ("patient", "landed", 40, 0, 0),
        ("patient", "landed", 2, 1, 2),
        ("patient", "landed", 0, 0, 0),
    ]
    assert landed(raw) - FIRST == {
        ("7", "new", "1980-01-08", "2026-01-15 00:00:00"),
        ("41", None, None, "2026-01-15 10:00:00"),
        ("42", "", None, None),
    }
    assert raw.state_agrees(NAME)


def test_ties_of_the_watermark_are_read_again(specs: Write, clinic: Clinic, raw: Raw) -> None:
    mode = WATERMARK | {"overlap": 0, "reconcile_every_days": None}
    specs(source(SQL, table("patient", PATIENT, key=["id"], mode=mode)))
    ingest_source("clinic")
    clinic.run("insert into patient select 41, 'tie', born, updated_at from patient where id = 40")
    (load,) = ingest_source("clinic")
    assert (load.rows_read, load.rows_inserted) == (2, 1)


def test_a_late_row_is_found_by_its_key(specs: Write, clinic: Clinic, raw: Raw) -> None:
    specs(source(SQL, table("patient", PATIENT, key=["id"], mode=WATERMARK)))
    ingest_source("clinic")
    clinic.run("insert into patient values (99, 'late', null, '2025-01-01 00:00:00')")
    (load,) = ingest_source("clinic")
    assert (load.rows_inserted, load.rows_deleted) == (1, 0)
    assert load.notice == "1 rows older than the watermark were found by their keys"


def test_numbers_are_appended_after_the_greatest(specs: Write, clinic: Clinic, raw: Raw) -> None:
    mode = {"type": "append", "column": "id", "kind": "number"}
    specs(source(SQL, table("patient", PATIENT, key=["id"], mode=mode)))
    ingest_source("clinic")
    clinic.run("delete from patient where id <= 30", "insert into patient values (41, 'new', null, null)")
    (load,) = ingest_source("clinic")
    assert (load.rows_read, load.rows_inserted, load.rows_deleted) == (2, 1, 0)


def test_a_range_of_days_is_read_again(specs: Write, clinic: Clinic, raw: Raw) -> None:
    mode = {"type": "watermark", "column": "updated_at", "overlap": 0}
    specs(source(SQL, table("patient", PATIENT, key=["id"], mode=mode)))
    ingest_source("clinic")
    clinic.run("update patient set name = 'mended' where id in (1, 23, 24)")  # 1, 1 and 2 January
    (load,) = ingest_source("clinic", days=Days(date(2026, 1, 1), date(2026, 1, 1)))
    assert (load.rows_read, load.rows_updated, load.rows_deleted) == (23, 2, 0)


def test_drift_is_kept_or_refused(specs: Write, clinic: Clinic, raw: Raw) -> None:
    specs(source(SQL, table("patient", PATIENT, key=["id"])))
    ingest_source("clinic")
    clinic.run("alter table patient add column phone varchar(20)")
    clinic.run("update patient set phone = '139' where id = 1")
    (load,) = ingest_source("clinic")
    assert (load.rows_updated, "phone" in str(load.notice)) == (1, True)
    extra = {row[0]: row[1] for row in raw.current(NAME, "id _extra")}
    assert (json.loads(extra["1"]), extra["2"]) == ({"phone": "139"}, None)
    clinic.run("alter table patient rename column name to full_name")
    with pytest.raises(FatalIngestError, match=r"column name is missing; the source has full_name"):
        ingest_source("clinic")
    clinic.run("drop table patient")
    with pytest.raises(FatalIngestError, match=r"no table patient; it has none"):
        ingest_source("clinic")
    assert len(raw.current(NAME, "id")) == 40


def test_a_manifest_is_compared_with_what_was_read(specs: Write, clinic: Clinic) -> None:
    clinic.run("create table control (table_name varchar(60), row_count int)")
    clinic.run("insert into control values ('patient', 40)")
    manifest = {"type": "table", "relation": "control"}
    specs(source(SQL, table("patient", PATIENT, key=["id"], manifest=manifest)))
    ingest_source("clinic")
    clinic.run("update control set row_count = 41")
    with pytest.raises(IngestError, match="41"):
        ingest_source("clinic")
    clinic.run("insert into control values ('patient', 40)")
    with pytest.raises(FatalIngestError, match="more than one row for patient"):
        ingest_source("clinic")
    clinic.run("delete from control")
    with pytest.raises(FatalIngestError, match=r"control says nothing of patient"):
        ingest_source("clinic")


def test_a_manifest_beside_a_load_of_changes_is_compared_with_the_count_at_the_source(
    specs: Write, clinic: Clinic
) -> None:
    clinic.run(
        "create table control (table_name varchar(60), row_count varchar(9))",
        "insert into control values ('patient', '40')",
    )
    manifest = {"type": "table", "relation": "control"}
    mode = WATERMARK | {"reconcile_every_days": None}
    specs(source(SQL, table("patient", PATIENT, key=["id"], mode=mode, manifest=manifest)))
    ingest_source("clinic")
    clinic.run("delete from patient where id = 1", "update control set row_count = '39'")
    ingest_source("clinic")
    clinic.run("update control set row_count = '四十'")
    with pytest.raises(FatalIngestError, match="control has no number in row_count for patient"):
        ingest_source("clinic")


def test_a_probe_says_what_there_is(specs: Write, clinic: Clinic) -> None:
    specs(source(SQL, table("patient", PATIENT, key=["id"]), table("gone", "id", key=["id"])))
    spec = load_specs()["clinic"]
    assert probe(spec, spec.table("patient")) == "4 columns, at least one row"
    with pytest.raises(DataError, match="no table gone"):
        probe(spec, spec.table("gone"))
    clinic.run("delete from patient")
    with pytest.raises(DataError, match="the table is empty"):
        probe(spec, spec.table("patient"))


def test_a_record_that_is_no_text_is_refused_and_the_others_land(
    specs: Write, sqlite_file: Clinic, raw: Raw
) -> None:
    sqlite_file.run("update patient set name = cast(x'61ff62' as text) where id = 3")
    sqlite_file.run("update patient set name = 'a' || char(0) || 'b' where id = 4")
    specs(source(SQL, table("patient", PATIENT, key=["id"])))
    (load,) = ingest_source("clinic")
    assert load.rows_inserted == 38
    texts = raw.conn.execute(
        "select raw_text from ops.rejected_row where source = 'clinic' order by 1"
    ).fetchall()
    assert [text.split(" | ")[1] for (text,) in texts] == [r"a\udcffb", r"a\x00b"]


def test_mariadb_lost_in_mid_read_lands_nothing_and_the_retry_ends_right(
    specs: Write, mariadb_database: Clinic, raw: Raw, mariadb: MariadbServer
) -> None:
    specs(source(SQL, table("patient", PATIENT, key=["id"])))
    mariadb_database.run(
        "rename table patient to held",
        "create view patient as"
        " select id, if(sleep(0.1) = 0, name, null) as name, born, updated_at from held",
    )

    def kill_soon() -> None:
        while mariadb.connections() == 0:
            time.sleep(0.01)
        time.sleep(0.7)
        mariadb.kill()

    thread = threading.Thread(target=kill_soon)
    thread.start()
    with pytest.raises(RetryableIngestError, match="unreachable, was lost or took too long"):
        ingest_source("clinic")
    thread.join()
    mariadb.restart()
    mariadb_database.run("drop view patient", "rename table held to patient")
    ingest_source("clinic")
    assert raw.runs()[-1] == ("patient", "landed", 40, 0, 0)
    assert landed(raw) == FIRST


def test_a_wrong_password_names_the_setting_and_not_the_password(
    specs: Write, mariadb_database: Clinic, mariadb: MariadbServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs(source(SQL, table("patient", PATIENT, key=["id"])))
    wrong = "open-sesame"
    monkeypatch.setenv(SETTING, mariadb.url("clinic", password=wrong).replace("mysql:", "mysql+pymysql:"))
    with pytest.raises(FatalIngestError, match=rf"refuses user or database.*{SETTING}") as caught:
        ingest_source("clinic")
    assert wrong not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("oracle+oracledb://u:sesame@h/d", "package oracledb"),
        ("dm+dmPython://u:sesame@h/d", "no dialect dm"),
        ("sqlite:////nowhere/clinic.db", "a file that is not there"),
        ("u:sesame@h", "is not a database's address"),
    ],
)
def test_an_address_that_cannot_be_used_is_a_wrong_setting(
    specs: Write, monkeypatch: pytest.MonkeyPatch, address: str, said: str
) -> None:
    specs(source(SQL, table("patient", PATIENT, key=["id"])))
    monkeypatch.setenv(SETTING, address)
    spec = load_specs()["clinic"]
    with pytest.raises(ConfigError, match=said) as caught:
        probe(spec, spec.table("patient"))
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("", ""),
        (True, "true"),
        (1, "1"),
        (0.1, "0.1"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1.10"), "1.10"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, 4, 5, 600), "2026-01-02 03:04:05.000600"),  # noqa: DTZ001 - has no zone
        (timedelta(hours=-101, minutes=-2, seconds=-3), "-101:02:03"),
        (b"\x00\xff", "00FF"),
        (memoryview(b"\x01"), "01"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ({"b": "是", "a": 1}, '{"a": 1, "b": "是"}'),
    ],
)
def test_each_type_has_one_text(value: object, text: str | None) -> None:
    assert text_of(value) == text


def test_a_type_without_a_text_is_refused() -> None:
    with pytest.raises(NoTextError, match="type object"):
        text_of(object())
