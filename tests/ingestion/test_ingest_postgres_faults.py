"""What a PostgreSQL source withholds, quotes or writes in its own encoding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from clinic import PATIENT, POSTGRES, Raw, source, table

from huiliu.database import connect
from huiliu.errors import ConfigError, DataError
from ingestion.errors import FatalIngestError
from ingestion.extract import probe
from ingestion.run import ingest_source
from ingestion.spec import load_specs

Write = Callable[..., Path]
Clinic = psycopg.Connection[Any]
SETTING = "HUILIU_DSN_SOURCE__CLINIC"
NAME = "clinic__patient"
PERSON = "身份证110101199001011234"


def url_of(clinic: Clinic, database: str, user: str, password: str) -> str:
    return f"postgresql://{user}:{password}@{clinic.info.host}:{clinic.info.port}/{database}"


@pytest.fixture
def reader(specs: Write, clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A role that may not read anything yet; the source is read by it."""
    clinic.execute("create role reader login password 'reader'")
    clinic.execute("grant usage on schema public to reader")
    monkeypatch.setenv(SETTING, url_of(clinic, clinic.info.dbname, "reader", "reader"))
    yield "reader"
    clinic.execute("drop owned by reader")
    clinic.execute("drop role reader")


def refusal(said: str, kind: type[ConfigError | DataError]) -> None:
    """See that a load and a probe are both refused."""
    with pytest.raises(FatalIngestError, match=said):
        ingest_source("clinic")
    spec = load_specs()["clinic"]
    with pytest.raises(kind, match=said):
        probe(spec, spec.table("patient"))


def test_columns_that_are_not_granted_are_left_alone(
    specs: Write, clinic: Clinic, raw: Raw, reader: str
) -> None:
    clinic.execute("alter table patient add diagnosis text default 'secret', add ward int default 7")
    clinic.execute("grant select (id, name, ward) on patient to reader")
    specs(source(POSTGRES, table("patient", "id name", key=["id"])))
    (load,) = ingest_source("clinic")
    assert load.notice == "columns the spec does not know were kept in _extra: ward"
    assert raw.current(NAME, "_extra")[0] == ('{"ward": "7"}',)
    clinic.execute("update patient set name = 'new' where id = 3")
    assert ingest_source("clinic")[0].rows_updated == 1
    spec = load_specs()["clinic"]
    assert probe(spec, spec.table("patient")).startswith("3 columns")


def test_a_column_of_the_spec_that_is_not_granted_is_named(specs: Write, clinic: Clinic, reader: str) -> None:
    clinic.execute("grant select (id, name) on patient to reader")
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"])))
    refusal("the source grants other columns, but not born, updated_at", ConfigError)


def test_a_table_that_is_not_granted_is_refused(specs: Write, clinic: Clinic, reader: str) -> None:
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"])))
    refusal("the source refuses reading: permission denied for table patient", ConfigError)


def test_a_value_that_the_source_quotes_is_not_passed_on(specs: Write, clinic: Clinic, raw: Raw) -> None:
    clinic.execute("alter table patient rename to held")
    clinic.execute("update held set name = %s", [PERSON])
    clinic.execute("create view patient as select id, name::bigint as name, born, updated_at from held")
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"])))
    refusal(r"could not be read: InvalidTextRepresentation \(22P02\)", DataError)
    assert PERSON not in raw.error()


def test_a_source_in_another_encoding_makes_the_same_hashes(
    specs: Write, clinic: Clinic, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "test_ingestion_euc_cn"
    with connect("admin", autocommit=True) as admin:
        admin.execute(f"create database {name} encoding 'EUC_CN' template template0 locale 'C'")
        try:
            url = url_of(clinic, name, clinic.info.user, clinic.info.password)
            monkeypatch.setenv(SETTING, url)
            with psycopg.connect(url, autocommit=True) as source_in_gb:
                source_in_gb.execute("create table patient (id text primary key, name text, 备注 text)")
                source_in_gb.execute("insert into patient values ('一', '张三', '无'), ('二', '李四', null)")
                specs(source(POSTGRES, table("patient", "id name", key=["id"])))
                ingest_source("clinic")
                ingest_source("clinic")
                source_in_gb.execute("update patient set name = '王五' where id = '二'")
                ingest_source("clinic")
            assert raw.runs() == [
                ("patient", "landed", 2, 0, 0),
                ("patient", "landed", 0, 0, 0),
                ("patient", "landed", 0, 1, 0),
            ]
            assert raw.state_agrees(NAME)
        finally:
            admin.execute(f"drop database {name} with (force)")


def test_keys_that_only_a_mark_between_columns_tells_apart_are_told_apart(
    specs: Write, clinic: Clinic, raw: Raw
) -> None:
    clinic.execute("create table visit (a text, b text, primary key (a, b))")
    clinic.execute(r"insert into visit values (e'a\x1fb', 'c'), ('a', e'b\x1fc')")
    specs(source(POSTGRES, table("visit", "a b", key=["a", "b"])))
    for _ in range(3):
        ingest_source("clinic")
    assert raw.current("clinic__visit", "a b") == [("a", "b\x1fc"), ("a\x1fb", "c")]
    assert raw.runs() == [("visit", "landed", 2, 0, 0), *[("visit", "landed", 0, 0, 0)] * 2]
