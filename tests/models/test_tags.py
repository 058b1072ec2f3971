"""Tags of people: defined completely, registered as defined, put together rightly, and true (mission D5)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from psycopg import sql

from huiliu import business_date
from huiliu.database import Connection, connect
from tests.models.conftest import project
from tests.models.truth_people import ids_of_keys
from tests.models.truth_tags import EXPECTED, Truth

PERIODS = {"当日", "本年", "上年", "近12个月", "历史"}
Row = tuple[str, ...]


def _groups() -> list[Any]:
    """The models whose columns are tags."""
    models = [node for node in project().manifest.nodes.values() if node.resource_type == "model"]
    found = [node for node in models if any("rule" in column.meta for column in node.columns.values())]
    assert len(found) > 5
    return found


def _defined() -> list[Row]:
    """Every tag as the project's YAML defines it."""
    return [
        (
            column.name, *column.description.strip().split("：", 1), node.name.split("__")[1],
            f"theme.{node.name}", column.data_type, column.meta["department"], column.meta["classification"],
            column.meta["rule"], column.meta["period"],
        )
        for node in _groups()
        for column in node.columns.values()
        if column.name != "person_key"
    ]  # fmt: skip


def _rows(connection: Connection, schema: str, table: str) -> dict[str, dict[str, Any]]:
    query = sql.SQL("select person_key::text, to_jsonb(it) - 'person_key' from {} as it")
    return dict(connection.execute(query.format(sql.Identifier(schema, table))).fetchall())


def test_every_tag_is_defined_completely_and_once() -> None:
    defined = _defined()
    assert len(defined) >= 150
    assert all(all(row) for row in defined)
    assert {row[-1] for row in defined} == PERIODS
    names = [row[0] for row in defined]
    assert len(set(names)) == len(names), "a tag of two groups would hide one of them in the profile"


def test_registry_and_profile_wait_for_every_group() -> None:
    groups = {node.unique_id for node in _groups()}
    for name in ("theme_profile__tag", "theme_profile__person"):
        assert groups <= set(project().manifest.nodes[f"model.huiliu.{name}"].depends_on.nodes)


@pytest.mark.usefixtures("built_city")
def test_the_registry_says_what_the_project_defines() -> None:
    with connect("warehouse") as connection:
        today = business_date.get(connection)
        found = connection.execute(
            "select tag_code, label, description, group_code, table_name, data_type, department,"
            " classification, rule, period, as_of from theme.theme_profile__tag"
        ).fetchall()
    assert sorted(found) == sorted((*row, today) for row in _defined())


@pytest.mark.usefixtures("built_city")
def test_a_profile_is_every_tag_of_every_group() -> None:
    with connect("warehouse") as connection:
        profiles = dict(
            connection.execute("select person_key::text, tags from theme.theme_profile__person").fetchall()
        )
        people = connection.execute("select person_key::text from base.base_population__person").fetchall()
        assert profiles.keys() == {key for (key,) in people}
        expected: dict[str, dict[str, Any]] = {key: {} for key in profiles}
        for group in _groups():
            rows = _rows(connection, group.schema, group.name)
            assert rows.keys() == profiles.keys()
            for key, tags in rows.items():
                expected[key] |= tags
    assert profiles == expected


@pytest.fixture(scope="module")
def truth(built_city: Path) -> Truth:
    with connect("warehouse") as connection:
        return Truth(built_city, pd.Timestamp(business_date.get(connection)))


@pytest.fixture(scope="module")
def told(built_city: Path, truth: Truth) -> pd.DataFrame:
    """The tags of the truth's people, by person id."""
    ids = ids_of_keys(built_city)
    with connect("warehouse") as connection:
        profiles = connection.execute(
            "select person_key::text, tags from theme.theme_profile__person"
        ).fetchall()
    known = [(ids[key], tags) for key, tags in profiles if key in ids]
    assert len(known) > 0.9 * len(truth.person)
    return pd.DataFrame([tags for _, tags in known], index=[number for number, _ in known])


@pytest.mark.parametrize("tag", EXPECTED)
def test_a_tag_is_true_of_whom_it_should_be(tag: str, truth: Truth, told: pd.DataFrame) -> None:
    value = EXPECTED[tag].value(truth).dropna()
    sure = told.index.intersection(value.index).difference(list(truth.doubted(*EXPECTED[tag].doubted_by)))
    found, expected = told.loc[sure, tag].fillna(0).astype(int), value.loc[sure].astype(int)
    wrong = sure[found != expected]
    assert len(wrong) == 0, f"{len(wrong)} of {len(sure)} people"
    assert expected.gt(0).sum() > 5
