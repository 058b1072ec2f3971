"""The dictionary: each column says what it is, how sensitive and whose; database and manifest agree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from psycopg import sql

from huiliu.database import connect
from huiliu.dictionary import CLASSIFICATIONS, Entry, entry_of
from ingestion import dictionary as of_raw
from ingestion.spec import load_specs
from tests.models.conftest import project
from transformation import dictionary as of_models

LABEL = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def entries(built_city: Path) -> list[Entry]:
    """The entries of all layers."""
    found = [entry for spec in load_specs().values() for entry in of_raw.entries(spec)]
    return found + of_models.entries(project().manifest)


def test_every_column_has_label_description_classification_and_department(entries: list[Entry]) -> None:
    assert len(entries) > 1000
    assert {f"{entry.table}.{entry.column}": entry.gaps for entry in entries if entry.gaps} == {}
    assert [f"{entry.table}.{entry.column}" for entry in entries if not LABEL.search(entry.label)] == []


def test_the_manifest_says_all_of_each_column(entries: list[Entry]) -> None:
    """Read as a program would that knows nothing of defaults."""
    nodes = project().manifest.writable_manifest().to_dict()["nodes"].values()
    said = {
        (node["schema"], node["name"], column["name"]): column["meta"]
        for node in nodes
        if node["resource_type"] in ("model", "seed")
        for column in node["columns"].values()
    }
    for entry in entries:
        if entry.layer != "raw":
            meta = said[entry.layer, entry.table, entry.column]
            assert (meta["classification"], meta["department"]) == (entry.classification, entry.department)
            assert meta["classification"] in CLASSIFICATIONS


def test_the_database_s_comments_are_the_dictionary(entries: list[Entry]) -> None:
    layers = sorted({entry.layer for entry in entries})
    with connect("warehouse") as conn:
        rows = conn.execute(
            "select nspname, relname, attname, col_description(attrelid, attnum) from pg_attribute"
            " inner join pg_class on pg_class.oid = attrelid"
            " inner join pg_namespace on pg_namespace.oid = relnamespace"
            " where nspname = any(%s) and relkind in ('r', 'v') and left(relname, 1) <> '_'"
            " and attnum > 0 and not attisdropped",
            [layers],
        ).fetchall()
    commented = {(layer, table, column): comment for layer, table, column, comment in rows}
    expected = {(entry.layer, entry.table, entry.column): entry.comment for entry in entries}
    assert {
        ".".join(key): (commented.get(key), expected.get(key))
        for key in commented.keys() | expected.keys()
        if commented.get(key) != expected.get(key)
    } == {}


def test_a_gap_is_seen() -> None:
    table = ("base", "base_t", "表：a table")
    whole = entry_of(
        "姓名：name", table=table, column="c", type_="text", classification="sensitive", department="市公安局"
    )
    assert whole.gaps == []
    assert whole.comment == "姓名：name｜分级：敏感｜数源部门：市公安局"
    bare = entry_of("name", table=table, column="c", type_="text", classification="secret", department="")
    assert bare.gaps == ["description", "department", "classification"]


def test_no_key_that_is_passed_on_is_an_id_number(built_city: Path) -> None:
    """Touched keys are kept in plain text, to be joined: of people only the keyed hash may be among them."""
    passed_on = [
        (node.schema, node.name, key)
        for node in project().manifest.nodes.values()
        if node.resource_type == "model"
        for key in (node.config.get("touches") or {}).values()
    ]
    assert len(passed_on) > 100
    query = (
        "select count(*) from (select ({key})::text as key from {table}) as passed_on"
        " where key ~ '[0-9]{{17}}[0-9Xx]'"
        " and std.resident_id(substring(key from '[0-9]{{17}}[0-9Xx]')) is not null"
    )
    with connect("warehouse") as conn:
        numbers = {
            f"{name}: {key}": conn.execute(
                sql.SQL(query).format(key=sql.SQL(key), table=sql.Identifier(schema, name))
            ).fetchone()
            for schema, name, key in passed_on
        }
    assert {key: count for key, count in numbers.items() if count != (0,)} == {}
