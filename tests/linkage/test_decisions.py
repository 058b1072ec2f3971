"""Who a record is found to be of, and that people's decisions hold but never make two numbered people one."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from psycopg.errors import InsufficientPrivilege

from huiliu.database import connect
from huiliu.errors import ConfigError, DataError
from linkage import review, run, workbook
from linkage.workbook import DIFFERENT, HEADER, SAME
from tests.linkage.toy_people import DAY, ToyPeople, key
from transformation import ledger

WANG = {
    "pid": "370602195603154518", "name": "王建国", "sex": "1", "birth_date": date(1956, 3, 15),
    "spouse_names": ["林淑珍"], "region_codes": ["370602001"],
}  # fmt: skip
LIN = {
    "pid": "370602195808202029", "name": "林淑珍", "sex": "2", "birth_date": date(1958, 8, 20),
    "spouse_names": ["王建国"], "region_codes": ["370602001"],
}  # fmt: skip
NAMESAKE = WANG | {"pid": "370602195611304514", "birth_date": date(1956, 11, 30), "spouse_names": []}
WEDDING = {
    "name": "王建国", "sex": "1", "birth_year": 1956, "relative_name": "林淑珍", "relative_kind": "妻",
    "event_on": date(1980, 5, 1),
}  # fmt: skip
BRIDE = {
    "name": "林淑珍", "sex": "2", "birth_year": 1958, "relative_name": "王建国", "relative_kind": "夫",
    "event_on": date(1980, 5, 1),
}  # fmt: skip
ONLY_YEAR = {"name": "王建国", "sex": "1", "birth_year": 1956, "region_code": "370602"}


def test_each_way_to_a_person_and_to_nobody(toy_people: ToyPeople) -> None:
    toy_people.person("wang", **WANG)
    toy_people.person("lin", **LIN)
    toy_people.person("namesake", **NAMESAKE)
    toy_people.person("dead", **WANG | {"pid": "370602195603154534", "died_on": date(1970, 1, 1)})
    toy_people.record("groom", **WEDDING)
    toy_people.record("bride", **BRIDE)
    toy_people.record("misread number", name="王建国", pid_claimed="370602195611304574", sex="1")
    toy_people.record("two namesakes", **ONLY_YEAR)
    toy_people.record("other sex", name="王建国", pid_claimed="370602195611304574", sex="2")
    toy_people.record("stranger", name="欧阳青", sex="2", birth_date=date(1931, 1, 1))
    result = toy_people.link()
    assert toy_people.match("groom") == (key("wang"), "linked", "model")
    assert toy_people.match("bride") == (key("lin"), "linked", "model")
    assert toy_people.match("misread number") == (key("namesake"), "linked", "repaired")
    assert toy_people.match("two namesakes") == (key("two namesakes"), "review", None)
    assert toy_people.match("other sex")[2] is None
    assert toy_people.match("stranger") == (key("stranger"), "alone", None)
    assert (result.records, result.linked) == (6, 3)
    assert result.changed == 6


def test_a_claimed_number_that_is_known_repairs_a_name_of_one_other_character(toy_people: ToyPeople) -> None:
    toy_people.person("lin", **LIN)
    known, old = LIN["pid"], "370602580820202"
    claims = {
        "same": {"name": "林淑珍", "pid_claimed": known},
        "one character": {"name": "林椒珍", "pid_claimed": known},
        "fifteen digits": {"name": "林椒珍", "pid_claimed": old},
        "fifteen digits, one misread": {"name": "林淑珍", "pid_claimed": "370602580820502"},
        "two characters": {"name": "陈淑芳", "pid_claimed": known},
        "misread and misspelt": {"name": "林椒珍", "pid_claimed": "370602195808202929"},
        "other sex": {"name": "林淑珍", "pid_claimed": known, "sex": "1"},
        "other birth": {"name": "林淑珍", "pid_claimed": known, "birth_date": date(1931, 1, 1)},
    }
    for called, values in claims.items():
        toy_people.record(called, **values)
    toy_people.link()
    repaired = {called for called in claims if toy_people.match(called)[2] == "repaired"}
    assert repaired == {"same", "one character", "fifteen digits", "fifteen digits, one misread"}


def test_records_of_nobody_cluster_but_not_across_what_contradicts(toy_people: ToyPeople) -> None:
    couple = {"relative_name": "欧阳山", "relative_kind": "夫", "sex": "2", "birth_date": date(1931, 1, 1)}
    toy_people.record("wedding", name="诸葛青", event_on=date(1957, 2, 1), **couple)
    toy_people.record("divorce", name="诸葛青", event_on=date(1961, 2, 1), **couple)
    toy_people.record(
        "twenty years on",
        name="诸葛青",
        event_on=date(1980, 2, 1),
        **couple | {"birth_date": date(1951, 1, 1)},
    )
    toy_people.link()
    together = min(key("wedding"), key("divorce"))
    assert toy_people.match("wedding") == (together, "alone", "cluster")
    assert toy_people.match("divorce") == (together, "alone", "cluster")
    assert toy_people.match("twenty years on") == (key("twenty years on"), "alone", None)


def test_two_parties_of_one_record_are_never_one_person(toy_people: ToyPeople) -> None:
    toy_people.person("wang", **WANG | {"spouse_names": []})
    # Both parties look like him: their names differ by a look-alike, their births not at all.
    page = {"birth_date": date(1956, 3, 15), "relative_kind": "配偶", "event_on": date(1980, 5, 1)}
    toy_people.record("groom", name="王建国", relative_name="王健国", **page)
    toy_people.record("bride", name="王健国", relative_name="王建国", **page)
    toy_people.link()
    assert toy_people.match("groom") == (key("wang"), "linked", "model")
    assert toy_people.match("bride") == (key("bride"), "review", None)


def test_one_party_of_two_copies_of_a_page_is_no_two_parties(toy_people: ToyPeople) -> None:
    toy_people.person("wang", **WANG)
    page = {"birth_date": date(1956, 3, 15), "name": "王建国", "relative_name": "林淑珍"}
    toy_people.record("with sex", sex="1", **page)
    toy_people.record("without", **page)
    toy_people.link()
    assert toy_people.match("with sex") == (key("wang"), "linked", "model")
    assert toy_people.match("without") == (key("wang"), "linked", "model")


def test_people_decide_in_a_workbook(toy_people: ToyPeople, tmp_path: Path) -> None:
    toy_people.person("wang", **WANG)
    toy_people.person("namesake", **NAMESAKE)
    toy_people.record("two namesakes", **ONLY_YEAR)
    toy_people.link()
    file = tmp_path / "待裁决.xlsx"
    assert review.export(toy_people.conn, file) == 2
    book = openpyxl.load_workbook(file)
    rows = [[cell.value for cell in row] for row in book.active.iter_rows()]
    assert WANG["pid"] not in {value for row in rows for value in row}
    assert {row[HEADER.index("候选证件号")] for row in rows[1:]} == {"370602************"}
    _decide(file, {key("wang"): DIFFERENT, key("namesake"): SAME})
    assert toy_people.read(file) == 2
    toy_people.link()
    assert toy_people.match("two namesakes") == (key("namesake"), "linked", "decided")
    trace = toy_people.conn.execute(
        "select identifier_key::text, new_person_key::text, reason from linkage.key_change"
    )
    assert trace.fetchall() == [(key("two namesakes"), key("namesake"), "merged")]
    assert review.export(toy_people.conn, tmp_path / "again.xlsx") == 0


def test_a_decision_that_merges_two_numbered_people_is_refused(toy_people: ToyPeople, tmp_path: Path) -> None:
    toy_people.person("wang", **WANG)
    toy_people.person("namesake", **NAMESAKE)
    toy_people.record("two namesakes", **ONLY_YEAR)
    toy_people.link()
    file = tmp_path / "review.xlsx"
    review.export(toy_people.conn, file)
    _decide(file, {key("wang"): SAME, key("namesake"): SAME})
    with pytest.raises(DataError, match="row 3: would make two people with valid, different numbers one"):
        toy_people.read(file)
    assert toy_people.conn.execute("select count(*) from linkage.decision").fetchone() == (0,)


def test_a_decision_through_records_merges_nobody_either(toy_people: ToyPeople, tmp_path: Path) -> None:
    toy_people.person("wang", **WANG)
    toy_people.person("namesake", **NAMESAKE)
    toy_people.record("groom", **WEDDING)
    toy_people.record("misread number", name="王建国", pid_claimed="370602195611304574", sex="1")
    toy_people.link()
    file = tmp_path / "review.xlsx"
    review.export(toy_people.conn, file)
    _append(file, key("groom"), key("misread number"), SAME)
    with pytest.raises(DataError, match="two people with valid, different numbers"):
        toy_people.read(file)


def test_what_is_wrong_in_a_workbook_is_named_by_row(toy_people: ToyPeople, tmp_path: Path) -> None:
    toy_people.person("wang", **WANG)
    toy_people.person("lin", **LIN)
    toy_people.link()
    file = tmp_path / "review.xlsx"
    review.export(toy_people.conn, file)
    _append(file, key("wang"), key("lin"), SAME)
    _append(file, key("nobody"), key("lin"), SAME)
    _append(file, "x", key("lin"), "maybe")
    with pytest.raises(DataError) as caught:
        toy_people.read(file)
    for said in ("row 2: both have a valid number", "row 3: 记录键 is no record", "row 4: 裁决 must be"):
        assert said in caught.value.message


def test_thresholds_hold_on_their_dates_and_ask_for_no_forgotten_pairs(toy_people: ToyPeople) -> None:
    toy_people.person("wang", **WANG)
    toy_people.record("groom", **WEDDING)
    toy_people.link()
    with connect("warehouse", autocommit=True) as owner:
        owner.execute("update linkage.threshold set valid_to = '2026-01-18'")
        owner.execute(
            "insert into linkage.threshold values ('2026-01-18', '2026-01-19', 60, -2, 3, 70, 'strict')"
        )
        owner.execute("insert into linkage.threshold values ('2026-01-19', null, 6, -9, 3, 12, 'too wide')")
    toy_people.link(build=3)
    assert toy_people.match("groom") == (key("groom"), "review", None)
    reasons = toy_people.conn.execute("select reason from linkage.key_change").fetchall()
    assert reasons == [("split",)]
    with pytest.raises(ConfigError, match="asks for pairs that are not kept"):
        toy_people.link()


def test_what_people_decided_and_a_threshold_that_begins_ask_for_a_build(toy_people: ToyPeople) -> None:
    toy_people.person("wang", **WANG)
    toy_people.record("groom", **WEDDING)
    toy_people.link()
    conn, today = toy_people.conn, DAY + timedelta(days=toy_people.build)
    conn.execute(
        "insert into ops.build (as_of, full_refresh, status, fingerprint)"
        " values (%s, false, 'succeeded', 'of models')",
        [today],
    )
    assert ledger.standing(conn, "of models", today).is_up_to_date
    toy_people.decide("groom", "wang", "different")
    assert not ledger.standing(conn, "of models", today).is_up_to_date
    run.link(conn, toy_people.build, today)
    assert ledger.standing(conn, "of models", today).is_up_to_date
    assert toy_people.match("groom") == (key("groom"), "alone", None)
    with connect("warehouse", autocommit=True) as owner:
        owner.execute("update linkage.threshold set margin = margin + 1")
    assert not ledger.standing(conn, "of models", today).is_up_to_date
    run.link(conn, toy_people.build, today)
    assert ledger.standing(conn, "of models", today).is_up_to_date


def test_whom_people_named_outweighs_what_was_found(toy_people: ToyPeople) -> None:
    toy_people.person("wang", **WANG | {"spouse_names": []})
    page = {"birth_date": date(1956, 3, 15), "relative_kind": "配偶", "event_on": date(1980, 5, 1)}
    toy_people.record("groom", name="王建国", relative_name="王健国", **page)
    toy_people.record("bride", name="王健国", relative_name="王建国", **page)
    toy_people.record("record of the groom", **ONLY_YEAR)
    toy_people.decide("groom", "record of the groom", "same")
    toy_people.link()
    assert toy_people.match("groom") == (key("wang"), "linked", "decided")
    # People joined the groom to a record, but it was found who he is; of the bride they said it themselves.
    toy_people.decide("bride", "wang", "same")
    toy_people.link()
    assert toy_people.match("bride") == (key("wang"), "linked", "decided")
    assert toy_people.match("groom") == (key("groom"), "review", None)


def test_a_named_person_outweighs_one_found_for_another_record(toy_people: ToyPeople) -> None:
    toy_people.person("wang", **WANG)
    toy_people.person("namesake", **NAMESAKE)
    toy_people.record("groom", **WEDDING)
    toy_people.record("record of nobody", **ONLY_YEAR)
    toy_people.decide("groom", "record of nobody", "same")
    toy_people.decide("record of nobody", "namesake", "same")
    toy_people.link()
    assert {toy_people.match(it) for it in ("groom", "record of nobody")} == {
        (key("namesake"), "linked", "decided")
    }


def test_records_that_people_joined_may_differ_in_what_they_say(toy_people: ToyPeople) -> None:
    toy_people.record("wedding", name="诸葛青", sex="2", birth_date=date(1931, 1, 1))
    toy_people.record("record of a funeral", name="诸葛青", sex="1", birth_date=date(1913, 1, 1))
    toy_people.decide("wedding", "record of a funeral", "same")
    toy_people.link()
    together = min(key("wedding"), key("record of a funeral"))
    assert toy_people.match("wedding") == (together, "alone", "cluster")
    assert toy_people.match("record of a funeral") == (together, "alone", "cluster")


def test_decisions_that_contradict_each_other_are_asked_again(toy_people: ToyPeople, tmp_path: Path) -> None:
    toy_people.person("wang", **WANG)
    toy_people.record("groom", **WEDDING)
    toy_people.record("record of the groom", **ONLY_YEAR)
    toy_people.decide("groom", "wang", "same")
    toy_people.decide("groom", "record of the groom", "same")
    toy_people.decide("record of the groom", "wang", "different")
    toy_people.link()
    assert toy_people.match("groom") == (key("groom"), "review", None)
    file = tmp_path / "review.xlsx"
    assert review.export(toy_people.conn, file) == 3
    assert {row["提示"] for row in _rows(file)} == {"矛盾"}
    assert {row["原裁决"][:4].rstrip("（") for row in _rows(file)} == {"同一人", "不是同一"}
    _decide(file, {key("wang"): SAME, key("record of the groom"): SAME, key("groom"): SAME})
    assert toy_people.read(file) == 3
    toy_people.link()
    assert toy_people.match("record of the groom") == (key("wang"), "linked", "decided")
    assert review.export(toy_people.conn, file) == 0


@pytest.mark.parametrize("decision", [SAME, DIFFERENT])
def test_a_decision_about_other_values_is_asked_again(
    toy_people: ToyPeople, tmp_path: Path, decision: str
) -> None:
    toy_people.person("namesake", **NAMESAKE)
    toy_people.record("two namesakes", **ONLY_YEAR)
    toy_people.link()
    file = tmp_path / "review.xlsx"
    _append(file, key("two namesakes"), key("namesake"), decision)
    toy_people.read(file)
    toy_people.link()
    before = toy_people.match("two namesakes")
    # Where a person lives is not what a record was recognised by.
    toy_people.person("namesake", **NAMESAKE | {"region_codes": ["370602002"], "died_on": date(2026, 1, 1)})
    toy_people.link()
    assert toy_people.match("two namesakes") == before
    assert review.export(toy_people.conn, file) == 0
    toy_people.record("two namesakes", **ONLY_YEAR | {"relative_name": "林淑珍"})
    toy_people.link()
    status = "review" if decision == SAME else "alone"
    assert toy_people.match("two namesakes") == (key("two namesakes"), status, None)
    assert review.export(toy_people.conn, file) == 1
    assert [row["提示"] for row in _rows(file)] == ["内容已变"]
    _decide(file, {key("namesake"): decision})
    toy_people.read(file)
    toy_people.link()
    assert toy_people.match("two namesakes") == before
    assert review.export(toy_people.conn, file) == 0


def test_only_who_reads_the_workbook_back_may_write_decisions(toy_people: ToyPeople) -> None:
    with connect("warehouse:build") as build, pytest.raises(InsufficientPrivilege):
        build.execute("delete from linkage.decision")
    with connect("warehouse:build") as build, pytest.raises(InsufficientPrivilege):
        build.execute(_DECISION, [key("a"), key("b"), DAY])
    with connect("warehouse:decide") as decide, pytest.raises(InsufficientPrivilege):
        decide.execute("update linkage.threshold set accept = 0")
    with connect("warehouse:decide") as decide, pytest.raises(InsufficientPrivilege):
        decide.execute("update linkage.match set status = 'alone'")
    with connect("warehouse:decide") as decide:
        assert decide.execute(_DECISION, [key("a"), key("b"), DAY]).rowcount == 1


_DECISION = (
    "insert into linkage.decision (record_key, candidate_key, decision, decided_by, decided_on)"
    " values (%s, %s, 'same', '张三', %s)"
)


def _rows(file: Path) -> list[dict[str, Any]]:
    rows = openpyxl.load_workbook(file).active.iter_rows(min_row=2, values_only=True)
    return [dict(zip(HEADER, row, strict=True)) for row in rows]


def _decide(file: Path, decisions: dict[str, str]) -> None:
    book = openpyxl.load_workbook(file)
    sheet = book.active
    for row in sheet.iter_rows(min_row=2):
        row[HEADER.index("裁决")].value = decisions[row[HEADER.index("候选键")].value]
        row[HEADER.index("裁决人")].value = "张三"
    book.save(file)


def _append(file: Path, record: str, candidate: str, decision: str) -> None:
    if not file.exists():
        workbook.write(file, [])
    book = openpyxl.load_workbook(file)
    row = dict.fromkeys(HEADER) | {
        "记录键": record,
        "候选键": candidate,
        "裁决": decision,
        "裁决人": "张三",
    }
    book.active.append(list(row.values()))
    book.save(file)
