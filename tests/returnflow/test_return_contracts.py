"""Contracts hold: floors, expiry, breakers, masks; and a township sees nothing but its own."""

from __future__ import annotations

import re
from datetime import date

import psycopg
import pytest
from psycopg import sql
from returnflow_city import ROSTER, TOWNSHIPS, A, B, City

from huiliu import business_date
from huiliu.connections import dsn
from huiliu.database import connect
from returnflow.run import ReturnError, deliver_database, plan_returns

# 17 digits and a check character, or the old 15, in half- or full-width characters.
ID_NUMBER = re.compile(r"[0-9０-９]{15}")


def test_below_the_floor_the_data_stay_and_the_consumer_is_told(city: City) -> None:
    city.fill(A, 1, 3)
    city.deliver()
    city.fill(A, 4, 3)
    city.score(0.5)
    result = city.deliver()
    assert (result.delivered, result.held, result.failed) == (0, 4, 0)
    assert len(city.held(A)) == 3
    assert city.notices(A) == [(ROSTER, 3, None), (ROSTER, None, "质量未达标，沿用上次数据")]
    error = city.rows("select distinct error from ops.delivery where status = 'held'")[0][0]
    assert "return.return_resident_roster scores 0.5000, below the floor 0.9" in str(error)
    city.score(0.95)
    assert city.deliver().rows_upserted == 3
    city.assert_delivered()


def test_a_package_never_scored_is_held(city: City) -> None:
    city.conn.execute("truncate quality.score, quality.score_run cascade")
    city.conn.commit()
    assert city.deliver().held == 4
    assert city.notices(A) == [(ROSTER, None, "质量未评分，沿用上次数据")]


def test_a_score_without_anything_tested_is_no_pass(city: City) -> None:
    city.conn.execute("update quality.score set score = null")
    city.conn.commit()
    assert city.deliver().held == 4


def test_a_gate_run_or_a_failed_scoring_does_not_count_as_score(city: City) -> None:
    city.score(0.2)
    city.conn.execute(
        "update quality.score_run set status = 'failed'"
        " where batch_id = (select max(batch_id) from quality.score_run)"
    )
    city.conn.commit()
    assert city.deliver().delivered == 4


def test_an_expired_contract_is_held(city: City) -> None:
    business_date.set(city.conn, date(2037, 1, 1))
    city.conn.commit()
    assert city.deliver().held == 4
    assert city.notices(B) == [(ROSTER, None, "数据合同已到期，沿用上次数据")]


def test_a_notice_that_could_not_be_written_is_written_by_the_retry(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    city.score(0.5)
    planned = plan_returns([ROSTER])
    monkeypatch.setenv("HUILIU_SECRET_FRONT_370602_WRITER", "wrong")
    with pytest.raises(ReturnError):
        deliver_database("370602", planned.batch_id)
    monkeypatch.delenv("HUILIU_SECRET_FRONT_370602_WRITER")
    assert deliver_database("370602", planned.batch_id).held == 2
    assert deliver_database("370602", planned.batch_id).held == 0
    assert city.notices(A) == [(ROSTER, None, "质量未达标，沿用上次数据")]


def test_few_rows_may_all_vanish_but_not_many(city: City) -> None:
    city.fill(A, 1, 20)
    city.fill(B, 101, 21)
    city.deliver()
    city.conn.execute('delete from "return".return_resident_roster')
    city.conn.commit()
    result = city.deliver()
    assert (result.delivered, result.held) == (3, 1)
    assert (len(city.held(A)), len(city.held(B))) == (0, 21)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("pid_masked", "11010519491231002X"),
        ("pid_masked", "110105491231002"),
        ("pid_masked", "１１０１０５１９４９１２３１００２Ｘ"),
        ("pid_masked", "1101051949123100**"),
        ("name", "王小明11010519491231002X"),
        ("household_no", "１１０１０５４９１２３１００２"),
    ],
)
def test_a_plain_id_number_never_leaves(city: City, column: str, value: str) -> None:
    city.fill(B, 50, 2)
    city.put(1, A)
    city.conn.execute(
        sql.SQL('update "return".return_resident_roster set {} = %s where consumer_code = %s').format(
            sql.Identifier(column)
        ),
        [value, A],
    )
    city.conn.commit()
    with pytest.raises(ReturnError, match=r"370602001 .*1 rows hold an ID number in plain") as raised:
        city.deliver()
    assert value not in str(raised.value)
    assert len(city.held(B)) == 2
    with connect(f"front:{A}") as conn:
        assert conn.execute("select to_regclass('t370602001.resident_roster')").fetchone() == (None,)


def test_no_id_number_is_anywhere_in_the_rosters(city: City) -> None:
    for number, township in enumerate(TOWNSHIPS):
        city.fill(township, number * 10, 3)
    city.deliver()
    for township in TOWNSHIPS:
        with connect(f"front:{township}") as conn:
            text = conn.execute(
                "select string_agg(roster::text, ' ') from resident_roster as roster"
            ).fetchone()
        assert text is not None
        assert not ID_NUMBER.search(re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "", str(text[0])))


@pytest.mark.parametrize(
    "attempt",
    [
        "select * from t370602002.resident_roster",
        "select * from t370602002._delivery",
        "select * from d370602.veteran_subsidy",
        "insert into t370602001.resident_roster (person_key) values (gen_random_uuid())",
        "update t370602001.resident_roster set name = ''",
        "delete from t370602001.resident_roster",
        "truncate t370602001._delivery",
        "create table t370602001.mine (n int)",
        "create table public.mine (n int)",
        "drop table t370602001.resident_roster",
        "set role front_370602_writer",
    ],
)
def test_a_township_role_reaches_nothing_but_its_own(city: City, attempt: str) -> None:
    city.fill(A, 1, 3)
    city.fill(B, 11, 3)
    city.deliver(ROSTER, "veteran_subsidy")
    with connect(f"front:{A}") as conn:
        assert conn.execute("select count(*) from t370602001.resident_roster").fetchone() == (3,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(attempt)  # type: ignore[call-overload]  # SQL put together in this test


@pytest.mark.parametrize(
    "database", ["front_370611", "front_3706", "warehouse", "airflow", "source_police", "postgres"]
)
def test_a_township_role_enters_no_other_database(city: City, database: str) -> None:
    city.deliver()
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(dsn(f"front:{A}"), dbname=database)
