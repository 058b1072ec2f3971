"""MariaDB sources: every mode, every change a day can bring, and every value that a table can hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from clinic import PATIENT, SNAPSHOT, WATERMARK, Raw, source, table
from mariadb_server import MariadbServer

from huiliu.errors import ConfigError
from ingestion.errors import FatalIngestError, IngestError, RetryableIngestError
from ingestion.extract import probe
from ingestion.records import Days
from ingestion.run import ingest_source
from ingestion.spec import load_specs

Write = Callable[..., Path]
MYSQL = {"type": "mysql", "timeout_seconds": 20}
NAME = "clinic__patient"
DATABASE = "clinic"


@dataclass
class Clinic:
    """The source: a database of its own with the table `patient` of 40 rows."""

    server: MariadbServer

    def run(self, *statements: str) -> None:
        self.server.run(DATABASE, *statements)

    def rows(self) -> list[tuple[Any, ...]]:
        """The rows as texts, in the order of `landed`."""
        with self.server.admin(DATABASE) as conn, conn.cursor() as cursor:
            cursor.execute(
                "select cast(id as char), name, cast(born as char), cast(updated_at as char) from patient"
            )
            return in_order(cursor.fetchall())


@pytest.fixture
def clinic(mariadb: MariadbServer, specs: Write, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clinic]:
    mariadb.create_database(DATABASE)
    monkeypatch.setenv("HUILIU_DSN_SOURCE__CLINIC", mariadb.url(DATABASE))
    clinic = Clinic(mariadb)
    clinic.run(
        "create table patient (id bigint primary key, name varchar(200), born date, updated_at datetime)",
        "insert into patient select seq, concat('p', seq), date '1980-01-01' + interval seq day,"
        " timestamp '2026-01-01 00:00:00' + interval seq hour from seq_1_to_40",
    )
    yield clinic
    assert mariadb.connections() == 0


def in_order(rows: Any) -> list[tuple[Any, ...]]:
    return sorted(map(tuple, rows), key=lambda row: tuple(value or "" for value in row))


def landed(raw: Raw) -> list[tuple[Any, ...]]:
    return in_order(raw.current(NAME, PATIENT))


@pytest.mark.parametrize("mode", [SNAPSHOT, WATERMARK])
def test_same_data_twice_changes_nothing(
    specs: Write, clinic: Clinic, raw: Raw, mode: dict[str, Any]
) -> None:
    specs(source(MYSQL, table("patient", PATIENT, key=["id"], mode=mode)))
    ingest_source("clinic")
    ingest_source("clinic")
    ingest_source("clinic")
    assert raw.runs() == [("patient", "landed", 40, 0, 0), *[("patient", "landed", 0, 0, 0)] * 2]
    assert landed(raw) == clinic.rows()
    assert raw.state_agrees(NAME)


@pytest.mark.parametrize("mode", [SNAPSHOT, WATERMARK])
def test_a_day_of_changes_lands_as_changes(
    specs: Write, clinic: Clinic, raw: Raw, mode: dict[str, Any]
) -> None:
    specs(source(MYSQL, table("patient", PATIENT, key=["id"], mode=mode)))
    ingest_source("clinic")
    clinic.run(
        "update patient set name = 'new', updated_at = '2026-01-15' where id = 7",
        "delete from patient where id in (8, 9)",
        "insert into patient values (41, null, null, '2026-01-15 10:00')",
    )
    ingest_source("clinic")
    assert raw.runs()[-1] == ("patient", "landed", 1, 1, 2)
    assert sorted(raw.log(NAME, "id name")[40:]) == [
        ("41", None, "I"),
        ("7", "new", "U"),
        ("8", "p8", "D"),
        ("9", "p9", "D"),
    ]
    assert landed(raw) == clinic.rows()
    assert raw.state_agrees(NAME)
