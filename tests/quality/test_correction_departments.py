"""Departments that change: their names, their logins, whose a rule is; and errors that say what to do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from own_warehouse import TODAY
from psycopg import sql
from toy_source import ToySource, person

from huiliu import departments
from huiliu.database import connect
from huiliu.settings import get_settings
from soda_checks.contract import Contract
from soda_checks.corrections import lists as correction_lists
from soda_checks.corrections.files import file_name, write_files
from soda_checks.corrections.lists import raise_failures, send_lists
from soda_checks.score import score

POLICE = "市公安局"
SCHOOLS = "市教育局"


@pytest.fixture
def listed(toy: ToySource) -> Iterator[ToySource]:
    """A correction of the police and one of the schools."""
    _add(toy, POLICE)
    _add(toy, SCHOOLS)
    yield toy
    with connect("front_writer:3706", autocommit=True) as conn:
        conn.execute("drop table if exists corrections.correction_list")


def _add(toy: ToySource, department: str) -> None:
    toy.connection.execute(
        "insert into quality.correction (department, source, table_name, row_key, rule_id, opened_on, due_at)"
        " values (%s, 'toy', 'staging.stg_toy__person', %s, 'C01', '2026-01-15', '2026-01-29')",
        [department, department],
    )


def _seen_by(department: str) -> set[str]:
    with connect(departments.connection_name("3706", departments.load()[department])) as conn:
        return {name for (name,) in conn.execute("select department from correction_list").fetchall()}


def test_a_login_that_becomes_another_departments_shows_no_more_of_the_former(
    listed: ToySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_failures(send_lists())
    known = departments.load()
    swapped = known | {POLICE: known[SCHOOLS], SCHOOLS: known[POLICE]}
    monkeypatch.setattr(departments, "load", lambda: swapped)
    raise_failures(send_lists())
    assert (_seen_by(POLICE), _seen_by(SCHOOLS)) == ({POLICE}, {SCHOOLS})


def test_a_policy_of_someone_else_for_a_login_is_taken_away(listed: ToySource) -> None:
    raise_failures(send_lists())
    with connect("front_writer:3706", autocommit=True) as conn:
        role = "select roles[1] from pg_policies where policyname = %s"
        (reader,) = conn.execute(role, [departments.load()[POLICE]]).fetchone() or ("",)
        conn.execute(
            sql.SQL(
                "create policy former on corrections.correction_list for select to {} using (true)"
            ).format(sql.Identifier(reader))
        )
    assert _seen_by(POLICE) == {POLICE, SCHOOLS}
    raise_failures(send_lists())
    assert _seen_by(POLICE) == {POLICE}


def test_a_department_that_is_no_more_fails_no_sending_once_it_has_nothing_open(
    listed: ToySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_failures(send_lists())
    known = {name: code for name, code in departments.load().items() if name != SCHOOLS}
    monkeypatch.setattr(departments, "load", lambda: known)
    assert [it.department for it in send_lists() if it.error] == [SCHOOLS]
    listed.connection.execute(
        "update quality.correction set closed_at = now(), closed_on = %s, closed_as = 'withdrawn'"
        " where department = %s",
        [TODAY, SCHOOLS],
    )
    raise_failures(send_lists())
    with connect("front_writer:3706") as conn:
        left = conn.execute("select distinct department from corrections.correction_list").fetchall()
    assert left == [(POLICE,)]


def test_corrections_follow_a_rule_to_its_new_department(toy: ToySource) -> None:
    toy.connection.execute("create table base.toy_person (pid text)")
    toy.connection.execute("grant select on base.toy_person to huiliu_score")
    toy.land([person(1, pid=None)])
    toy.merge()
    score(toy.contracts)
    score({toy.contract.table_name: _of(SCHOOLS, toy.contract)})
    assert toy.connection.execute(
        "select distinct department, opened_on, due_at::text, reopened_from from quality.correction"
    ).fetchall() == [(SCHOOLS, TODAY, "2026-01-29", None)]


def _of(department: str, contract: Contract) -> Contract:
    named = contract.model_dump_json().replace(POLICE, department)
    return Contract.model_validate_json(named)


def test_a_name_of_any_kind_stays_within_the_outbox(home: Path) -> None:
    outbox = get_settings().home / "outbox" / "corrections"
    names = ["市公安局", "市场/监管局", "市场_监管局", "../../evil", "..", "长" * 90, "长" * 91, "a\0b"]
    paths = [write_files(name, TODAY, []) for name in names]
    assert len(set(paths)) == len(names)
    assert all(path.resolve().parent.parent == outbox.resolve() and path.is_file() for path in paths)
    assert paths[0] == outbox / "市公安局" / "纠错清单_市公安局_2026-01-15.xlsx"
    assert all(len(os.fsencode(file_name(name))) < 200 for name in names)


@pytest.mark.parametrize(
    ("error", "message", "fix"),
    [
        (OSError(28, "No space left on device", "/x/y.csv"), "/x/y.csv: No space left on device", "outbox"),
        (psycopg.errors.DiskFull("no space"), "broke off", "have room"),
        (psycopg.errors.UniqueViolation("Key (pid)=(3706) exists"), "UniqueViolation", "read its log"),
    ],
)
def test_what_keeps_a_list_from_being_sent_is_told_with_the_way_out(
    listed: ToySource, monkeypatch: pytest.MonkeyPatch, error: Exception, message: str, fix: str
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(correction_lists, "write_files", refuse)
    told = {it.department: it for it in send_lists()}[POLICE]
    cause, way_out = str(told.error).split(". Fix: ")
    assert message in cause
    assert fix in way_out
    assert "3706" not in cause
    assert told.may_pass == isinstance(error, psycopg.OperationalError)


def test_a_front_end_table_that_was_altered_by_hand_is_told_with_the_way_out(listed: ToySource) -> None:
    raise_failures(send_lists())
    with connect("front_writer:3706", autocommit=True) as conn:
        conn.execute("alter table corrections.correction_list rename column urged to hurried")
    told = send_lists()
    assert all('column "urged" does not exist' in str(it.error) for it in told)
    assert all("drop corrections.correction_list, then send again" in str(it.error) for it in told)


def test_a_workbook_that_finds_no_room_is_an_error_of_its_own_list(
    listed: ToySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("xlsxwriter.Workbook._store_workbook", refuse)
    assert ["No space left" in str(it.error) for it in send_lists()] == [True, True]


TWICE = (
    "insert into quality.escalation_level (level, title, workdays_overdue, valid_from)"
    " values (1, '再催办', 2, '2026-01-01')"
)


def test_two_rows_of_a_level_cannot_hold_on_one_day(toy: ToySource) -> None:
    with pytest.raises(psycopg.errors.ExclusionViolation, match="one_row_a_level_on_each_day"):
        toy.connection.execute(TWICE)
    with toy.connection.transaction(force_rollback=True):
        toy.connection.execute("update quality.escalation_level set valid_to = '2026-01-01' where level = 1")
        toy.connection.execute(TWICE)


def test_a_warehouse_that_has_two_rows_of_a_level_is_told_what_to_do(toy: ToySource) -> None:
    file = get_settings().project_root / "huiliu" / "warehouse" / "11_corrections.sql"
    with toy.connection.transaction(force_rollback=True):
        toy.connection.execute(
            "alter table quality.escalation_level drop constraint one_row_a_level_on_each_day"
        )
        toy.connection.execute(TWICE)
        with pytest.raises(psycopg.errors.ExclusionViolation, match="hold on the same day") as refused:
            toy.connection.execute(file.read_bytes())
    assert "valid_to" in str(refused.value.diag.message_hint)
