"""Builds claim what the gate let through, in order and once; a killed or failed build costs only time."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy_city import Change, ToyCity

from huiliu.database import advisory_lock, connect
from huiliu.errors import ConfigError, TransientError
from transformation.build import LOCK
from transformation.dbt_runner import DbtProject, masked


def persons(toy: ToyCity) -> list[int]:
    return [row[0] for row in toy.contents()["toy_person"]]


def test_only_open_batches_are_claimed_and_each_once(toy: ToyCity) -> None:
    open_batch = toy.land([Change("I", 1)])
    toy.land([Change("I", 2)], gate=None)
    assert toy.build().claimed_batches == [open_batch]
    assert persons(toy) == [1]
    assert toy.build().nothing_to_do


def test_a_held_batch_holds_those_behind_it_until_it_is_released(toy: ToyCity) -> None:
    held = toy.land([Change("I", 1)], gate="held")
    behind = toy.land([Change("I", 2)])
    assert toy.build().claimed_batches == []
    toy.gate(held, "released")
    assert toy.build().claimed_batches == [held, behind]
    assert persons(toy) == [1, 2]


def test_a_replaced_batch_goes_with_the_batch_that_corrects_it(toy: ToyCity) -> None:
    replaced = toy.land([Change("I", 1, town="错镇"), Change("I", 2)], gate="replaced")
    assert toy.build().claimed_batches == []
    correction = toy.land([Change("U", 1, town="甲镇"), Change("U", 2)])
    assert toy.build().claimed_batches == [replaced, correction]
    assert toy.contents()["toy_town"] == [("甲镇", 2, ["张三", "张三"])]


def test_no_row_of_a_replaced_batch_is_ever_current(toy: ToyCity) -> None:
    toy.land([Change("I", 1), Change("I", 2)])
    toy.build()
    replaced = toy.land([Change("U", 1, town="错镇"), Change("U", 2, town="错镇")], gate="replaced")
    half = toy.land([Change("U", 1, town="乙镇")])
    rest = toy.land([Change("U", 2, town="乙镇")], gate="held")
    assert toy.build().nothing_to_do
    assert toy.contents()["toy_town"] == [("甲镇", 2, ["张三", "张三"])]
    toy.gate(rest, "passed")
    assert toy.build().claimed_batches == [replaced, half, rest]
    assert toy.contents()["toy_town"] == [("乙镇", 2, ["张三", "张三"])]
    toy.assert_equals_full("2025-01-01")


def test_batches_behind_a_replaced_one_go_as_far_as_it_is_mended(toy: ToyCity) -> None:
    first = toy.land([Change("I", 1)], gate="replaced")
    second = toy.land([Change("U", 1), Change("I", 2)], gate="replaced")  # mends the first, itself set aside
    toy.land([Change("I", 3)])
    assert toy.build().claimed_batches == []
    fourth = toy.land([Change("U", 1), Change("U", 2), Change("I", 4)])
    toy.land([Change("I", 5)], gate="replaced")
    assert toy.build().claimed_batches == [first, second, second + 1, fourth]
    assert persons(toy) == [1, 2, 3, 4]


def test_another_day_is_something_to_do(toy: ToyCity) -> None:
    toy.land([Change("I", 1)])
    toy.build("2025-01-01")
    assert toy.build("2025-01-01").nothing_to_do
    assert not toy.build("2025-01-02").nothing_to_do


def test_a_failed_build_is_something_to_do(toy: ToyCity) -> None:
    toy.land([Change("I", 1, name="", born_on="1950-01-01")])
    assert [run.name for run in toy.build().failed] == ["toy_senior", "toy_town_seniors"]
    again = toy.build()
    assert not again.nothing_to_do
    assert [run.name for run in again.failed] == ["toy_senior", "toy_town_seniors"]


def test_a_build_left_running_by_a_killed_process_is_abandoned_and_its_batches_are_built(
    toy: ToyCity,
) -> None:
    toy.land([Change("I", 1)])
    toy.build()
    batch = toy.land([Change("I", 2)])
    toy.conn.execute(
        "insert into ops.build (as_of, full_refresh, status, fingerprint)"
        " select as_of, full_refresh, 'running', fingerprint from ops.build"
    )
    toy.conn.execute("insert into ops.build_batch select %s, max(build_id) from ops.build", [batch])
    result = toy.build()
    assert result.claimed_batches == []
    assert persons(toy) == [1, 2]
    statuses = [row[0] for row in toy.conn.execute("select status from ops.build order by build_id")]
    assert statuses == ["succeeded", "abandoned", "succeeded"]
    toy.assert_equals_full("2025-01-01")


def test_two_builds_do_not_run_at_once(toy: ToyCity) -> None:
    with (
        connect("warehouse", autocommit=True) as other,
        advisory_lock(other, LOCK),
        pytest.raises(TransientError),
    ):
        toy.build()


def test_models_are_not_built_outside_a_build(toy: ToyCity) -> None:
    toy.land([Change("I", 1)])
    (run,) = toy.project.run_models(select="toy_limit")
    assert run.status == "error"
    assert "No build is running" in run.message


def test_a_project_that_does_not_parse_opens_no_build(toy: ToyCity, tmp_path: Path) -> None:
    (tmp_path / "dbt_project.yml").write_text(
        "name: broken\nversion: 1.0.0\nprofile: huiliu\nmodel-paths: [models]\n"
    )
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "broken.sql").write_text("select * from {{ ref('no_such_model') }}")
    toy.project = DbtProject(tmp_path)
    with pytest.raises(ConfigError, match="no_such_model"):
        toy.build()
    assert toy.conn.execute("select count(*) from ops.build").fetchone() == (0,)


def test_messages_carry_no_personal_data() -> None:
    message = 'duplicate key "x_pkey"\nDETAIL:  Key (pid)=(11010519491231002X) already exists.'
    assert masked(message) == 'duplicate key "x_pkey"'
    assert (
        masked('invalid input syntax for type date: "张三１９４９"')
        == "invalid input syntax for type date: ***"
    )
    assert masked("value 11010519491231002X is wrong") == "value *** is wrong"


def test_a_build_of_some_models_does_not_hide_that_the_others_are_up_to_date(toy: ToyCity) -> None:
    toy.land([Change("I", 1)])
    toy.build()
    toy.build(select="toy_limit")
    assert toy.build().nothing_to_do
    toy.land([Change("I", 2)])
    toy.build(select="toy_limit")
    assert not toy.build().nothing_to_do
    assert persons(toy) == [1, 2]
