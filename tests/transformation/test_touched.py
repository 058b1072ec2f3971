"""A day costs a day, and ends where a full build would: the mechanics of macros/touched.sql on a toy city."""

from __future__ import annotations

import random

from toy_city import Change, ToyCity

DAY_1, DAY_2, DAY_3 = "2025-01-01", "2025-01-02", "2025-01-03"


def first_day(toy: ToyCity) -> None:
    toy.land(
        Change("I", number, town=f"镇{number % 4}", born_on=f"19{50 + number % 40}-03-01")
        for number in range(200)
    )
    assert toy.build(DAY_1).failed == []


def touched(toy: ToyCity, model: str, key_name: str) -> set[str]:
    rows = toy.conn.execute(
        "select key from ops.touched_key where model = %s and key_name = %s", [model, key_name]
    )
    return {row[0] for row in rows}


def written(toy: ToyCity) -> dict[str, int | None]:
    rows = toy.conn.execute(
        "select model, row_count from ops.model_run where build_id = (select max(build_id) from ops.build)"
    )
    return {row[0]: row[1] for row in rows}


def test_inserts_updates_deletes_and_movers_end_as_a_full_build_would(toy: ToyCity) -> None:
    first_day(toy)
    toy.land(
        [
            Change("I", 900, name="新来", town="新镇"),
            Change("U", 1, name="改名", town="镇1", born_on="1951-03-01"),
            Change("U", 2, town="镇3", born_on="1952-03-01"),  # touches the town left and the one entered
            Change("D", 3, town="镇3", born_on="1953-03-01"),
        ]
    )
    assert toy.build(DAY_2).failed == []
    assert written(toy) == {
        "toy_person": 3,
        "toy_limit": 0,
        "toy_senior": 1,  # the mover; the renamed one's row is the same as before, the deleted one is gone
        "toy_town": 3,  # 镇3 lost one and gained one of the same name
        "toy_town_seniors": 2,
    }
    toy.assert_equals_full(DAY_2)


def test_a_group_that_loses_its_last_member_vanishes(toy: ToyCity) -> None:
    toy.land([Change("I", 1, town="甲镇"), Change("I", 2, town="乙镇")])
    toy.build(DAY_1)
    toy.land([Change("U", 2, town="甲镇")])
    toy.build(DAY_2)
    assert toy.contents()["toy_town"] == [("甲镇", 2, ["张三", "张三"])]
    toy.assert_equals_full(DAY_2)


def test_a_day_that_passes_touches_who_falls_due(toy: ToyCity) -> None:
    toy.land([Change("I", 1, born_on="1965-01-02"), Change("I", 2, born_on="1980-01-01")])
    toy.build("2024-12-30")
    assert toy.contents()["toy_senior"] == []
    assert toy.build("2025-01-05").failed == []
    assert [row[0] for row in toy.contents()["toy_senior"]] == [1]
    toy.assert_equals_full("2025-01-05")


def test_a_date_that_goes_back_recomputes_what_depends_on_it(toy: ToyCity) -> None:
    toy.land([Change("I", 1, born_on="1965-01-02")])
    toy.build("2025-01-05")
    toy.build("2024-12-30")
    assert toy.contents()["toy_senior"] == []
    toy.assert_equals_full("2024-12-30")


def test_a_changed_parameter_recomputes_everything_that_named_it(toy: ToyCity) -> None:
    first_day(toy)
    before = len(toy.contents()["toy_senior"])
    toy.conn.execute("update raw.toy__limit set value = '18262'")  # fifty years
    toy.build(DAY_2)
    assert len(toy.contents()["toy_senior"]) > before
    toy.assert_equals_full(DAY_2)


def test_a_failed_model_leaves_the_rest_up_to_date_and_catches_up(toy: ToyCity) -> None:
    first_day(toy)
    # toy_senior divides by the length of the name.
    toy.land([Change("U", 1, name="", town="镇2", born_on="1951-03-01")])
    result = toy.build(DAY_2)
    assert {run.name: run.status for run in result.models} == {
        "toy_person": "success",
        "toy_limit": "success",
        "toy_senior": "error",
        "toy_town": "success",
        "toy_town_seniors": "skipped",
    }
    assert "division by zero" in next(run.message for run in result.failed if run.status == "error")
    assert touched(toy, "toy_town", "town") == {"镇1", "镇2"}, (
        "kept until the skipped child has consumed them"
    )
    toy.land(
        [Change("U", 5, town="镇0", born_on="1955-03-01"), Change("U", 1, town="镇2", born_on="1951-03-01")]
    )
    assert toy.build(DAY_3).failed == []
    assert touched(toy, "toy_town", "town") == set(), "pruned once every child has consumed them"
    toy.assert_equals_full(DAY_3)


def test_a_parent_built_in_full_makes_its_children_compare_everything(toy: ToyCity) -> None:
    first_day(toy)
    toy.land(
        [Change("D", 4, town="镇0", born_on="1954-03-01"), Change("I", 901, town="镇9", born_on="1950-01-01")]
    )
    assert toy.build(DAY_2, full_refresh=True, select="toy_person").failed == []
    assert touched(toy, "toy_person", "town") == set()
    assert toy.build(DAY_2).failed == []
    toy.assert_equals_full(DAY_2)


def test_a_build_of_some_models_leaves_the_others_to_catch_up(toy: ToyCity) -> None:
    first_day(toy)
    toy.land([Change("U", 1, town="镇3", born_on="1951-03-01")])
    toy.build(DAY_2, select="toy_limit")
    assert not toy.build(DAY_2).nothing_to_do
    assert ("toy_person", 1) in written(toy).items()
    toy.assert_equals_full(DAY_2)


def test_a_lost_state_recomputes_everything(toy: ToyCity) -> None:
    first_day(toy)
    toy.conn.execute("delete from ops.model_state where model in ('toy_person', 'toy_town')")
    toy.conn.execute(
        "delete from staging.toy_person where person_id = 7; update staging.toy_town set persons = 0"
    )
    toy.build(DAY_2)
    toy.assert_equals_full(DAY_2)


def test_rows_that_come_again_unchanged_cost_nothing(toy: ToyCity) -> None:
    toy.land([Change("I", 1), Change("I", 2)])
    toy.build(DAY_1)
    toy.land([Change("D", 1)])
    toy.land([Change("I", 1)])
    toy.build(DAY_2)
    assert written(toy) == {
        "toy_person": 1,
        "toy_limit": 0,
        "toy_senior": 0,
        "toy_town": 0,
        "toy_town_seniors": 0,
    }


def test_random_days_end_as_a_full_build_would(toy: ToyCity) -> None:
    chance = random.Random(20250101)  # noqa: S311 - a repeatable test, not a secret
    living: dict[int, Change] = {}
    for day in range(1, 7):
        for _ in range(chance.randrange(1, 3)):
            changes = {}
            for number in chance.sample(range(60), 20):
                fresh = Change(
                    "U" if number in living else "I",
                    number,
                    name=chance.choice(["张三", "李四", "王五"]),
                    town=chance.choice(["甲镇", "乙镇", "丙镇", None]),
                    born_on=f"1965-01-{chance.randrange(1, 12):02d}",
                )
                if number in living and chance.random() < 0.3:
                    gone = living.pop(number)
                    changes[number] = Change("D", number, gone.name, gone.town, gone.born_on)
                else:
                    changes[number] = living[number] = fresh
            toy.land(changes.values())
        assert toy.build(f"2025-01-{day:02d}").failed == []
    assert len(toy.contents()["toy_person"]) == len(living)
    toy.assert_equals_full("2025-01-06")
