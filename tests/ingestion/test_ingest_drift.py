"""What a source's table is today is not what it was: kept, reported, or refused before anything lands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from clinic import PATIENT, POSTGRES, Raw, source, table

from ingestion.drift import family
from ingestion.errors import FatalIngestError
from ingestion.run import ingest_source

Write = Callable[..., Path]
Clinic = psycopg.Connection[Any]
NAME = "clinic__patient"
WATERMARK = {"type": "watermark", "column": "updated_at", "overlap": 0}


def spec_of(**more: object) -> dict[str, Any]:
    return source(POSTGRES, table("patient", PATIENT, key=["id"], **more))


@pytest.mark.parametrize("mode", [{"type": "snapshot"}, WATERMARK])
def test_a_new_column_is_kept_and_reported(
    specs: Write, clinic: Clinic, raw: Raw, mode: dict[str, Any]
) -> None:
    specs(spec_of(mode=mode))
    ingest_source("clinic")
    clinic.execute("alter table patient add phone text, add ward int")
    (load,) = ingest_source("clinic")
    # Columns without a value change no row.
    assert (load.rows_updated, load.notice) == (
        0,
        "columns the spec does not know were kept in _extra: phone, ward",
    )
    clinic.execute("update patient set phone = '一三八', updated_at = '2026-01-14' where id = 2")
    clinic.execute("update patient set ward = 7, updated_at = '2026-01-14' where id = 3")
    (load,) = ingest_source("clinic")
    assert load.rows_updated == 2
    kept = [extra for (extra,) in raw.current(NAME, "_extra") if extra]
    assert sorted(kept) == ['{"phone": "一三八"}', '{"ward": "7"}']
    assert raw.state_agrees(NAME)
    known = raw.conn.execute(
        "select column_name, source_type, in_spec from ops.source_column where source = 'clinic'"
        " and not in_spec order by 1"
    ).fetchall()
    assert known == [("phone", "text", False), ("ward", "integer", False)]
    (load,) = ingest_source("clinic")
    assert load.rows_updated == 0


def test_more_new_columns_than_a_function_takes_arguments_are_kept(
    specs: Write, clinic: Clinic, raw: Raw
) -> None:
    for n in range(120):
        clinic.execute(f"alter table patient add extra_{n} int default {n}")
    specs(spec_of())
    ingest_source("clinic")
    (extra,) = raw.current(NAME, "_extra")[0]
    assert extra.count('"extra_') == 120
    assert ingest_source("clinic")[0].rows_updated == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "alter table patient alter born type text",
            "the type of column born was date and is text",
        ),
        (
            "alter table patient alter id type text",
            "the type of column id was bigint and is text",
        ),
        ("alter table patient drop born", "column born is missing"),
        (
            "alter table patient rename born to birthday",
            "column born is missing; the source has birthday, which the spec does not know",
        ),
    ],
)
def test_a_changed_column_fails_its_table_only(
    specs: Write, clinic: Clinic, raw: Raw, change: str, said: str
) -> None:
    clinic.execute("create table visit (no int primary key)")
    clinic.execute("insert into visit values (1)")
    visit = table("visit", "no", key=["no"])
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"]), visit))
    ingest_source("clinic")
    clinic.execute(change)
    clinic.execute("insert into visit values (2)")
    with pytest.raises(FatalIngestError, match=said):
        ingest_source("clinic")
    assert raw.runs()[-2:] == [("patient", "failed", None, None, None), ("visit", "landed", 1, 0, 0)]
    assert len(raw.log(NAME, "id")) == 40


def test_a_wider_type_of_the_same_kind_is_no_drift(specs: Write, clinic: Clinic, raw: Raw) -> None:
    specs(spec_of())
    ingest_source("clinic")
    clinic.execute("alter table patient alter name type varchar(80), alter id type numeric(20)")
    assert ingest_source("clinic")[0].rows_updated == 0


def test_a_retyped_column_comes_in_once_the_spec_says_so(specs: Write, clinic: Clinic, raw: Raw) -> None:
    specs(spec_of())
    ingest_source("clinic")
    clinic.execute("alter table patient alter born type text using to_char(born, 'YYYY\"年\"')")
    with pytest.raises(FatalIngestError, match="write it as type: of the column in the spec"):
        ingest_source("clinic")
    content = spec_of()
    content["tables"][0]["columns"][2]["type"] = "text"
    specs(content)
    assert ingest_source("clinic")[0].rows_updated == 40


@pytest.mark.parametrize(
    ("type_name", "meant"),
    [
        ("character varying", "text"),
        ("VARCHAR(20)", "text"),
        ("int(10) unsigned", "number"),
        ("double precision", "number"),
        ("interval", "interval"),
        ("timestamp without time zone", "timestamp"),
        ("datetime", "timestamp"),
        ("date", "date"),
        ("boolean", "boolean"),
        ("point", "point"),
        ("jsonb", "jsonb"),
    ],
)
def test_types_are_told_by_what_their_values_are(type_name: str, meant: str) -> None:
    assert family(type_name) == meant


def test_the_last_state_is_made_anew_with_the_columns_of_the_spec(
    specs: Write, clinic: Clinic, raw: Raw
) -> None:
    """Or a row that is not read again would land as changed when it comes back."""
    append = {"type": "append", "column": "id"}
    specs(source(POSTGRES, table("patient", "id name", key=["id"], mode=append)))
    ingest_source("clinic")
    ingest_source("clinic")
    clinic.execute("delete from patient where id = 1")
    specs(source(POSTGRES, table("patient", "id name born", key=["id"], mode=append)))
    (load,) = ingest_source("clinic")
    assert (load.rows_inserted, load.rows_updated) == (0, 39)
    assert raw.state_agrees(NAME)
    assert ("1", "p1", None) in raw.current(NAME, "id name born")
