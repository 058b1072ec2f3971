"""How changes are found: append, watermarks with ties, scheduled reconciliation, back-fill, changed specs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from clinic import DAY, PATIENT, POSTGRES, Raw, source, table

from huiliu import business_date
from huiliu.database import connect
from huiliu.errors import ConfigError
from ingestion.errors import FatalIngestError
from ingestion.records import Days
from ingestion.run import ingest_source
from ingestion.spec import load_spec

Write = Callable[..., Path]
Clinic = psycopg.Connection[Any]
NAME = "clinic__patient"


def spec_of(mode: dict[str, Any], **more: object) -> dict[str, Any]:
    return source(POSTGRES, table("patient", PATIENT, key=["id"], mode=mode, **more))


def on(day: date) -> None:
    with connect("warehouse") as conn:
        business_date.set(conn, day)


def test_append_reads_only_what_was_added(specs: Write, clinic: Clinic, raw: Raw) -> None:
    specs(spec_of({"type": "append", "column": "id"}))
    ingest_source("clinic")
    clinic.execute("update patient set name = 'rewritten' where id = 3")
    clinic.execute("delete from patient where id = 4")
    clinic.execute("insert into patient values (41, 'p41', null, null), (100, 'p100', null, null)")
    (load,) = ingest_source("clinic")
    assert (load.rows_inserted, load.rows_updated, load.rows_deleted) == (2, 0, 0)
    # The rows read: those past the last one, and that one again as it may have had equals.
    assert load.rows_read == 3
    clinic.execute("insert into patient values (9, 'late', null, null) on conflict do nothing")
    (load,) = ingest_source("clinic")
    assert (load.rows_read, load.rows_inserted) == (1, 0)


def test_appended_numbers_are_compared_as_numbers(specs: Write, clinic: Clinic, raw: Raw) -> None:
    clinic.execute("update patient set id = id + 960")
    specs(spec_of({"type": "append", "column": "id"}))
    ingest_source("clinic")  # up to 1000, which as a text is before 999
    clinic.execute("insert into patient values (1001, 'new', null, null)")
    (load,) = ingest_source("clinic")
    assert (load.rows_read, load.rows_inserted) == (2, 1)


def test_serial_numbers_may_be_long(specs: Write, clinic: Clinic, raw: Raw) -> None:
    clinic.execute("create table trade (serial_no varchar(40) primary key)")
    first = 12345678901234567890123456789005001
    mode = {"type": "append", "column": "serial_no"}
    specs(source(POSTGRES, table("trade", "serial_no", key=["serial_no"], mode=mode)))
    clinic.execute("insert into trade values (%s)", [str(first)])
    ingest_source("clinic")
    clinic.execute("insert into trade values (%s), (%s)", [str(first + 1), str(first + 5000)])
    assert ingest_source("clinic")[0].rows_inserted == 2


def test_an_appended_row_that_comes_again_changed_is_a_correction(
    specs: Write, clinic: Clinic, raw: Raw
) -> None:
    specs(spec_of({"type": "append", "column": "id", "overlap": 5}))
    ingest_source("clinic")
    clinic.execute("update patient set name = 'corrected' where id = 38")
    (load,) = ingest_source("clinic")
    assert (load.rows_inserted, load.rows_updated, load.rows_read) == (0, 1, 6)


def test_rows_with_the_watermark_of_the_last_are_not_skipped(specs: Write, clinic: Clinic, raw: Raw) -> None:
    """Two rows of the same moment, of which the second commits after the load: a strict > would skip it."""
    specs(spec_of({"type": "watermark", "column": "updated_at", "overlap": 0}))
    ingest_source("clinic")
    clinic.execute("insert into patient select 41, 'tie', null, max(updated_at) from patient")
    (load,) = ingest_source("clinic")
    assert load.rows_inserted == 1


def test_a_number_can_be_the_watermark(specs: Write, clinic: Clinic, raw: Raw) -> None:
    clinic.execute("alter table patient add version numeric(12, 1)")
    clinic.execute("update patient set version = id + 0.5")
    mode = {"type": "watermark", "column": "version", "kind": "number", "overlap": 2.5}
    specs(source(POSTGRES, table("patient", f"{PATIENT} version", key=["id"], mode=mode)))
    ingest_source("clinic")
    clinic.execute("update patient set name = 'v2', version = 41.5 where id = 1")
    clinic.execute("update patient set name = 'unseen' where id = 2")
    (load,) = ingest_source("clinic")
    assert (load.rows_read, load.rows_updated) == (4, 1)


def test_deletes_are_found_on_the_days_of_reconciliation(specs: Write, clinic: Clinic, raw: Raw) -> None:
    mode = {"type": "watermark", "column": "updated_at", "overlap": 1, "reconcile_every_days": 7}
    specs(spec_of(mode))
    ingest_source("clinic")
    clinic.execute("delete from patient where id in (2, 3)")
    clinic.execute("insert into patient values (0, 'older than the watermark', null, '2020-01-01')")
    deleted = []
    for days in (0, 1, 6, 7, 8):
        on(DAY + timedelta(days=days))
        (load,) = ingest_source("clinic")
        deleted.append((load.rows_deleted, load.rows_inserted))
    assert deleted == [(0, 0), (0, 0), (0, 0), (2, 1), (0, 0)]
    assert raw.state_agrees(NAME)


def test_days_are_read_again_without_moving_the_watermark(specs: Write, clinic: Clinic, raw: Raw) -> None:
    specs(spec_of({"type": "watermark", "column": "updated_at", "overlap": 0}))
    ingest_source("clinic")
    clinic.execute("update patient set name = 'silently changed' where id in (1, 2, 30)")
    clinic.execute("delete from patient where id = 5")
    first, last = date(2026, 1, 1), date(2026, 1, 1)
    (load,) = ingest_source("clinic", days=Days(first, last))
    assert (load.rows_read, load.rows_updated, load.rows_deleted) == (22, 2, 0)
    kept = raw.conn.execute(
        "select watermark, first_day, last_day from ops.load_run where source = 'clinic' order by batch_id"
    ).fetchall()
    assert kept == [(kept[0][0], None, None), (kept[0][0], first, last)]
    assert ingest_source("clinic")[0].rows_read == 1  # the row of the last moment, as before


def test_a_back_fill_before_any_load_does_not_hide_what_came_earlier(
    specs: Write, clinic: Clinic, raw: Raw
) -> None:
    specs(spec_of({"type": "watermark", "column": "updated_at", "overlap": 0}))
    (load,) = ingest_source("clinic", days=Days(date(2026, 1, 2), date(2026, 1, 2)))
    assert load.rows_inserted == 17
    (load,) = ingest_source("clinic")
    assert load.rows_inserted == 23
    assert len(raw.current(NAME, "id")) == 40


def test_days_may_be_those_of_another_column(specs: Write, clinic: Clinic, raw: Raw) -> None:
    specs(spec_of({"type": "append", "column": "id"}, backfill_column="born"))
    ingest_source("clinic")
    clinic.execute("update patient set name = 'corrected' where born = '1980-01-05'")
    (load,) = ingest_source("clinic", days=Days(date(1980, 1, 4), date(1980, 1, 5)))
    assert (load.rows_read, load.rows_updated) == (2, 1)


def test_days_of_a_table_without_such_a_column_are_refused(specs: Write, clinic: Clinic, raw: Raw) -> None:
    specs(spec_of({"type": "append", "column": "id"}))
    with pytest.raises(FatalIngestError, match="no table has a column by which days can be read again"):
        ingest_source("clinic", days=Days(DAY, DAY))


def test_a_range_of_days_must_not_end_before_it_begins() -> None:
    with pytest.raises(ConfigError, match=r"ends .* before it begins"):
        Days(DAY, DAY - timedelta(days=1))


def test_a_column_added_to_the_spec_is_filled_for_rows_that_did_not_change(
    specs: Write, clinic: Clinic, raw: Raw
) -> None:
    mode = {"type": "watermark", "column": "updated_at", "overlap": 0}
    specs(source(POSTGRES, table("patient", "id updated_at", key=["id"], mode=mode)))
    ingest_source("clinic")
    specs(source(POSTGRES, table("patient", "id name updated_at", key=["id"], mode=mode)))
    (load,) = ingest_source("clinic")
    assert (load.rows_read, load.rows_updated) == (40, 40)
    assert {name for _, name in raw.current(NAME, "id name")} == {f"p{n}" for n in range(1, 41)}


def test_a_column_added_to_a_keyless_table_is_no_mass_deletion(
    specs: Write, clinic: Clinic, raw: Raw
) -> None:
    specs(source(POSTGRES, table("patient", "id")))
    ingest_source("clinic")
    specs(source(POSTGRES, table("patient", "id name")))
    (load,) = ingest_source("clinic")
    assert (load.rows_inserted, load.rows_deleted) == (40, 40)
    assert len(raw.current(NAME, "id")) == 40


@pytest.mark.parametrize(
    ("mode", "fault"),
    [
        ({"type": "append", "overlap": 3}, "overlap and reconcile_every_days need a column"),
        ({"type": "append", "column": "no"}, "no of mode append is not among the columns"),
        ({"type": "watermark", "column": "id", "kind": "text"}, "kind"),
    ],
)
def test_a_wrong_mode_is_explained(specs: Write, mode: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        load_spec(specs(spec_of(mode)))


def test_another_column_of_the_mode_reads_everything_once(specs: Write, clinic: Clinic, raw: Raw) -> None:
    """A watermark says nothing of another column, whatever their kinds."""
    clinic.execute(
        "alter table patient add seen_at timestamp default '2025-01-01', add version int default 1"
    )
    columns = f"{PATIENT} seen_at version"
    modes = [
        {"type": "watermark", "column": "updated_at", "overlap": 0},
        {"type": "watermark", "column": "seen_at", "overlap": 0},
        {"type": "watermark", "column": "version", "kind": "number", "overlap": 0},
    ]
    for n, mode in enumerate(modes):
        clinic.execute("update patient set name = %s where id = 1", [f"silently {n}"])
        specs(source(POSTGRES, table("patient", columns, key=["id"], mode=mode)))
        (load,) = ingest_source("clinic")
        assert (load.rows_read, load.rows_inserted or load.rows_updated) == (40, 40 if n == 0 else 1)


def test_a_back_fill_does_not_stand_for_the_reading_of_a_new_column(
    specs: Write, clinic: Clinic, raw: Raw
) -> None:
    mode = {"type": "watermark", "column": "updated_at", "overlap": 0}
    specs(source(POSTGRES, table("patient", "id updated_at", key=["id"], mode=mode)))
    ingest_source("clinic")
    specs(source(POSTGRES, table("patient", "id name updated_at", key=["id"], mode=mode)))
    ingest_source("clinic", days=Days(date(2026, 1, 1), date(2026, 1, 1)))
    ingest_source("clinic")
    assert {name for _, name in raw.current(NAME, "id name")} == {f"p{n}" for n in range(1, 41)}


def test_the_key_of_an_append_table_cannot_change(specs: Write, clinic: Clinic, raw: Raw) -> None:
    mode = {"type": "append", "column": "id"}
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"], mode=mode)))
    ingest_source("clinic")
    specs(source(POSTGRES, table("patient", PATIENT, key=["id", "name"], mode=mode)))
    with pytest.raises(FatalIngestError, match="list the table under a new name"):
        ingest_source("clinic")
    assert len(raw.current(NAME, "id")) == 40


def test_a_row_appended_late_is_found_by_reconciliation(specs: Write, clinic: Clinic, raw: Raw) -> None:
    """Its number was given before, and its transaction ended after, that of the last row read."""
    specs(spec_of({"type": "append", "column": "id", "reconcile_every_days": 1}))
    clinic.execute("delete from patient where id = 20")
    ingest_source("clinic")
    clinic.execute("insert into patient values (20, 'late', null, null)")
    clinic.execute("delete from patient where id = 3")
    assert ingest_source("clinic")[0].rows_inserted == 0
    on(DAY + timedelta(days=1))
    (load,) = ingest_source("clinic")
    assert (load.rows_inserted, load.rows_deleted) == (1, 0)


def test_a_back_fill_leaves_out_what_has_no_days(specs: Write, clinic: Clinic, raw: Raw) -> None:
    clinic.execute("create table visit (no int primary key)")
    visit = table("visit", "no", key=["no"], mode={"type": "append", "column": "no"})
    mode = {"type": "watermark", "column": "updated_at", "overlap": 0}
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"], mode=mode), visit))
    loads = ingest_source("clinic", days=Days(DAY, DAY))
    assert [load.table_name for load in loads] == ["patient"]


def test_a_change_of_the_spec_does_not_let_a_mass_deletion_pass(
    specs: Write, clinic: Clinic, raw: Raw
) -> None:
    specs(source(POSTGRES, table("patient", "id name", key=["id"])))
    ingest_source("clinic")
    clinic.execute("update patient set id = id + 100")
    specs(source(POSTGRES, table("patient", "id name born", key=["id"])))
    with pytest.raises(FatalIngestError, match="40 of 40 rows were deleted"):
        ingest_source("clinic")


def test_a_key_that_two_rows_share_is_found_by_reconciliation(specs: Write, clinic: Clinic, raw: Raw) -> None:
    """They come in different loads, so that neither repeats within one."""
    clinic.execute("alter table patient drop constraint patient_pkey")
    mode = {"type": "watermark", "column": "updated_at", "overlap": 0, "reconcile_every_days": 0}
    specs(spec_of(mode))
    ingest_source("clinic")
    clinic.execute("insert into patient values (1, 'another', null, '2026-01-14')")
    with pytest.raises(FatalIngestError, match="the key id is not unique"):
        ingest_source("clinic")


@pytest.mark.parametrize("name", ["a__b", "b_", "ctid", "xmin"])
def test_names_that_would_clash_are_refused(specs: Write, name: str) -> None:
    content = spec_of({"type": "snapshot"})
    content["tables"][0]["columns"][1]["name"] = name
    with pytest.raises(ConfigError, match="name"):
        load_spec(specs(content))
