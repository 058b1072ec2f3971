"""Specs: those of the project are sound, and a wrong one is explained before any work."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from clinic import PATIENT, POSTGRES, Raw, source, table

from huiliu.errors import ConfigError
from huiliu.provision import provision
from ingestion import spec
from ingestion.errors import IngestError
from ingestion.run import ensure_raw_tables, ingest
from ingestion.spec import load_spec, load_specs
from simulator.registry import TABLES

Write = Callable[..., Path]

WRONG = [
    (
        "label: 姓名",
        "lable: 姓名",
        "police.yml: .*tables[0].columns[2].lable: there is no key 'lable', did you mean 'label'?",
    ),
    ("cadence:", "cadance:", "cadence: is missing"),
    (
        "type: postgres",
        "type: postgress",
        "container.type: there is no type 'postgress', did you mean 'postgres'?",
    ),
    (
        "type: postgres",
        "type: postgres, shema: x",
        "container.shema: there is no key 'shema', did you mean 'schema'?",
    ),
    (
        "type: watermark",
        "type: watermarks",
        "tables[0].mode.type: there is no type 'watermarks', did you mean 'watermark'?",
    ),
    (
        "overlap: 2",
        "overlaps: 2",
        "tables[0].mode.overlaps: there is no key 'overlaps', did you mean 'overlap'?",
    ),
    (
        "key: [resident_id]",
        "key: [residentid]",
        "residentid of key is not among the columns",
    ),
    ("share_type: 有条件共享", "share_type: 公开", "tables[0].resource.share_type: Input should be"),
    ("name: police", "name: polis", "name is 'polis' but the file is called police.yml"),
    ("title:", "title: x\ntitle:", "key 'title' is written twice"),
    ("container:", "container: [", "police.yml is not valid YAML"),
    ('cadence: "', 'cadence: "every ', "cadence: 'every 0 1 * * *' is no cron expression"),
]


@pytest.mark.parametrize(("right", "wrong", "message"), WRONG)
def test_a_fault_in_a_spec_is_explained(tmp_path: Path, right: str, wrong: str, message: str) -> None:
    text = (spec.SOURCES / "police.yml").read_text(encoding="utf-8")
    assert right in text
    path = tmp_path / "police.yml"
    path.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        load_spec(path)
    assert all(part in str(raised.value) for part in message.split(".*"))
    assert "Fix: " in str(raised.value)


def test_every_source_of_the_project_is_described() -> None:
    described = {f"{name}.{one.name}": one for name, found in load_specs().items() for one in found.tables}
    shown = {table.full_name: table for table in TABLES}
    # The region codes are the city's own file; a digitised archive of two generations is read as one list.
    assert set(described) - set(shown) == {"region_codes.division", "region_codes.change"}
    assert set(shown) - set(described) == {"marriage_archive.old_record"}
    for name in set(shown) & set(described):
        columns = [{column.name, column.at_source} for column in described[name].columns]
        for column, _ in shown[name].columns:
            assert any(column in names for names in columns), f"{name} lacks {column}"


def test_a_wrong_spec_stops_only_its_own_source(
    specs: Write, clinic: psycopg.Connection[Any], raw: Raw
) -> None:
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"])))
    path = specs(source(POSTGRES, table("patient", PATIENT), name="surgery"))
    path.write_text(path.read_text(encoding="utf-8").replace("department", "departement"), encoding="utf-8")
    with pytest.raises(IngestError, match="departement"):
        ingest()
    assert raw.runs("clinic") == [("patient", "landed", 40, 0, 0)]
    assert raw.runs("surgery") == [("*", "failed", None, None, None)]
    assert "did you mean 'department'?" in raw.error("surgery")


def test_an_unknown_source_is_named_with_the_known_ones(specs: Write) -> None:
    specs(source(POSTGRES, table("patient", PATIENT)))
    with pytest.raises(ConfigError, match=r"There is no source polic\. Fix: use one of: clinic"):
        ingest(["polic"])


@pytest.mark.parametrize(
    ("container", "mode"),
    [
        ({"type": "csv", "path": "x"}, {"type": "watermark", "column": "id"}),
        ({"type": "postgres"}, {"type": "append"}),
    ],
)
def test_a_mode_the_container_cannot_serve_is_refused(
    specs: Write, container: dict[str, Any], mode: dict[str, Any]
) -> None:
    path = specs(source(container, table("patient", PATIENT, key=["id"], mode=mode)))
    with pytest.raises(ConfigError, match=r"read whole|needs a column to append by"):
        load_spec(path)


def test_specs_are_cheap_to_import() -> None:
    code = "import sys, ingestion.spec; print({'psycopg', 'httpx', 'openpyxl', 'airflow'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.strip() == "set()"


def test_an_older_change_log_is_brought_up_to_date(specs: Write, raw: Raw) -> None:
    """Each landed row once carried its hash: a log that still has the column would refuse rows without."""
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"])))
    ensure_raw_tables()
    raw.conn.execute("alter table raw.clinic__patient add column _row_hash uuid not null")
    raw.conn.execute("create view raw.patient_view as select _row_hash from raw.clinic__patient")
    provision()
    columns = raw.conn.execute(
        "select attname from pg_attribute where attrelid = 'raw.clinic__patient'::regclass and attnum > 0"
        " and not attisdropped"
    ).fetchall()
    assert ("_row_hash",) not in columns
    assert raw.conn.execute("select to_regclass('raw.patient_view')").fetchone() == (None,)


def test_raw_tables_exist_before_any_load(specs: Write, raw: Raw) -> None:
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"])))
    ensure_raw_tables()
    ensure_raw_tables()
    columns = raw.conn.execute(
        "select attname, format_type(atttypid, atttypmod), attnotnull"
        " from pg_attribute where attrelid = 'raw.clinic__patient'::regclass and attnum > 0 order by attnum"
    ).fetchall()
    assert columns == [
        *[(name, "text", False) for name in PATIENT.split()],
        ("_extra", "text", False),
        ("_row_key", "uuid", True),
        ("_op", "character(1)", True),
        ("_batch_id", "bigint", True),
        ("_loaded_on", "date", True),
    ]
    comments = raw.conn.execute(
        "select col_description('raw.clinic__patient'::regclass, attnum) from pg_attribute"
        " where attrelid = 'raw.clinic__patient'::regclass and attnum > 0 order by attnum"
    ).fetchall()
    assert all(comment.endswith("｜分级：高度敏感｜数源部门：市卫生健康委员会") for (comment,) in comments)
    assert str(comments[0][0]).startswith("id：")


def test_a_path_that_depends_on_the_folder_one_is_in_is_refused(specs: Write) -> None:
    container = {"type": "csv", "path": "inbox/patient.csv"}
    with pytest.raises(ConfigError, match="neither absolute nor begins with"):
        load_spec(specs(source(container, table("patient", PATIENT))))
