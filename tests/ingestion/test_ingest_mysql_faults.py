"""What can go wrong with a MariaDB source: nothing lands, and the next load ends as if it had not been."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from clinic import PATIENT, SNAPSHOT, WATERMARK, Raw, source, table
from mariadb_server import MariadbServer
from test_ingest_mysql import MYSQL, NAME, Clinic, clinic, landed

from ingestion.errors import FatalIngestError, IngestError, RetryableIngestError
from ingestion.run import ingest_source

__all__ = ["clinic"]  # the fixture

Write = Callable[..., Path]


def patients(specs: Write, **more: object) -> None:
    specs(source(MYSQL, table("patient", PATIENT, key=["id"], **more)))


def nothing_landed(raw: Raw) -> bool:
    (count,) = raw.conn.execute("select count(*) from raw.clinic__patient").fetchone() or (None,)
    return count == 0


def during_the_read(mariadb: MariadbServer, action: Callable[[], None]) -> threading.Thread:
    """Act as soon as the reader's query is running at the source."""

    def wait_and_act() -> None:
        deadline = time.monotonic() + 30
        query = (
            "select count(*) from information_schema.processlist"
            " where user = 'reader' and info like '%concat_ws%'"
        )
        with mariadb.admin() as conn, conn.cursor() as cursor:
            while time.monotonic() < deadline:
                cursor.execute(query)
                if cursor.fetchone() != (0,):
                    break
                time.sleep(0.01)
        action()

    thread = threading.Thread(target=wait_and_act)
    thread.start()
    return thread


def make_slow(clinic: Clinic) -> None:
    """Let each row take a while: a view that sleeps, in the place of the table."""
    clinic.run(
        "rename table patient to held",
        "create view patient as"
        " select id, if(sleep(0.1) = 0, name, null) as name, born, updated_at from held",
    )


def make_fast(clinic: Clinic) -> None:
    clinic.run("drop view patient", "rename table held to patient")


@pytest.mark.parametrize("mode", [SNAPSHOT, WATERMARK])
def test_a_server_killed_in_mid_read_lands_nothing_and_the_retry_ends_right(
    specs: Write, clinic: Clinic, raw: Raw, mariadb: MariadbServer, mode: dict[str, object]
) -> None:
    patients(specs, mode=mode)
    make_slow(clinic)
    thread = during_the_read(mariadb, mariadb.kill)
    with pytest.raises(RetryableIngestError, match=r"unreachable or was lost"):
        ingest_source("clinic")
    thread.join()
    assert nothing_landed(raw)
    with pytest.raises(RetryableIngestError, match=r"unreachable or was lost"):
        ingest_source("clinic")  # the server is still down
    mariadb.restart()
    make_fast(clinic)
    ingest_source("clinic")
    assert raw.runs()[-1] == ("patient", "landed", 40, 0, 0)
    assert landed(raw) == clinic.rows()


def test_a_connection_killed_in_a_later_load_leaves_what_was_known(
    specs: Write, clinic: Clinic, raw: Raw, mariadb: MariadbServer
) -> None:
    patients(specs)
    ingest_source("clinic")
    clinic.run("update patient set name = 'x' where id = 5")
    make_slow(clinic)

    def kill_reader() -> None:
        with mariadb.admin() as conn, conn.cursor() as cursor:
            cursor.execute("select id from information_schema.processlist where user = 'reader'")
            for (number,) in cursor.fetchall():
                cursor.execute("kill %s", [number])

    thread = during_the_read(mariadb, kill_reader)
    with pytest.raises(RetryableIngestError, match=r"unreachable or was lost"):
        ingest_source("clinic")
    thread.join()
    assert ("5", "p5") in raw.current(NAME, "id name")
    make_fast(clinic)
    ingest_source("clinic")
    assert raw.runs()[-1] == ("patient", "landed", 0, 1, 0)
    assert landed(raw) == clinic.rows()


def test_a_statement_that_takes_too_long_is_ended(specs: Write, clinic: Clinic, raw: Raw) -> None:
    specs(source({"type": "mysql", "timeout_seconds": 1}, table("patient", PATIENT, key=["id"])))
    make_slow(clinic)
    begun = time.monotonic()
    with pytest.raises(RetryableIngestError, match=r"longer than the timeout.*raise timeout_seconds"):
        ingest_source("clinic")
    assert time.monotonic() - begun < 4
    assert nothing_landed(raw)


