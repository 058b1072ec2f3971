"""A consumer reads last good data and is told so: of sources held, failed or late, and of packages held."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from psycopg import sql
from returnflow_city import DISTRICTS, ROSTER, TOWNSHIPS, A, B, C, City, D

from huiliu import business_date
from huiliu.database import connect
from huiliu.regions import front_schema
from returnflow.run import ReturnError
from returnflow.spec import load_packages

VETERANS = "veteran_subsidy"
TODAY, TOMORROW = date(2026, 1, 15), date(2026, 1, 16)
HELD = "来源数据未通过入库质量检验，扣留待部门更正或人工放行，沿用此前数据"
AWARDS = ("veteran_subsidy", "clinic.award", "补贴待遇", "市民政局")


class Awards:
    """A source that only the veterans' package stands on: its loads, and what the gate makes of them."""

    def __init__(self, city: City) -> None:
        self.city = city
        city.conn.execute(
            "insert into ops.resource values ('clinic.award', 'clinic', 'award', '补贴待遇', '市民政局',"
            " 'city', '有条件共享', true, '0 1 * * *')"
        )
        city.conn.execute(
            "insert into ops.model_source values ('return_veteran_subsidy', 'clinic', 'award')"
            " on conflict do nothing"
        )
        city.conn.commit()

    def load(self, day: date, gate: str | None, status: str = "landed") -> int:
        """Load the table on a day and let the gate decide; return the batch."""
        ((batch,),) = self.city.conn.execute(
            "insert into ops.load_run (source, table_name, mode, business_date, status, error)"
            " values ('clinic', 'award', 'snapshot', %s, %s, '张三 cannot be read') returning batch_id",
            [day, status],
        ).fetchall()
        if gate:
            self.decide(batch, gate)
        self.city.conn.commit()
        return int(batch)

    def decide(self, batch: int, status: str) -> None:
        """Write a decision, with words that must not leave."""
        self.city.conn.execute(
            "insert into ops.batch_gate (batch_id, status, decided_by, reason)"
            " values (%s, %s, '王工', '张三已核实')"
            " on conflict (batch_id) do update set status = excluded.status",
            [batch, status],
        )
        self.city.conn.commit()


@pytest.fixture
def awards(city: City) -> Iterator[Awards]:
    """The source, loaded well today; one veteran was delivered."""
    source = Awards(city)
    source.load(TODAY, "passed")
    city.verdict(1, (A, A[:6]), "not_met")
    city.deliver(ROSTER, VETERANS)
    yield source
    city.conn.rollback()
    city.conn.execute(
        "delete from ops.batch_gate where batch_id in"
        " (select batch_id from ops.load_run where source = 'clinic')"
    )
    for table in ("load_run", "resource", "model_source"):
        city.conn.execute(
            sql.SQL("delete from {} where source = 'clinic'").format(sql.Identifier("ops", table))
        )
    city.conn.commit()


def told(code: str = A) -> list[tuple[object, ...]]:
    """What a consumer reads of itself, as itself."""
    with connect(f"front:{code}") as conn:
        return conn.execute(
            sql.SQL(
                "select package, cause, title, department, state, reason, as_of, since, expected_by"
                " from {} order by package, cause"
            ).format(sql.Identifier(front_schema(code), "_notice"))
        ).fetchall()


def next_day(city: City) -> None:
    business_date.set(city.conn, TOMORROW)
    city.build(str(TOMORROW))


def test_a_held_source_leaves_last_good_rows_and_a_notice_until_it_is_good_again(awards: Awards) -> None:
    city = awards.city
    assert told() == []
    next_day(city)
    held = awards.load(TOMORROW, "held")
    city.put(7, A)
    result = city.deliver(ROSTER, VETERANS)
    assert (result.held, result.failed) == (0, 0)
    # What does not stand on the source is up to date; what does is as it was, and says so to each consumer.
    city.assert_delivered(ROSTER, VETERANS)
    notice = (*AWARDS, "来源批次被扣留", HELD, TODAY, TOMORROW, date(2026, 1, 17))
    assert [told(code) for code in TOWNSHIPS + DISTRICTS] == [[notice]] * 7
    assert city.notices(A)[-1] == (VETERANS, 1, None)
    # Again, with nothing new: told once.
    city.deliver(ROSTER, VETERANS)
    assert told() == [notice]
    awards.decide(held, "released")
    city.deliver(ROSTER, VETERANS)
    assert [told(code) for code in TOWNSHIPS + DISTRICTS] == [[]] * 7


