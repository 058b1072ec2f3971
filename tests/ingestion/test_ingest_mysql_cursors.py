"""Columns by which databases are asked for rows: numbers and times, in columns of their types and of texts.

The name of this file keeps it with those that share the MariaDB server.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from clinic import Raw, source, table
from mariadb_server import MariadbServer

from huiliu.errors import ConfigError
from ingestion.errors import FatalIngestError
from ingestion.extract import probe
from ingestion.extract.database_cursor import shortest
from ingestion.records import Days
from ingestion.run import ingest_source
from ingestion.spec import load_specs

Write = Callable[..., Path]
SETTING = "HUILIU_DSN_SOURCE__CLINIC"
NAME = "clinic__visit"


@dataclass
class Database:
    """A database of one kind, and what its spec calls it."""

    container: dict[str, Any]
    run: Callable[..., None]

    def visits(self, types: str, *rows: Sequence[object]) -> None:
        """Make the table anew."""
        self.run("drop table if exists visit", f"create table visit (id int primary key, at {types})")
        self.add(*rows)

    def add(self, *rows: Sequence[object]) -> None:
        for number, at in rows:
            value = "null" if at is None else f"'{at}'" if isinstance(at, str) else at
            self.run(f"insert into visit values ({number}, {value})")  # noqa: S608 - the test's own values


@pytest.fixture
def postgres(specs: Write, clinic: psycopg.Connection[Any]) -> Database:
    def run(*statements: str) -> None:
        for statement in statements:
            clinic.execute(statement)

    return Database({"type": "postgres"}, run)


@pytest.fixture
def mysql(specs: Write, mariadb: MariadbServer, monkeypatch: pytest.MonkeyPatch) -> Database:
    mariadb.create_database("clinic")
    monkeypatch.setenv(SETTING, mariadb.url("clinic"))
    return Database({"type": "mysql"}, lambda *statements: mariadb.run("clinic", *statements))


@pytest.fixture
def mysql_by_sqlalchemy(mysql: Database, mariadb: MariadbServer, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setenv(SETTING, mariadb.url("clinic").replace("mysql:", "mysql+pymysql:"))
    return Database({"type": "sql"}, mysql.run)


@pytest.fixture
def sqlite(specs: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    path = tmp_path / "clinic.db"

    def run(*statements: str) -> None:
        with sqlite3.connect(path) as conn:
            for statement in statements:
                conn.execute(statement)
        conn.close()

    monkeypatch.setenv(SETTING, f"sqlite:///{path}")
    return Database({"type": "sql"}, run)


@pytest.fixture(params=["postgres", "mysql", "mysql_by_sqlalchemy", "sqlite"])
def database(request: pytest.FixtureRequest) -> Database:
    found: Database = request.getfixturevalue(request.param)
    return found


def load(
    specs: Write, database: Database, mode: dict[str, Any], **more: object
) -> tuple[int | None, int | None]:
    """Load; return the rows that were read and inserted."""
    specs(source(database.container, table("visit", "id at", key=["id"], mode=mode, **more)))
    (done,) = ingest_source("clinic")
    return done.rows_read, done.rows_inserted


def numbers(**more: object) -> dict[str, Any]:
    return {"type": "append", "column": "at", **more}


def times(**more: object) -> dict[str, Any]:
    return {"type": "watermark", "column": "at", "overlap": 0, **more}


def test_numbers_in_texts_are_counted_on(specs: Write, database: Database) -> None:
    database.visits("varchar(40)", (1, "990"), (2, "999"), (3, "A-12"), (4, None), (5, "7.50"))
    assert load(specs, database, numbers()) == (5, 5)
    database.add((6, "1000"), (7, "1010"), (8, "98"), (9, "?"))
    # The last number again, those past it, and whatever is no number.
    assert load(specs, database, numbers()) == (6, 3)
    database.add((10, "99999999999999999999000000000001"), (11, "99999999999999999999000000000002"))
    assert load(specs, database, numbers()) == (6, 2)


@pytest.mark.parametrize(
    ("first", "later"),
    [
        ("2026-01-14 10:00:00", "2026-01-14 10:00:00"),
        ("2026-01-14 10:00:00", "2026-01-14T11:00:00"),
        ("2026-01-14T10:00:00", "2026-01-14 11:00:00"),
        ("2026-01-14T10:00:00+08:00", "2026-01-14T10:00:00+08:00"),
        ("2026-01-14 10:00:00.500", "2026-01-14 10:00:00.5"),
        ("2026-01-14 10:00", "2026-01-14 10:00"),
        ("2026-01-14", "2026-01-14"),
    ],
)
def test_times_in_texts_are_compared_in_each_way_to_write_them(
    specs: Write, database: Database, first: str, later: str
) -> None:
    database.visits("varchar(40)", (1, "2026-01-13T23:00:00"), (2, first))
    assert load(specs, database, times()) == (2, 2)
    database.add((3, later), (4, "2026-01-13 23:30:00"), (5, "十四日"), (6, None))
    assert load(specs, database, times()) == (4, 3)


def test_days_are_found_in_texts(specs: Write, database: Database) -> None:
    database.visits("varchar(40)", (1, "2026-01-12T00:00:00"), (2, "2026-01-12 23:59"), (3, "2026-01-13"))
    load(specs, database, times())
    (done,) = ingest_source("clinic", days=Days(date(2026, 1, 12), date(2026, 1, 12)))
    assert done.rows_read == 2


@pytest.mark.parametrize("type_name", ["int", "numeric(9, 2)", "varchar(9)"])
def test_an_overlap_may_be_a_fraction(specs: Write, database: Database, type_name: str) -> None:
    database.visits(type_name, (1, 50), (2, 51))
    assert load(specs, database, numbers(overlap=0.5)) == (2, 2)
    database.add((3, 52))
    assert load(specs, database, numbers(overlap=0.5)) == (2, 1)


@pytest.mark.parametrize(
    ("type_name", "more", "said"),
    [
        ("int", {"mode": times()}, r"watermark reads column at as a time.*write kind: number"),
        (
            "date",
            {"mode": numbers()},
            r"append reads column at as a number, but it is date.*write kind: time",
        ),
        (
            "timestamp",
            {"mode": times(kind="number")},
            r"watermark reads column at as a number.*write kind: time",
        ),
        (
            "int",
            {"backfill_column": "at"},
            r"backfill_column reads column at as a time.*choose a column of times",
        ),
    ],
)
def test_a_mode_that_contradicts_its_column_is_refused(
    specs: Write, database: Database, raw: Raw, type_name: str, more: dict[str, Any], said: str
) -> None:
    database.visits(type_name, (1, None))
    specs(source(database.container, table("visit", "id at", key=["id"], **more)))
    with pytest.raises(FatalIngestError, match=said):
        ingest_source("clinic")
    spec = load_specs()["clinic"]
    with pytest.raises(ConfigError, match=said):
        probe(spec, spec.table("visit"))


@pytest.mark.parametrize(
    ("type_name", "values", "mode", "reached"),
    [
        ("int", (7, 1_000_000, None), numbers(), "1000000"),
        ("varchar(40)", ("999", "1000", "zzz"), numbers(), "1000"),
        ("datetime", ("2026-01-14 10:00:00", "2999-01-01 00:00:00", None), times(), "2026-01-14 10:00:00"),
        ("varchar(40)", ("2026-01-14 09:00", "2026-01-14T10:00", "2999-01-01"), times(), "2026-01-14 10:00"),
    ],
)
def test_a_table_read_by_fingerprints_says_how_far_it_reaches(
    specs: Write,
    database: Database,
    raw: Raw,
    type_name: str,
    values: Sequence[object],
    mode: dict[str, Any],
    reached: str,
) -> None:
    if database.container["type"] == "postgres":
        type_name = type_name.replace("datetime", "timestamp")
    database.visits(type_name, *enumerate(values))
    load(specs, database, {"type": "snapshot"})
    load(specs, database, mode)
    found = raw.conn.execute(
        "select watermark from ops.load_run where source = 'clinic' order by batch_id desc limit 1"
    ).fetchone()
    assert found is not None
    assert str(found[0]).replace("T", " ") == reached


def test_a_time_is_written_so_that_no_other_way_sorts_before() -> None:
    assert [
        shortest(time)
        for time in (
            "2026-01-14T00:00:00",
            "2026-01-14T10:00:00+08:00",
            "2026-01-14T10:00:30",
            "2026-01-14T00:00:00.500000",
        )
    ] == ["2026-01-14", "2026-01-14 10:00", "2026-01-14 10:00:30", "2026-01-14 00:00:00.5"]
