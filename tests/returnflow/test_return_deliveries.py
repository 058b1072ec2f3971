"""What consumers get: differences only, zero rows included, each with the destination's own receipt."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal

import pytest
from returnflow_city import DISTRICTS, ROSTER, TOWNSHIPS, A, B, C, City, clear_destinations, key_of

from huiliu.database import connect
from huiliu.settings import forget_settings
from returnflow.consumers import all_consumers
from returnflow.run import ReturnError, deliver_database, plan_returns

ALL = (ROSTER, "veteran_subsidy", "service_report")


def test_every_due_delivery_has_a_matching_receipt_zero_rows_included(city: City) -> None:
    city.fill(A, 1, 30)
    city.put(100, B)
    city.verdict(1, (A, "370602"))
    result = city.deliver(*ALL)
    assert (result.delivered, result.held, result.failed) == (len(TOWNSHIPS) * 3 + len(DISTRICTS) * 2, 0, 0)
    assert (result.rows_upserted, result.rows_deleted) == (33, 0)
    city.assert_delivered(*ALL)
    assert city.held(C) == []
    empty = city.rows(
        "select status, rows_total, matches from ops.delivery join ops.receipt using (delivery_id)"
        " where package = %s and consumer_code = %s",
        ROSTER,
        C,
    )
    assert empty == [("delivered", 0, True)]
    assert city.notices(C) == [(ROSTER, 0, None), ("service_report", 0, None), ("veteran_subsidy", 0, None)]


def test_a_next_day_sends_differences_only(city: City) -> None:
    city.fill(A, 1, 50)
    city.deliver()
    city.put(1, A, name="王大明")
    city.put(51, A)
    city.take(2)
    result = city.deliver()
    assert (result.delivered, result.rows_upserted, result.rows_deleted) == (4, 2, 1)
    city.assert_delivered()
    again = city.deliver()
    assert (again.delivered, again.rows_upserted, again.rows_deleted) == (4, 0, 0)
    assert city.rows("select count(*) from ops.planned_change") == [(0,)]


def test_null_and_empty_text_and_neighbouring_columns_are_told_apart(city: City) -> None:
    city.put(1, A, name="王")
    city.deliver()
    model = 'update "return".return_resident_roster set '
    for change in (
        "village_code = ''",
        "village_code = null, village_name = ''",
        "village_code = '王', name = null",
    ):
        city.conn.execute(model + change)  # type: ignore[arg-type]  # SQL put together in this test
        city.conn.commit()
        assert city.deliver().rows_upserted == 1
        city.assert_delivered()


def test_the_checksum_is_what_the_page_says_it_is(city: City) -> None:
    """Computed once more here, from docs/return_flow.md and not from the code."""
    city.fill(A, 1, 3)
    city.put(4, A, name="欧阳")
    city.conn.execute(
        'insert into "return".return_service_report values'
        " (%s, '2026-01', 'quality_score', 'overall', null, 2.50, 0.5, null, null)",
        [A],
    )
    city.deliver(ROSTER, "service_report")
    for package in (ROSTER, "service_report"):
        total = 0
        for row in city.held(A, package):
            fields = [
                "-" if value is None else f"{len(_plain(value).encode())}:{_plain(value)}" for value in row
            ]
            total += int(hashlib.md5("".join(fields).encode(), usedforsecurity=False).hexdigest()[:15], 16)
        checksums = city.rows(
            "select checksum, destination_checksum from ops.delivery join ops.receipt using (delivery_id)"
            " where package = %s and consumer_code = %s",
            package,
            A,
        )
        assert checksums == [(str(total), str(total))]


def _plain(value: object) -> str:
    return (
        value.isoformat()
        if isinstance(value, date)
        else str(value)
        if not isinstance(value, Decimal)
        else f"{value:f}"
    )


def test_tables_carry_their_labels_and_key(city: City) -> None:
    city.deliver()
    with connect(f"front:{A}") as conn:
        table = conn.execute("select obj_description('t370602001.resident_roster'::regclass)").fetchone()
        labels = conn.execute(
            "select attname, col_description(attrelid, attnum) from pg_attribute"
            " where attrelid = 't370602001.resident_roster'::regclass and attnum > 0 order by attnum"
        ).fetchall()
    assert table == ("常住人口名册",)
    assert ("name", "姓名") in labels
    assert all(label for _, label in labels)


def test_a_column_taken_out_of_the_contract_vanishes_with_its_values_and_a_new_one_comes(city: City) -> None:
    city.fill(A, 1, 5)
    city.deliver()
    with connect("front_writer:370602") as conn:
        conn.execute("alter table t370602001.resident_roster add column phone text default '13800000000'")
        conn.execute("alter table t370602001.resident_roster drop column relation")
        conn.execute("alter table t370602002.resident_roster alter column sex type varchar(4)")
    city.deliver()
    city.assert_delivered()
    with connect("front_writer:370602") as conn:
        columns = conn.execute(
            "select column_name from information_schema.columns where table_schema = 't370602001'"
            " and table_name = 'resident_roster'"
        ).fetchall()
    assert ("phone",) not in columns
    assert ("relation",) in columns


def test_only_the_named_consumers_and_packages_are_served(city: City) -> None:
    city.fill(A, 1, 3)
    result = city.deliver("veteran_subsidy", consumers=[A])
    assert (result.delivered, result.failed) == (1, 0)
    assert city.rows("select package, consumer_code from ops.delivery") == [("veteran_subsidy", A)]


def test_what_a_township_deletes_for_itself_fails_the_receipt_and_is_repaired_the_next_time(
    city: City,
) -> None:
    city.fill(A, 1, 10)
    city.deliver()
    with connect("front_writer:370602") as conn:
        conn.execute("delete from t370602001.resident_roster where person_key = %s", [key_of(3)])
        conn.execute("update t370602001.resident_roster set name = '某某' where person_key = %s", [key_of(4)])
    with pytest.raises(ReturnError, match=r"370602001 芝罘区 .*9 rows with checksum .*expected 10 with"):
        city.deliver()
    assert city.rows("select matches from ops.receipt order by delivery_id desc limit 4").count((False,)) == 1
    assert city.deliver().rows_upserted == 2
    city.assert_delivered()


def test_a_build_that_ends_between_plan_and_delivery_mixes_nothing_up(city: City) -> None:
    city.fill(A, 1, 3)
    city.put(9, B)
    city.deliver()
    city.put(1, A, name="计划前")
    city.put(2, B)
    planned = plan_returns([ROSTER])
    city.put(1, A, name="计划后")
    city.put(2, C)
    city.put(3, B)
    for front in planned.front_codes:
        deliver_database(front, planned.batch_id)
    assert city.persons(A) == {key_of(1), key_of(3)}
    assert city.persons(B) == {key_of(9)}
    city.deliver()
    city.assert_delivered()
    assert city.moves() == [
        (A, B, True, False, "superseded"),
        (A, C, True, True, "moved"),
        (A, B, True, True, "moved"),
    ]


def test_all_consumers_of_the_city_are_served(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real city: 13 front-end databases, 159 townships and 13 districts."""
    monkeypatch.delenv("HUILIU_REGIONS")
    forget_settings()
    codes = tuple(code for code in all_consumers() if len(code) > 4)
    assert len(codes) == 172
    clear_destinations(codes)
    for number, code in enumerate(codes):
        if len(code) == 9:
            city.fill(code, number * 10, number % 7)
    result = city.deliver(*ALL)
    assert (result.delivered, result.held, result.failed) == (159 + 172 + 172, 0, 0)
    receipts = city.rows(
        "select count(*), count(*) filter (where matches), sum(destination_rows) from ops.receipt"
    )
    assert receipts == [(503, 503, result.rows_upserted)]
    assert all(city.held(code) == city.meant(code) for code in codes if len(code) == 9)
    clear_destinations(codes)
