"""A changed project is built in full, once and to the end; the gate judges by its views before that."""

from __future__ import annotations

import pytest
from toy_city import Change, ToyCity

from transformation.checks import ensure_typed_views

DAY = "2025-01-01"
OLD = "1950-01-01"


def recorded(toy: ToyCity) -> list[tuple[bool, str]]:
    """(full_refresh, status) of every build in the ledger, oldest first."""
    return list(toy.conn.execute("select full_refresh, status from ops.build order by build_id"))


def fails_on_empty_name(toy: ToyCity) -> list[int]:
    """The column of toy_senior that a mended model computes anew."""
    return [row[2] for row in toy.contents()["toy_senior"]]


def test_a_mended_model_corrects_the_rows_that_no_batch_touches(
    own_toy: ToyCity, caplog: pytest.LogCaptureFixture
) -> None:
    own_toy.land([Change("I", 1)])
    assert not own_toy.build().full_refresh
    own_toy.change_model("toy_town", "count(*)", "count(*) + 10")
    result = own_toy.build()
    assert result.full_refresh
    assert "every model is built in full" in caplog.text
    assert own_toy.contents()["toy_town"] == [("甲镇", 11, ["张三"])]
    assert recorded(own_toy) == [(False, "succeeded"), (True, "succeeded")]
    assert own_toy.build().nothing_to_do
    own_toy.land([Change("I", 2)])
    assert not own_toy.build().full_refresh


def test_a_changed_function_of_the_warehouse_is_a_changed_project(toy: ToyCity) -> None:
    toy.land([Change("I", 1)])
    toy.build()
    toy.conn.execute(
        "create or replace function std.digits(value text, length int) returns text"
        " language sql immutable parallel safe as $$ select null::text $$"
    )
    assert toy.build().full_refresh
    assert toy.build().nothing_to_do


def test_a_full_refresh_in_which_a_model_failed_is_repeated_until_it_succeeds(own_toy: ToyCity) -> None:
    own_toy.land([Change("I", 1, born_on=OLD)])
    own_toy.build()
    own_toy.change_model("toy_senior", "1000 /", "2000 /")
    own_toy.land([Change("I", 2, name="", born_on=OLD)])
    assert [run.name for run in own_toy.build().failed] == ["toy_senior", "toy_town_seniors"]
    assert fails_on_empty_name(own_toy) == [500]
    own_toy.land([Change("U", 2, name="李四", born_on=OLD)])
    again = own_toy.build()
    assert (again.full_refresh, again.failed) == (True, [])
    assert fails_on_empty_name(own_toy) == [1000, 1000]
    assert own_toy.build().nothing_to_do


def test_a_full_refresh_that_was_asked_for_is_owed_until_it_succeeds(toy: ToyCity) -> None:
    toy.land([Change("I", 1, born_on=OLD)])
    toy.build()
    toy.conn.execute("update staging.toy_senior set fails_on_empty_name = 0")
    toy.land([Change("I", 2, name="", born_on=OLD)])
    assert toy.build(full_refresh=True).failed != []
    toy.land([Change("D", 2, name="", born_on=OLD)])
    assert toy.build().full_refresh
    assert fails_on_empty_name(toy) == [500]


def test_a_model_that_fails_in_an_ordinary_build_forces_no_full_refresh(toy: ToyCity) -> None:
    toy.land([Change("I", 1, born_on=OLD)])
    toy.build()
    toy.land([Change("I", 2, name="", born_on=OLD)])
    assert toy.build().failed != []
    assert not toy.build().full_refresh


def test_a_build_of_some_models_neither_refreshes_nor_hides_that_the_project_changed(
    own_toy: ToyCity,
) -> None:
    own_toy.land([Change("I", 1)])
    own_toy.build()
    own_toy.change_model("toy_town", "count(*)", "count(*) + 10")
    assert not own_toy.build(select="toy_limit").full_refresh
    assert own_toy.build().full_refresh
    assert own_toy.contents()["toy_town"] == [("甲镇", 11, ["张三"])]


def test_what_another_project_built_of_some_models_is_built_in_full(own_toy: ToyCity) -> None:
    own_toy.land([Change("I", 1)])
    own_toy.build()
    own_toy.change_model("toy_town", "count(*)", "count(*) + 10")
    own_toy.land([Change("I", 2)])
    own_toy.build(select="toy_person toy_town")
    own_toy.change_model("toy_town", "count(*) + 10", "count(*)")
    assert own_toy.build().full_refresh
    assert own_toy.contents()["toy_town"] == [("甲镇", 2, ["张三", "张三"])]


def test_some_models_built_for_another_day_are_something_to_do(toy: ToyCity) -> None:
    toy.land([Change("I", 1, born_on="1965-01-02")])
    toy.build("2024-12-30")
    toy.build("2025-01-05", select="toy_senior")
    assert len(toy.contents()["toy_senior"]) == 1
    result = toy.build("2024-12-30")
    assert (result.nothing_to_do, result.full_refresh) == (False, False)
    assert toy.contents()["toy_senior"] == []


def test_the_gate_judges_by_the_views_of_the_changed_project(own_toy: ToyCity) -> None:
    folder = own_toy.project.folder / "models" / "staging"
    folder.mkdir()
    (folder / "stg_toy__person_typed.sql").write_text(
        "{{ config(materialized='view', incremental_strategy='append') }}"
        " select person_id, name from {{ source('raw', 'toy__person') }}"
    )
    assert ensure_typed_views(own_toy.project) == ["stg_toy__person_typed"]
    own_toy.land([Change("I", 1)])
    assert own_toy.build().failed == []
    assert ensure_typed_views(own_toy.project) == []
    own_toy.change_model("stg_toy__person_typed", "name", "upper('x') || name as name")
    assert ensure_typed_views(own_toy.project) == ["stg_toy__person_typed"]
    query = "select name from staging.stg_toy__person_typed"
    assert own_toy.conn.execute(query).fetchall() == [("X张三",)]
    assert own_toy.build(DAY).full_refresh
    assert ensure_typed_views(own_toy.project) == []
