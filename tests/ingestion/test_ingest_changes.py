"""What micro-batches ask of a source: is anything new, and only such rows; deletions are not theirs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from clinic import PATIENT, POSTGRES, SNAPSHOT, WATERMARK, Raw, source, table

from huiliu.errors import ConfigError
from ingestion import newest
from ingestion.freshness import MicroBatch, end, note_changes
from ingestion.run import ingest_changes, ingest_source
from ingestion.spec import SourceSpec, load_spec, read_specs

Write = Callable[..., Path]
Clinic = psycopg.Connection[Any]
STREAM = {"every_seconds": 5}
STREAMED = source(POSTGRES, table("patient", PATIENT, key=["id"], mode=WATERMARK, stream=STREAM))


def clinic_spec() -> SourceSpec:
    return read_specs()[0]["clinic"]


def usable_after(raw: Raw, *, all_delivered: bool) -> bool:
    """Whether a micro-batch that ends makes usable what waits."""
    end(MicroBatch(datetime.now(UTC), [], 0, 0, 0, 0, 0, []), all_delivered=all_delivered)
    return not raw.conn.execute("select from ops.freshness where usable_at is null").fetchall()


def test_a_mark_differs_if_and_only_if_something_was_written(specs: Write, clinic: Clinic, raw: Raw) -> None:
    specs(STREAMED)
    assert newest.starts(clinic_spec()) == {}, "what never landed whole is not for the stream"
    clinic.execute("update patient set updated_at = '2026-01-15 08:00:00' where id = 1")
    ingest_source("clinic")
    since = newest.starts(clinic_spec())
    before = newest.marks(clinic_spec(), since)
    assert newest.marks(clinic_spec(), since) == before
    # Committed late: its time is before the greatest one that was met.
    clinic.execute("update patient set updated_at = '2026-01-15 07:00:00' where id = 2")
    after = newest.marks(clinic_spec(), since)
    assert after["patient"] != before["patient"]
    assert after["patient"][1] == before["patient"][1]


def test_only_changes_are_loaded_and_deletions_wait_for_the_load(
    specs: Write, clinic: Clinic, raw: Raw
) -> None:
    specs(STREAMED)
    clinic.execute("update patient set updated_at = '2026-01-15 08:00:00' where id = 1")
    ingest_source("clinic")
    clinic.execute("update patient set name = 'new', updated_at = '2026-01-15 09:30:00' where id = 2")
    clinic.execute("delete from patient where id = 3")
    (load,) = ingest_changes("clinic", ["patient"])
    assert (load.rows_inserted, load.rows_updated, load.rows_deleted) == (0, 1, 0)
    note_changes(clinic_spec(), [load])
    changed = raw.conn.execute(
        "select to_char(changed_at at time zone 'Asia/Shanghai', 'HH24:MI:SS'), row_count, usable_at"
        " from ops.freshness where batch_id = %s",
        [load.batch_id],
    ).fetchall()
    assert changed == [("09:30:00", 1, None)]
    assert not usable_after(raw, all_delivered=True), "no build claimed it: the gate holds it, say"
    raw.conn.execute(
        "with build as (insert into ops.build (as_of, full_refresh, status)"
        " values ('2026-01-15', false, 'succeeded') returning build_id)"
        " insert into ops.build_batch (batch_id, build_id) select %s, build_id from build",
        [load.batch_id],
    )
    assert not usable_after(raw, all_delivered=False), "built, but its package is held"
    assert usable_after(raw, all_delivered=True)
    raw.conn.execute("delete from ops.build_batch where batch_id = %s", [load.batch_id])
    (load,) = ingest_source("clinic")
    assert load.rows_deleted == 1


@pytest.mark.parametrize(
    ("container", "mode", "said"),
    [
        (POSTGRES, SNAPSHOT, "stream needs mode watermark by a time"),
        (POSTGRES, {**WATERMARK, "column": "id", "kind": "number"}, "stream needs mode watermark by a time"),
        ({"type": "mysql"}, WATERMARK, "a mysql source cannot say cheaply what is new"),
    ],
)
def test_a_table_is_streamed_only_if_it_can_be_asked_what_is_new(
    specs: Write, container: dict[str, str], mode: dict[str, Any], said: str
) -> None:
    path = specs(source(container, table("patient", PATIENT, key=["id"], mode=mode, stream=STREAM)))
    with pytest.raises(ConfigError, match=said):
        load_spec(path)


def test_a_pace_that_would_load_the_source_is_refused(specs: Write) -> None:
    hurried = table("patient", PATIENT, key=["id"], mode=WATERMARK, stream={"every_seconds": 1})
    with pytest.raises(ConfigError, match="every_seconds"):
        load_spec(specs(source(POSTGRES, hurried)))