def test_a_wrong_password_names_the_setting_and_not_the_password(
    specs: Write, clinic: Clinic, mariadb: MariadbServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    patients(specs)
    wrong = "open-sesame"
    monkeypatch.setenv("HUILIU_DSN_SOURCE__CLINIC", mariadb.url("clinic", password=wrong))
    with pytest.raises(FatalIngestError, match=r"refuses.*HUILIU_DSN_SOURCE__CLINIC") as caught:
        ingest_source("clinic")
    assert wrong not in str(caught.value)


def test_a_database_or_right_that_is_not_there_is_a_wrong_setting(
    specs: Write, clinic: Clinic, mariadb: MariadbServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    patients(specs)
    monkeypatch.setenv("HUILIU_DSN_SOURCE__CLINIC", mariadb.url("nowhere"))
    with pytest.raises(FatalIngestError, match=r"refuses the connection: Unknown database"):
        ingest_source("clinic")


def test_a_dropped_table_fails_alone(specs: Write, clinic: Clinic, raw: Raw) -> None:
    specs(source(MYSQL, table("visit", "id", key=["id"]), table("patient", PATIENT, key=["id"])))
    with pytest.raises(FatalIngestError, match=r"no table visit; it has patient"):
        ingest_source("clinic")
    assert landed(raw) == clinic.rows()


def test_a_dropped_a_renamed_and_a_retyped_column_fail_before_anything_lands(
    specs: Write, clinic: Clinic, raw: Raw
) -> None:
    patients(specs)
    ingest_source("clinic")
    clinic.run("alter table patient rename column name to full_name")
    with pytest.raises(FatalIngestError, match=r"column name is missing; the source has full_name"):
        ingest_source("clinic")
    clinic.run("alter table patient change column full_name name int")
    with pytest.raises(FatalIngestError, match=r"type of column name was varchar and is int"):
        ingest_source("clinic")
    clinic.run("alter table patient drop column name")
    with pytest.raises(FatalIngestError, match=r"column name is missing"):
        ingest_source("clinic")
    assert len(raw.log(NAME, "id")) == 40


def test_a_new_column_is_kept_until_the_spec_knows_it(specs: Write, clinic: Clinic, raw: Raw) -> None:
    patients(specs)
    ingest_source("clinic")
    clinic.run(
        "alter table patient add column phone varchar(20), add column `备注` text",
        "update patient set phone = '139' where id = 1",
        """update patient set `备注` = 'a"b\\\\c' where id in (1, 2)""",
    )
    (load,) = ingest_source("clinic")
    assert (load.rows_inserted, load.rows_updated) == (0, 2)
    assert load.notice is not None
    assert "phone" in load.notice
    assert "备注" in load.notice
    extra = {row[0]: row[1] for row in raw.current(NAME, "id _extra")}
    assert (extra["1"], extra["2"], extra["3"]) == (
        '{"phone": "139", "备注": "a\\"b\\\\c"}',
        '{"备注": "a\\"b\\\\c"}',
        None,
    )
    assert raw.state_agrees(NAME)
    (again,) = ingest_source("clinic")
    assert (again.rows_inserted, again.rows_updated) == (0, 0)


def test_a_source_never_has_more_than_one_connection(
    specs: Write, clinic: Clinic, mariadb: MariadbServer
) -> None:
    specs(
        source(
            MYSQL,
            table("patient", PATIENT, key=["id"], mode=WATERMARK),
            table("copy", PATIENT, key=["id"], at_source="patient"),
        )
    )
    ingest_source("clinic")
    make_slow(clinic)
    seen: list[int] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.02):
            seen.append(mariadb.connections())

    thread = threading.Thread(target=watch)
    thread.start()
    ingest_source("clinic")
    ended.set()
    thread.join()
    assert max(seen) == 1


def test_what_the_warehouse_refuses_is_not_blamed_on_the_source(
    specs: Write, clinic: Clinic, raw: Raw
) -> None:
    patients(specs)
    ingest_source("clinic")
    raw.conn.execute("alter table raw.clinic__patient add check (name <> 'no')")
    clinic.run("update patient set name = 'no' where id = 5")
    with pytest.raises(IngestError, match="the warehouse could not take the rows"):
        ingest_source("clinic")
