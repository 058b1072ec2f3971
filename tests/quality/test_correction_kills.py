"""`kill -9` between the steps of a correction, then the same command again: nothing shows of it.

The child stops in a trigger that waits for a lock of ours: each kill hits the very moment it is named for.
"""

from __future__ import annotations

import csv
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any, LiteralString

import openpyxl
import pytest
from psycopg import sql
from toy_source import ToySource, empty_toy, people, person

from huiliu import business_date
from huiliu.database import Connection, connect
from huiliu.settings import get_settings
from soda_checks.corrections import suppressions
from soda_checks.corrections.columns import COLUMNS
from soda_checks.corrections.lists import raise_failures, send_lists
from soda_checks.corrections.suppressions import Asked
from soda_checks.score import score

TABLE = "staging.stg_toy__person"
POLICE, SCHOOLS = "市公安局", "市教育局"
OVERDUE = date(2026, 1, 30)
LOCK = 20260130
PATIENCE = 120.0  # seconds

NUMBERS = {"correction_id", "batch_id", "reopened_from"}
"""Columns of a list that count what was tried, so they differ after a kill."""

Picture = dict[str, list[Any]]


@dataclass(frozen=True)
class Moment:
    """Where the child is to stop: a database, a schema of it, and the trigger that stops it there."""

    database: str
    schema: LiteralString
    trigger: LiteralString


def _warehouse(trigger: LiteralString) -> Moment:
    return Moment("warehouse", "quality", trigger)


def _front(trigger: LiteralString) -> Moment:
    return Moment("front_writer:3706", "corrections", trigger)


SCORING = {
    "old ones closed, new ones being opened": _warehouse(
        "trigger stop_here before insert on quality.correction for each row"
    ),
    "corrections opened and urged, no score yet": _warehouse(
        "trigger stop_here before insert on quality.score for each row"
    ),
    "all written, not committed": _warehouse(
        "trigger stop_here before update on quality.score_run for each row when (new.status = 'succeeded')"
    ),
}
SENDING = {
    "files written, front-end table being filled": _front(
        "trigger stop_here before insert or update on corrections.correction_list for each row"
    ),
    "front-end table filled, not committed": _front(
        "constraint trigger stop_here after insert or update on corrections.correction_list"
        " deferrable initially deferred for each row"
    ),
    "front-end table committed, no receipt yet": _warehouse(
        "trigger stop_here before update on quality.correction_delivery for each row"
        " when (new.sent_at is not null)"
    ),
    "receipt of one department written, the next begun": _warehouse(
        "trigger stop_here before insert on quality.correction_delivery for each row"
        f" when (new.department = '{SCHOOLS}')"
    ),
}


def _two_days(toy: ToySource) -> None:
    """A first day found and sent; on the second one row is mended, one overdue, one let off, one new."""
    shutil.rmtree(get_settings().home / "outbox", ignore_errors=True)
    toy.connection.execute(
        "create table base.toy_person (pid text); grant select on base.toy_person to huiliu_score"
    )
    toy.land([*people(4, 6), person(1, pid="3706 broken"), person(2, name="未知"), person(3, name=None)])
    _merge(toy)
    score(toy.contracts)
    toy.connection.execute(
        "insert into quality.correction (department, source, table_name, row_key, rule_id, opened_on, due_at)"
        " values (%s, 'toy', 'staging.stg_toy__other', 'x', 'C01', '2026-01-15', '2026-02-26')",
        [SCHOOLS],
    )
    raise_failures(send_lists())
    business_date.set(toy.connection, OVERDUE)
    let_off = Asked(TABLE, "C01", "name", None, "系统改造期间无法补录", "王工", date(2026, 3, 1))
    suppressions.suppress(let_off, toy.contracts)
    toy.land([person(1), person(9, pid=None)], op="U")
    _merge(toy)


def _merge(toy: ToySource) -> None:
    toy.merge()
    toy.connection.execute(
        "truncate base.toy_person; insert into base.toy_person select pid from staging.stg_toy__person"
    )


@pytest.fixture(scope="module")
def undisturbed(toy_warehouse: str) -> Iterator[Picture]:
    """How two days end when nobody is killed."""
    with empty_toy(toy_warehouse) as toy:
        _two_days(toy)
        score(toy.contracts)
        raise_failures(send_lists())
        picture = _picture(toy)
    # One mended (two rules), one let off, one urged, one new (two rules).
    assert [len(picture[it]) for it in ("corrections", "urged", "kept back")] == [7, 1, 1]
    assert len(picture["receipts"]) == 4
    yield picture
    shutil.rmtree(get_settings().home / "outbox")
    with connect("front_writer:3706", autocommit=True) as front:
        front.execute("drop table corrections.correction_list")


@pytest.mark.parametrize("moment", SCORING)
def test_a_scoring_killed_anywhere_and_run_again_ends_the_same(
    undisturbed: Picture, toy: ToySource, moment: str
) -> None:
    _two_days(toy)
    before = _picture(toy)
    _kill(lambda: score(toy.contracts), SCORING[moment])
    assert _picture(toy) == before
    score(toy.contracts)
    raise_failures(send_lists())
    assert _picture(toy) == undisturbed