def test_only_the_package_that_goes_out_is_told_anew(awards: Awards) -> None:
    next_day(awards.city)
    awards.load(TOMORROW, "held")
    awards.city.deliver(ROSTER)
    assert told() == []
    awards.city.deliver(VETERANS)
    assert len(told()) == 1
    awards.load(TOMORROW, "passed")
    awards.city.conn.execute("update ops.batch_gate set status = 'passed' where status = 'held'")
    awards.city.conn.commit()
    awards.city.deliver(ROSTER)
    assert len(told()) == 1
    awards.city.deliver(VETERANS)
    assert told() == []


@pytest.mark.parametrize(("status", "state"), [("failed", "来源采集失败"), (None, "来源迟到")])
def test_a_source_that_failed_or_is_late_is_told_of_without_the_causes_words(
    awards: Awards, status: str | None, state: str
) -> None:
    late_on = date(2026, 1, 17)
    if status:
        awards.load(TOMORROW, None, status)
    business_date.set(awards.city.conn, late_on)
    awards.city.build(str(late_on))
    awards.city.deliver(VETERANS)
    (notice,) = told()
    assert notice[:5] == (*AWARDS, state)
    assert notice[6:] == (TODAY, TOMORROW, date(2026, 1, 18))
    assert "张三" not in str(notice)


def test_a_package_below_its_floor_stays_and_its_consumers_are_told(awards: Awards) -> None:
    city = awards.city
    city.verdict(1, (A, A[:6]), "met")
    for day in (TOMORROW, date(2026, 1, 17)):
        business_date.set(city.conn, day)
        city.build(str(day))
        awards.load(day, "passed")
        city.score(0.4, "return.return_veteran_subsidy")
        assert city.deliver(ROSTER, VETERANS).held == 7
    assert city.held(A, VETERANS)[0][8] == "not_met"
    below = ("暂缓交付", "质量未达标，沿用上次数据", TODAY, TOMORROW, None)
    assert told() == [(VETERANS, "delivery", "农村籍退役士兵生活补助核验", None, *below)]
    city.score(1, "return.return_veteran_subsidy")
    assert city.deliver(ROSTER, VETERANS).held == 0
    city.assert_delivered(ROSTER, VETERANS)
    assert told() == []


FAILED = ("交付失败", "本数据包未能送达，正在处理，沿用上次数据", TODAY, TOMORROW, None)


def test_a_package_that_cannot_be_written_is_told_of_beside_those_that_were(awards: Awards) -> None:
    city, titles = awards.city, {name: it.title for name, it in load_packages().items()}
    next_day(city)
    with connect("front_writer:370602") as conn:
        conn.execute("alter table t370602001.veteran_subsidy add column phone text")
        conn.execute("create view t370602001.mine as select phone from t370602001.veteran_subsidy")
    held = awards.load(TOMORROW, "held")
    with pytest.raises(ReturnError, match="DependentObjectsStillExist"):
        city.deliver(ROSTER, VETERANS)
    source, own = told()
    assert source[1:5] == (*AWARDS[1:], "来源批次被扣留")
    assert own == (VETERANS, "delivery", titles[VETERANS], None, *FAILED)
    assert [it[1] for it in told(B)] == ["clinic.award"]
    awards.decide(held, "released")
    with connect("front_writer:370602") as conn:
        conn.execute("drop view t370602001.mine")
    city.deliver(VETERANS)
    assert told() == []


def test_what_a_database_did_not_get_is_told_there_once_it_is_reached_again(
    awards: Awards, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = awards.city
    next_day(city)
    monkeypatch.setenv("HUILIU_DSN_FRONT_WRITER__370602", "postgresql://a:b@127.0.0.1:1/front_370602")
    with pytest.raises(ReturnError, match="front_writer:370602"):
        city.deliver(ROSTER, VETERANS)
    monkeypatch.delenv("HUILIU_DSN_FRONT_WRITER__370602")
    assert told() == []
    later = date(2026, 1, 17)
    business_date.set(city.conn, later)
    city.build(str(later))
    awards.load(later, "passed")
    city.deliver(VETERANS)
    title = load_packages()[ROSTER].title
    assert [told(code) for code in (A, B)] == [[(ROSTER, "delivery", title, None, *FAILED)]] * 2
    assert [told(code) for code in (C, D, A[:6])] == [[]] * 3
    city.deliver(ROSTER)
    assert [told(code) for code in (A, B)] == [[], []]


def test_a_consumer_served_before_there_were_notices_gets_its_table(awards: Awards) -> None:
    with connect("front_writer:370602") as conn:
        conn.execute("drop table t370602001._notice")
    awards.city.deliver(VETERANS)
    assert told() == []
