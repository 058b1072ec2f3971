"""Correction lists: what a department gets, what it may see, and what happens when sending breaks off."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import pytest
from own_warehouse import TODAY
from toy_source import ToySource, people, person

from huiliu import business_date, departments
from huiliu.database import connect
from huiliu.errors import DataError, HuiliuError, TransientError
from huiliu.settings import get_settings
from soda_checks.contract import load_contracts
from soda_checks.corrections import lists as correction_lists
from soda_checks.corrections.columns import COLUMNS
from soda_checks.corrections.files import NOTHING
from soda_checks.corrections.lists import ListSent, raise_failures, send_lists
from soda_checks.corrections.overview import by_department
from soda_checks.score import score

POLICE = "市公安局"
SCHOOLS = "市教育局"


@pytest.fixture
def found(toy: ToySource) -> Iterator[ToySource]:
    """A scored toy with three corrections of the police, and one that another department got."""
    toy.connection.execute(
        """
        insert into ops.resource (
            resource_id, source, table_name, title, department, level, share_type, published, cadence,
            key_columns, source_title
        ) values (
            'toy.person', 'toy', 'person', '人员', '市公安局', 'city', '有条件共享', true, '-', '{person_id}',
            '人口管理系统'
        )
        on conflict (resource_id) do update
        set key_columns = excluded.key_columns, source_title = excluded.source_title;
        comment on column staging.stg_toy__person.person_id is '编号：number of the record｜分级：内部';
        comment on column staging.stg_toy__person.name is '姓名：name｜分级：敏感';
        create table base.toy_person as select pid from staging.stg_toy__person_typed;
        grant select on base.toy_person to huiliu_score
        """
    )
    toy.land([*people(3, 8), person(1, pid="3706 broken"), person(2, name="未知")])
    toy.merge()
    toy.connection.execute("insert into base.toy_person select pid from staging.stg_toy__person")
    score(toy.contracts)
    _add(toy, SCHOOLS)
    yield toy
    with connect("front_writer:3706", autocommit=True) as conn:
        conn.execute("drop table if exists corrections.correction_list")


def _add(toy: ToySource, department: str) -> None:
    toy.connection.execute(
        "insert into quality.correction (department, source, table_name, row_key, rule_id, opened_on, due_at)"
        " values (%s, 'toy', 'staging.stg_toy__other', %s, 'C01', '2026-01-15', '2026-01-29')",
        [department, department],
    )


def _seen_by(department: str) -> list[tuple[Any, ...]]:
    with connect(departments.connection_name("3706", departments.load()[department])) as conn:
        return conn.execute(
            "select department, problem from correction_list order by correction_id"
        ).fetchall()


def _file(department: str, kind: str) -> Path:
    (path,) = (get_settings().home / "outbox" / "corrections" / department).glob(f"*_{TODAY}.{kind}")
    return path


def _book(department: str) -> list[tuple[Any, ...]]:
    sheet = openpyxl.load_workbook(_file(department, "xlsx"), read_only=True).worksheets[0]
    return [
        tuple(cell.date() if isinstance(cell, datetime) else cell for cell in row)
        for row in sheet.iter_rows(values_only=True)
    ]


def _text(department: str) -> list[tuple[str, ...]]:
    with _file(department, "csv").open(encoding="utf-8-sig", newline="") as file:
        return [tuple(line) for line in csv.reader(file)]


def test_each_department_gets_its_file_and_sees_its_own_rows_only(found: ToySource) -> None:
    sent = {it.department: it for it in send_lists()}
    assert (sent[POLICE].rows, sent[POLICE].open, sent[POLICE].rows_upserted) == (3, 3, 3)
    assert sent[POLICE].error is None
    names = {(it.check.attributes.rule_id, it.column): it.check.name for it in found.contract.bound()}
    placeholder = names["C02", "name"]
    assert sorted(_seen_by(POLICE)) == sorted(
        (POLICE, it) for it in (placeholder, names["A01", "pid"], names["C01", ""])
    )
    assert len(_seen_by(SCHOOLS)) == 1
    heading, *rows = _book(POLICE)
    assert heading == tuple(column.heading for column in COLUMNS)
    by_problem = {row[6]: row for row in rows}
    # The source's own key, the dictionary's labels and a masked value.
    assert by_problem[placeholder][1:8] == (
        "人口管理系统", "人员", "编号 2", "姓名", "C02 " + _title(found, "C02"), placeholder, "未*",
    )  # fmt: skip
    assert by_problem[placeholder][9:12] == (date(2026, 1, 15), date(2026, 1, 29), "待更正")
    assert _text(POLICE) == [
        tuple("" if cell is None else str(cell) for cell in row) for row in (heading, *rows)
    ]
    sheet = openpyxl.load_workbook(_file(POLICE, "xlsx")).worksheets[0]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:O4")
    ledger = found.connection.execute(
        "select matches, rows, destination_rows from quality.correction_delivery where department = %s",
        [POLICE],
    ).fetchall()
    assert ledger == [(True, 3, 3)]


def _title(toy: ToySource, rule_id: str) -> str:
    (title,) = toy.connection.execute(
        "select title from quality.rule where rule_id = %s", [rule_id]
    ).fetchone() or ("",)
    return str(title)


def test_a_department_with_nothing_to_mend_is_told_so_and_one_that_was_not_tested_is_not(
    found: ToySource,
) -> None:
    found.connection.execute("truncate quality.correction cascade")
    found.land([person(1), person(2)], op="U")
    found.merge()
    found.connection.execute("insert into base.toy_person select pid from staging.stg_toy__person")
    score(found.contracts)
    (sent,) = send_lists()
    assert (sent.department, sent.rows, sent.error) == (POLICE, 0, None)
    assert _seen_by(POLICE) == []
    heading = tuple(column.heading for column in COLUMNS)
    assert _text(POLICE) == [heading, (NOTHING, *[""] * (len(COLUMNS) - 1))]
    assert _book(POLICE) == [heading, (NOTHING, *[None] * (len(COLUMNS) - 1))]
    ledger = "select matches, rows, destination_rows from quality.correction_delivery where department = %s"
    assert found.connection.execute(ledger, [POLICE]).fetchall() == [(True, 0, 0)]
    (told,) = by_department()
    assert (told["department"], told["open"], told["last_sent_on"]) == (POLICE, 0, TODAY)
    found.connection.execute("truncate staging.stg_toy__person")
    score(found.contracts)
    assert send_lists() == []


def test_operators_are_told_how_many_are_at_each_level_of_urging(found: ToySource) -> None:
    business_date.set(found.connection, date(2026, 1, 30))
    score(found.contracts)
    found.connection.execute("update quality.correction set escalated_level = 3 where rule_id = 'A01'")
    assert [it.urged for it in send_lists() if it.department == POLICE] == ["催办 2，报送市大数据局 1"]


@pytest.mark.parametrize(
    "attempt",
    [
        "delete from correction_list",
        "update correction_list set department = '市公安局'",
        "create table own (a int)",
    ],
)
def test_a_department_only_reads(found: ToySource, attempt: str) -> None:
    send_lists()
    with connect("department:3706:education") as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(attempt.encode())


def test_a_key_that_says_who_someone_is_is_not_told(found: ToySource) -> None:
    found.connection.execute("truncate quality.correction cascade")
    # Record numbers that look like ID numbers, and one of a column that the dictionary calls sensitive.
    numbers = "370602199001010019", "37060219901301001X", "３７０６０２１９９００１０１００１９"
    found.land([person(2, person_id=number, name="无") for number in numbers])
    found.merge()
    score(found.contracts)
    keys = found.connection.execute(
        "select distinct source_key from quality.correction order by 1"
    ).fetchall()
    assert keys == [("编号 1",), ("编号 2",), (None,)]
    found.connection.execute("truncate quality.correction cascade")
    found.connection.execute(
        "comment on column staging.stg_toy__person.person_id is '编号：number｜分级：敏感'"
    )
    score(found.contracts)
    assert found.connection.execute("select distinct source_key from quality.correction").fetchall() == [
        (None,)
    ]


def test_only_what_changed_is_written_and_what_was_touched_there_is_mended(found: ToySource) -> None:
    send_lists()
    again = {it.department: it for it in send_lists()}[POLICE]
    assert (again.rows_upserted, again.rows_deleted, again.error) == (0, 0, None)
    found.land([person(2)], op="U")
    found.merge()
    score(found.contracts)
    closed = {it.department: it for it in send_lists()}[POLICE]
    assert (closed.rows, closed.open, closed.rows_upserted) == (3, 2, 1)
    with connect("front_writer:3706", autocommit=True) as conn:
        conn.execute("delete from corrections.correction_list where status = '已更正'")
        conn.execute(
            "update corrections.correction_list set due_on = '2099-01-01' where department = %s", [POLICE]
        )
        conn.execute(
            "insert into corrections.correction_list (correction_id, department) values (999999999, %s)",
            [POLICE],
        )
    mended = {it.department: it for it in send_lists()}[POLICE]
    assert (mended.rows_upserted, mended.rows_deleted, mended.error) == (3, 1, None)


def test_a_department_that_cannot_be_served_stops_no_other(found: ToySource) -> None:
    _add(found, "无名局")
    sent = send_lists()
    assert [it.department for it in sent if it.error] == ["无名局"]
    with pytest.raises(
        DataError, match="1 of 3 correction lists were not sent:\n无名局: 无名局 has no login"
    ):
        raise_failures(sent)
    (error,) = found.connection.execute(
        "select error from quality.correction_delivery where department = '无名局'"
    ).fetchone() or ("",)
    assert "reference/departments.csv" in error
    assert len(_seen_by(POLICE)) == 3


def test_a_front_end_that_is_down_fails_all_tables_and_the_files_are_there(
    found: ToySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setenv("HUILIU_DSN_FRONT_WRITER__3706", "postgresql://nobody:nothing@127.0.0.1:1/front_3706")
        sent = send_lists()
    assert all(it.error and it.may_pass and it.file for it in sent)
    with pytest.raises(TransientError, match="2 of 2"):
        raise_failures(sent)
    assert len(_book(POLICE)) == 4


def test_a_receipt_that_does_not_match_is_a_failure(
    found: ToySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soda_checks.corrections.lists.Front.receipt", lambda *_: (1, "1"))
    assert all("the destination shows 1 rows" in str(it.error) for it in send_lists())
    assert found.connection.execute(
        "select distinct matches, error is null from quality.correction_delivery"
    ).fetchall() == [(False, False)]


def test_no_failure_raises_nothing_and_some_failures_are_not_all_passing() -> None:
    raise_failures([ListSent(POLICE)])
    with pytest.raises(HuiliuError) as raised:
        raise_failures([ListSent(POLICE, error="x", may_pass=True), ListSent(SCHOOLS, error="y")])
    assert not isinstance(raised.value, TransientError)


def test_every_department_with_contracts_has_a_login() -> None:
    assert {it.huiliu.department for it in load_contracts().values() if it.layer == "staging"} <= set(
        departments.load()
    )
    assert correction_lists.CLOSED_SHOWN_DAYS == 30