@pytest.mark.parametrize("moment", SENDING)
def test_lists_killed_anywhere_and_sent_again_end_the_same(
    undisturbed: Picture, toy: ToySource, moment: str
) -> None:
    _two_days(toy)
    score(toy.contracts)
    _kill(send_lists, SENDING[moment])
    assert _picture(toy) != undisturbed
    # What one killed in the midst of a file leaves behind, too.
    (get_settings().home / "outbox" / "corrections" / POLICE / ".draft.xlsx").write_bytes(b"half a file")
    raise_failures(send_lists())
    assert _picture(toy) == undisturbed


def _kill(work: Callable[[], object], moment: Moment) -> None:
    """Let a child work until it stops at the moment, then kill it; what it held is free when this returns."""
    with connect("admin", autocommit=True) as admin, _stop_at(moment):
        sessions = _sessions(admin)
        child = get_context("fork").Process(target=work)
        child.start()
        try:
            _until(lambda: _waiting(admin) or not child.is_alive())
            stopped = _waiting(admin)
        finally:
            child.kill()
            child.join()
            for pid in _waiting(admin):
                admin.execute("select pg_terminate_backend(%s)", [pid])
            _until(lambda: _sessions(admin) <= sessions)
    assert stopped, "the child never came to the moment"
    assert child.exitcode == -signal.SIGKILL


@contextmanager
def _stop_at(moment: Moment) -> Iterator[None]:
    function = sql.Identifier(moment.schema, "stop_here")
    with connect(moment.database, autocommit=True) as keeper:
        keeper.execute("select pg_advisory_lock(%s)", [LOCK])
        keeper.execute(
            sql.SQL(
                "create function {function}() returns trigger language plpgsql as"
                " 'begin perform pg_advisory_xact_lock({lock}); return new; end';"
                "create {trigger} execute function {function}()"
            ).format(function=function, lock=sql.Literal(LOCK), trigger=sql.SQL(moment.trigger))
        )
        try:
            yield
        finally:
            keeper.execute(sql.SQL("drop function {} cascade").format(function))


def _waiting(admin: Connection) -> set[int]:
    query = "select pid from pg_locks where locktype = 'advisory' and objid = %s and not granted"
    return {int(pid) for (pid,) in admin.execute(query, [LOCK])}


def _sessions(admin: Connection) -> set[int]:
    query = "select pid from pg_stat_activity where backend_type = 'client backend'"
    return {int(pid) for (pid,) in admin.execute(query)}


def _until(is_so: Callable[[], object]) -> None:
    limit = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < limit, "waited too long"
        time.sleep(0.02)


def _picture(toy: ToySource) -> Picture:
    """What there is for operators and departments, without numbers that count what was tried."""
    taken: Picture = {name: toy.connection.execute(query).fetchall() for name, query in _LEDGERS.items()}
    kept = [column.name for column in COLUMNS if column.name not in NUMBERS]
    with connect("front_writer:3706") as front:
        taken["front end"] = front.execute(
            sql.SQL("select department, {} from corrections.correction_list order by {}").format(
                sql.SQL(", ").join(map(sql.Identifier, kept)),
                sql.SQL(", ").join(sql.Literal(place + 1) for place in range(len(kept))),
            )
        ).fetchall()
    folder = get_settings().home / "outbox" / "corrections"
    taken["files"] = [
        (str(path.relative_to(folder)), _rows(path)) for path in sorted(folder.rglob("*")) if path.is_file()
    ]
    return taken


def _rows(path: Path) -> list[list[Any]]:
    rows: list[Any]
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
    else:
        rows = list(openpyxl.load_workbook(path, read_only=True).worksheets[0].iter_rows(values_only=True))
    places = [place for place, column in enumerate(COLUMNS) if column.name not in NUMBERS]
    return [[row[place] for place in places] for row in rows]


_LEDGERS: dict[str, LiteralString] = {
    "corrections": """
        select row_key, rule_id, column_name, department, name, value, opened_on, due_at, closed_on,
            closed_as, closed_because, suppression_id is not null, reopened_from is not null,
            escalated_level, escalated_on, batch_id - (select min(batch_id) from ops.load_run)
        from quality.correction order by 1, 2, 3, 7
    """,
    "urged": """
        select correction.row_key, correction.rule_id, escalation.level, escalation.escalated_on
        from quality.escalation inner join quality.correction using (correction_id) order by 1, 2, 3
    """,
    "kept back": "select suppression_use.rows from quality.suppression_use",
    "scores": """
        select business_date, level, name, dimension, score from quality.score_trend
        where stage = 'score' order by 1, 2, 3, 4
    """,
    "results": """
        select score_run.business_date, rule_id, column_name, qualifier, tested, failed, outcome
        from quality.check_result inner join quality.score_run using (batch_id) order by 1, 2, 3, 4
    """,
    "receipts": """
        select department, business_date, rows, destination_rows, matches, file, sent_at is not null, error
        from quality.correction_delivery order by 1, 2
    """,
}
