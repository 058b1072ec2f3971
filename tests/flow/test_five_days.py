"""Five days built day by day equal one full refresh, row for row, whatever the days bring."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from huiliu.database import connect
from simulator import scenario
from tests.flow import city_days
from transformation.build import build

PERSONS = 3000
SEED = 20260115


def _truth(home: Path, table: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = pq.read_table(home / "truth" / f"{table}.parquet").to_pylist()
    return rows


def _residents(home: Path) -> list[dict[str, object]]:
    return [row for row in _truth(home, "person") if row["resident"] and row["died_on"] is None]


def _damage_awards(home: Path) -> None:
    """At the source, spoil every ID number of the awards, as a broken export would."""
    with connect("source_owner:civil_affairs") as source:
        source.execute("create table kept_award as select award_no, pid from subsidy_award")
        source.execute(
            "update subsidy_award set pid = 'x' || award_no,"
            " updated_at = (select max(updated_at) + interval '1 second' from subsidy_award)"
        )


def _mend_awards() -> None:
    with connect("source_owner:civil_affairs") as source:
        source.execute(
            "update subsidy_award as award set pid = kept.pid,"
            " updated_at = (select max(updated_at) + interval '1 second' from subsidy_award)"
            " from kept_award as kept where kept.award_no = award.award_no"
        )
        source.execute("drop table kept_award")


@pytest.fixture(scope="module")
def five_days(city_home: Path) -> dict[str, object]:
    """Run the five days; what each brought about is asserted here, the tables are compared in the tests."""
    seen: dict[str, object] = {}
    first = city_days.found_city(city_home, PERSONS, SEED)
    day_zero = city_days.warehouse_day()
    assert not day_zero.build.failed, day_zero.build.failed
    assert not day_zero.gate.held

    # Day 1: a death, and a batch that the gate holds.
    today = city_days.pass_days(1)
    dead = max(_residents(city_home), key=lambda row: str(row["birth_date"]))
    scenario.die(int(str(dead["person_id"])), today)
    _damage_awards(city_home)
    day_one = city_days.warehouse_day()
    assert [batch.table_name for batch in day_one.gate.held] == ["subsidy_award"]
    assert not day_one.build.failed
    seen["dead"] = dead["pid"]

    # Day 2: a model fails, and everything that does not stand on it is built all the same.
    city_days.pass_days(1)
    with connect("warehouse") as warehouse:
        warehouse.execute(
            "alter table base.base_population__person add constraint broken check (pid is null) not valid"
        )
    day_two = city_days.warehouse_day()
    failed = {run.name for run in day_two.build.failed}
    assert "base_population__person" in failed
    assert "stg_police__resident" not in failed
    assert "base_legal_person__organisation" not in failed
    with connect("warehouse") as warehouse:
        warehouse.execute("alter table base.base_population__person drop constraint broken")

    # Day 3: the awards are mended at the source; a move between districts.
    _mend_awards()
    today = city_days.pass_days(1)
    mover = next(
        row
        for row in _residents(city_home)
        if str(row["relation"]) not in ("01", "02") and row["person_id"] != dead["person_id"]
    )
    home_district = str(mover["district_code"])
    target = next(
        str(row["village_code"])
        for row in _residents(city_home)
        if str(row["district_code"]) != home_district
    )
    scenario.move(int(str(mover["person_id"])), target, today)
    day_three = city_days.warehouse_day()
    assert not day_three.build.failed, day_three.build.failed
    assert not day_three.gate.held
    seen["mover"] = (mover["pid"], target)

    # Day 4: a sixtieth birthday falls on the last day; an award ends; a row is deleted at its source.
    today = city_days.pass_days(1)
    award = next(row for row in _truth(city_home, "award") if row["ended_on"] is None)
    scenario.end_award(str(award["award_no"]), today)
    employment = _a_source_key("social_security", "employment", "employment_id")
    scenario.delete_source_row("social_security", "employment", employment)
    day_four = city_days.warehouse_day()
    assert not day_four.build.failed, day_four.build.failed

    born = {row["person_id"]: row for row in _truth(city_home, "person")}
    today = city_days.pass_days(1)
    turned = [
        row["pid"]
        for row in born.values()
        if row["birth_date"] is not None and _sixtieth(row["birth_date"]) == today and row["died_on"] is None
    ]
    seen["turned_sixty"] = turned
    day_five = city_days.warehouse_day()
    assert not day_five.build.failed, day_five.build.failed
    assert today == first + timedelta(days=5)
    seen["today"] = today
    return seen


def _sixtieth(birth: object) -> object:
    from datetime import date

    assert isinstance(birth, date)
    return date(birth.year + 60, birth.month, birth.day) if (birth.month, birth.day) != (2, 29) else None


def _a_source_key(source: str, table: str, key: str) -> int:
    from psycopg import sql

    with connect(f"source_owner:{source}") as conn:
        row = conn.execute(
            sql.SQL("select min({}) from {}").format(sql.Identifier(key), sql.Identifier(table))
        ).fetchone()
    assert row is not None
    return int(row[0])


def test_day_by_day_equals_a_full_refresh(five_days: dict[str, object]) -> None:
    with connect("warehouse") as warehouse:
        kept = city_days.keep_picture(warehouse, "day_by_day")
        assert len(kept) > 30
        refreshed = build(full_refresh=True)
        assert not refreshed.failed
        assert city_days.keep_picture(warehouse, "refreshed") == kept
        assert city_days.differences(warehouse, "day_by_day", "refreshed") == {}


def test_the_dead_have_left_the_roster_and_the_mover_has_arrived(five_days: dict[str, object]) -> None:
    pid, village = five_days["mover"]  # type: ignore[misc]
    with connect("warehouse") as warehouse:
        dead = warehouse.execute(
            "select count(*) from return.return_resident_roster inner join base.base_population__person"
            " using (person_key) where pid = %s",
            [five_days["dead"]],
        ).fetchone()
        moved = warehouse.execute(
            "select consumer_code from return.return_resident_roster inner join base.base_population__person"
            " using (person_key) where pid = %s",
            [pid],
        ).fetchall()
    assert dead == (0,)
    assert moved == [(village[:9],)]
