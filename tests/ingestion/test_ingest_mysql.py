"""MariaDB sources: every mode, every change a day can bring, and every value that a table can hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from clinic import PATIENT, SNAPSHOT, WATERMARK, Raw, source, table
from mariadb_server import MariadbServer

from huiliu.errors import ConfigError, DataError
from ingestion.errors import FatalIngestError, IngestError
from ingestion.extract import probe
from ingestion.extract.mysql_catalogue import unique_columns
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


def in_order(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=lambda row: tuple(value or "" for value in row))


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


def test_a_watermark_load_reads_only_what_is_new(specs: Write, clinic: Clinic) -> None:
    specs(source(MYSQL, table("patient", PATIENT, key=["id"], mode=WATERMARK)))
    ingest_source("clinic")
    (load,) = ingest_source("clinic")
    # The last day's rows (the overlap) and no more.
    assert load.rows_read == 25


def test_rows_of_the_same_second_as_the_watermark_are_not_skipped(
    specs: Write, clinic: Clinic, raw: Raw
) -> None:
    mode = WATERMARK | {"overlap": 0, "reconcile_every_days": None}
    specs(source(MYSQL, table("patient", PATIENT, key=["id"], mode=mode)))
    ingest_source("clinic")
    clinic.run("insert into patient select 41, 'tie', born, updated_at from patient where id = 40")
    (load,) = ingest_source("clinic")
    assert (load.rows_read, load.rows_inserted) == (2, 1)
    assert landed(raw) == clinic.rows()


def test_a_watermark_of_numbers_goes_on_after_the_greatest(specs: Write, clinic: Clinic, raw: Raw) -> None:
    clinic.run("create table visit (id bigint unsigned primary key, note text)")
    clinic.run("insert into visit values (9, 'a'), (10, 'b'), (18446744073709551610, 'c')")
    mode = {"type": "watermark", "column": "id", "kind": "number", "overlap": 0}
    specs(source(MYSQL, table("visit", "id note", key=["id"], mode=mode)))
    ingest_source("clinic")
    clinic.run("insert into visit values (18446744073709551615, 'd')")
    (load,) = ingest_source("clinic")
    assert (load.rows_read, load.rows_inserted) == (2, 1)
    assert ("18446744073709551615", "d") in raw.current("clinic__visit", "id note")


def test_a_late_row_older_than_the_watermark_is_found_by_its_key(
    specs: Write, clinic: Clinic, raw: Raw
) -> None:
    specs(source(MYSQL, table("patient", PATIENT, key=["id"], mode=WATERMARK)))
    ingest_source("clinic")
    clinic.run(
        "insert into patient values (99, 'late', null, '2025-01-01')", "delete from patient where id = 1"
    )
    (load,) = ingest_source("clinic")
    assert (load.rows_inserted, load.rows_deleted) == (1, 1)
    assert load.notice == "1 rows older than the watermark were found by their keys"
    assert landed(raw) == clinic.rows()


def test_append_takes_rows_past_the_last_and_deletes_nothing(specs: Write, clinic: Clinic, raw: Raw) -> None:
    mode = {"type": "append", "column": "id", "kind": "number"}
    specs(source(MYSQL, table("patient", PATIENT, key=["id"], mode=mode)))
    ingest_source("clinic")
    clinic.run("delete from patient where id <= 30", "insert into patient values (41, 'new', null, null)")
    (load,) = ingest_source("clinic")
    assert (load.rows_read, load.rows_inserted, load.rows_deleted) == (2, 1, 0)
    assert len(raw.current(NAME, "id")) == 41


def test_a_range_of_days_is_read_again(specs: Write, clinic: Clinic, raw: Raw) -> None:
    mode = {"type": "watermark", "column": "updated_at", "overlap": 0}
    specs(source(MYSQL, table("patient", PATIENT, key=["id"], mode=mode)))
    ingest_source("clinic")
    clinic.run("update patient set name = 'mended' where id in (1, 23, 24)")  # 1, 1 and 2 January
    (load,) = ingest_source("clinic", days=Days(date(2026, 1, 1), date(2026, 1, 1)))
    assert (load.rows_read, load.rows_updated, load.rows_deleted) == (23, 2, 0)
    assert ("24", "p24") in raw.current(NAME, "id name")


def test_without_a_key_equal_rows_are_counted_by_occurrence(specs: Write, clinic: Clinic, raw: Raw) -> None:
    specs(source(MYSQL, table("visit", "name kind")))
    clinic.run(
        "create table visit (name text, kind text)",
        "insert into visit values ('a', 'x'), ('a', 'x'), ('a', 'x'), ('b', null), ('b', '')",
    )
    ingest_source("clinic")
    clinic.run("delete from visit where name = 'a' limit 1")
    ingest_source("clinic")
    ingest_source("clinic")
    assert raw.runs() == [
        ("visit", "landed", 5, 0, 0),
        ("visit", "landed", 0, 0, 1),
        ("visit", "landed", 0, 0, 0),
    ]
    assert raw.current("clinic__visit", "name kind") == [("a", "x"), ("a", "x"), ("b", ""), ("b", None)]


HARD = [
    ("zero date", "date", "0", "0000-00-00"),
    ("zero time", "datetime", "0", "0000-00-00 00:00:00"),
    ("fraction", "datetime(6)", "'2026-01-02 03:04:05.000600'", "2026-01-02 03:04:05.000600"),
    ("stamp", "timestamp null", "from_unixtime(0 + 86400)", "1970-01-02 08:00:00"),
    ("long time", "time", "'-101:02:03'", "-101:02:03"),
    ("bits", "bit(10)", "b'1000000001'", "513"),
    ("flag", "tinyint(1)", "true", "1"),
    ("unsigned", "bigint unsigned", "18446744073709551615", "18446744073709551615"),
    ("decimal", "decimal(30,10)", "1234567890.1000000000", "1234567890.1000000000"),
    ("double", "double", "0.1", "0.1"),
    ("fixed bytes", "binary(4)", "x'00ff'", "00FF0000"),
    ("blob", "blob", "x'00fefdff'", "00FEFDFF"),
    ("empty", "varchar(10)", "''", ""),
    ("null", "varchar(10)", "null", None),
    ("emoji", "varchar(10)", "'😀回流'", "😀回流"),
    ("gbk", "varchar(10) character set gbk", "'回流'", "回流"),
    ("latin", "varchar(10) character set latin1", "'né'", "né"),
    ("wide", "varchar(10) character set utf16", "'回流'", "回流"),
    ("signs", "text", r"'a\\b\tc\nd\re\\N'", "a\\b\tc\nd\re\\N"),
    ("controls", "text", "concat(char(1), char(2), char(30), char(31))", "\x01\x02\x1e\x1f"),
    ("json", "json", """'{"a": 1}'""", '{"a": 1}'),
    ("choice", "enum('是','否')", "'否'", "否"),
    ("blanks", "varchar(10)", "' a  '", " a  "),
    ("float", "float", "16777216", "16777216"),
]


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown to the spec"])
def test_every_kind_of_value_arrives_as_it_is(specs: Write, clinic: Clinic, raw: Raw, known: bool) -> None:
    columns = [f"c{place}" for place in range(len(HARD))]
    types = ", ".join(f"{name} {hard[1]}" for name, hard in zip(columns, HARD, strict=True))
    clinic.run(
        f"create table hard (id int primary key, {types})",
        f"insert into hard values (1, {', '.join(hard[2] for hard in HARD)})",  # noqa: S608 - the test's own values
        f"insert into hard values (2{', null' * len(HARD)})",  # noqa: S608 - the test's own values
    )
    specs(source(MYSQL, table("hard", " ".join(["id", *(columns if known else [])]), key=["id"])))
    ingest_source("clinic")
    ingest_source("clinic")
    clinic.run("update hard set c12 = 'x' where id = 2")
    ingest_source("clinic")
    assert raw.runs() == [
        ("hard", "landed", 2, 0, 0),
        ("hard", "landed", 0, 0, 0),
        ("hard", "landed", 0, 1, 0),
    ]
    assert raw.state_agrees("clinic__hard")
    wanted = [hard[3] for hard in HARD]
    if known:
        first = raw.current("clinic__hard", " ".join(columns))
        assert tuple(wanted) in first
    else:
        held = {row[0]: row[1] for row in raw.current("clinic__hard", "id _extra")}
        kept = {name: value for name, value in zip(columns, wanted, strict=True) if value is not None}
        assert json.loads(held["1"]) == kept
        assert json.loads(held["2"]) == {"c12": "x"}


def test_a_long_row_crosses_the_packets_of_the_protocol(specs: Write, clinic: Clinic, raw: Raw) -> None:
    clinic.run(
        "create table letter (id int primary key, body longtext)",
        "insert into letter values (1, repeat('字', 6000000)), (2, repeat('x', 70000)), (3, 'y')",
    )
    specs(source(MYSQL, table("letter", "id body", key=["id"])))
    ingest_source("clinic")
    lengths = raw.conn.execute("select id, length(body) from raw.clinic__letter order by id").fetchall()
    assert lengths == [("1", 6_000_000), ("2", 70_000), ("3", 1)]


def test_a_row_that_cannot_be_held_is_refused_and_the_others_land(
    specs: Write, clinic: Clinic, raw: Raw
) -> None:
    clinic.run("update patient set name = concat('a', char(0), 'b') where id = 3")
    specs(source(MYSQL, table("patient", PATIENT, key=["id"])))
    (first,) = ingest_source("clinic")
    (second,) = ingest_source("clinic")
    assert (first.rows_inserted, second.rows_inserted) == (39, 0)
    assert (first.rows_read, second.rows_read) == (40, 40)
    rejected = raw.conn.execute(
        "select raw_text, reason from ops.rejected_row where source = 'clinic'"
    ).fetchall()
    text = "3 | a\\x00b | 1980-01-04 | 2026-01-01 03:00:00"
    assert rejected == [(text, "a NUL character, which texts cannot hold")] * 2


def test_keys_that_only_a_mark_between_columns_tells_apart_are_told_apart(
    specs: Write, clinic: Clinic, raw: Raw
) -> None:
    clinic.run(
        "create table visit (a varchar(9), b varchar(9), primary key (a, b))",
        "insert into visit values (concat('a', char(31), 'b'), 'c'), ('a', concat('b', char(31), 'c'))",
    )
    specs(source(MYSQL, table("visit", "a b", key=["a", "b"])))
    for _ in range(3):
        ingest_source("clinic")
    assert raw.current("clinic__visit", "a b") == [("a", "b\x1fc"), ("a\x1fb", "c")]
    assert raw.runs() == [("visit", "landed", 2, 0, 0), *[("visit", "landed", 0, 0, 0)] * 2]


def test_a_unique_index_of_an_expression_says_nothing_of_its_columns() -> None:
    parts = [("PRIMARY", "id"), ("of_both", "a"), ("of_both", "b"), ("of_an_expression", "a")]
    assert unique_columns([*parts, ("of_an_expression", None)]) == [{"id"}, {"a", "b"}]


def test_a_manifest_is_compared_with_what_was_read(specs: Write, clinic: Clinic) -> None:
    clinic.run(
        "create table control (table_name varchar(60), row_count int)",
        "insert into control values ('patient', 40)",
    )
    manifest = {"type": "table", "relation": "clinic.control"}
    specs(source(MYSQL, table("patient", PATIENT, key=["id"], manifest=manifest)))
    ingest_source("clinic")
    clinic.run("update control set row_count = 41")
    with pytest.raises(IngestError, match="41"):
        ingest_source("clinic")
    clinic.run("insert into control values ('patient', 40)")
    with pytest.raises(FatalIngestError, match="more than one row for patient"):
        ingest_source("clinic")
    clinic.run("delete from control")
    with pytest.raises(FatalIngestError, match=r"clinic\.control says nothing of patient"):
        ingest_source("clinic")


def test_a_manifest_beside_a_load_of_changes_is_compared_with_the_count_at_the_source(
    specs: Write, clinic: Clinic
) -> None:
    clinic.run(
        "create table control (table_name varchar(60), row_count varchar(9))",
        "insert into control values ('patient', '40')",
    )
    manifest = {"type": "table", "relation": "clinic.control"}
    mode = WATERMARK | {"reconcile_every_days": None}
    specs(source(MYSQL, table("patient", PATIENT, key=["id"], mode=mode, manifest=manifest)))
    ingest_source("clinic")
    clinic.run("delete from patient where id = 1", "update control set row_count = '39'")
    ingest_source("clinic")
    clinic.run("update control set row_count = '四十'")
    with pytest.raises(FatalIngestError, match="control has no number in row_count for patient"):
        ingest_source("clinic")


def test_a_probe_says_what_there_is_and_what_is_missing(specs: Write, clinic: Clinic) -> None:
    specs(source(MYSQL, table("patient", PATIENT, key=["id"]), table("gone", "id", key=["id"])))
    spec = load_specs()["clinic"]
    assert probe(spec, spec.table("patient")).startswith("4 columns, about ")
    with pytest.raises(DataError, match=r"no table gone; it has patient"):
        probe(spec, spec.table("gone"))


def test_an_address_that_is_none_is_a_wrong_setting(
    specs: Write, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs(source(MYSQL, table("patient", PATIENT, key=["id"])))
    spec = load_specs()["clinic"]
    for value in ("postgresql://a:b@c/d", "mysql://a:b@host", "nonsense"):
        monkeypatch.setenv("HUILIU_DSN_SOURCE__CLINIC", value)
        with pytest.raises(ConfigError, match="HUILIU_DSN_SOURCE__CLINIC") as caught:
            probe(spec, spec.table("patient"))
        assert value not in str(caught.value)
    monkeypatch.delenv("HUILIU_DSN_SOURCE__CLINIC")
    with pytest.raises(ConfigError, match="is not set"):
        probe(spec, spec.table("patient"))
