"""A consumer's failure is its own, says what to do, and leaves no trace once it is repaired."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from returnflow_city import ROSTER, A, B, C, City, key_of

from huiliu.connections import dsn
from huiliu.database import advisory_lock, connect
from huiliu.errors import TransientError
from huiliu.provision import provision
from huiliu.settings import forget_settings
from returnflow.run import PassingReturnError, ReturnError, deliver_all, deliver_database, plan_returns

ALL = (ROSTER, "veteran_subsidy")


@pytest.fixture
def changing(city: City) -> City:
    """A city served once that changed since: a new row, a changed one, a vanished one and a mover."""
    for number, township in enumerate((A, B, C)):
        city.fill(township, number * 100 + 1, 8)
        city.verdict(number * 100 + 1, (township, township[:6]))
    city.deliver(*ALL)
    city.put(1, A, name="改名")
    city.put(50, A)
    city.take(2)
    city.put(3, C)
    return city


def failed_consumers(city: City) -> set[object]:
    rows = city.rows(
        "select distinct consumer_code from ops.delivery where status <> 'delivered'"
        " and batch_id = (select max(batch_id) from ops.delivery)"
    )
    return {row[0] for row in rows}


def admin(code: str) -> psycopg.Connection:
    return psycopg.connect(dsn("admin"), dbname=f"front_{code}", autocommit=True)


def test_a_wrong_password_fails_the_consumers_of_that_database_alone(
    changing: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUILIU_SECRET_FRONT_370602_WRITER", "wrong")
    with pytest.raises(
        ReturnError, match=r"front_writer:370602.* was refused.*HUILIU_SECRET_FRONT_370602_WRITER"
    ):
        changing.deliver(*ALL)
    assert failed_consumers(changing) == {A, B, "370602"}
    assert key_of(3) in changing.persons(C)
    monkeypatch.delenv("HUILIU_SECRET_FRONT_370602_WRITER")
    changing.deliver(*ALL)
    changing.assert_delivered(*ALL)
    assert changing.moves()[-1] == (A, C, True, True, "moved")


def test_an_unreachable_database_is_worth_a_retry(changing: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUILIU_DSN_FRONT_WRITER__370611", "postgresql://a:b@127.0.0.1:1/front_370611")
    with pytest.raises(PassingReturnError, match=r'"front_writer:370611" to 127.0.0.1:1/front_370611 failed'):
        changing.deliver(*ALL)
    assert failed_consumers(changing) == {C, "370611"}


def test_a_dropped_schema_fails_one_township_and_comes_back_whole(changing: City) -> None:
    with admin("370602") as conn:
        conn.execute("drop schema t370602001 cascade")
    with pytest.raises(
        ReturnError, match=r'370602001 芝罘区 .*schema t370602001 is missing.*run "huiliu up"'
    ):
        changing.deliver(*ALL)
    assert failed_consumers(changing) == {A}
    provision()
    changing.deliver(*ALL)
    changing.assert_delivered(*ALL)
    with connect(f"front:{A}") as conn:
        assert conn.execute("select count(*) from t370602001.resident_roster").fetchone() == (7,)
    assert changing.moves()[-1] == (A, C, True, True, "moved")


@pytest.mark.parametrize(
    ("revoke", "message"),
    [
        (
            "revoke usage on schema t370602001 from reader_370602001",
            "reader_370602001 may not use schema t370602001",
        ),
        (
            "revoke select on t370602001.resident_roster from reader_370602001",
            r"reader_370602001 may not read t370602001\.resident_roster",
        ),
    ],
)
def test_a_reader_right_revoked_fails_one_township(changing: City, revoke: str, message: str) -> None:
    with admin("370602") as conn:
        conn.execute(revoke)  # type: ignore[call-overload]  # SQL put together in this test
    with pytest.raises(ReturnError, match=f"370602001 .*{message}.*huiliu up"):
        changing.deliver(*ALL)
    assert failed_consumers(changing) == {A}
    provision()
    changing.deliver(*ALL)
    changing.assert_delivered(*ALL)


@pytest.mark.parametrize("what", ["schema t370602001", "table t370602001.resident_roster"])
def test_a_writer_right_revoked_fails_one_township(changing: City, what: str) -> None:
    with admin("370602") as conn:
        conn.execute(f"revoke all on {what} from front_370602_writer")  # type: ignore[call-overload]  # SQL put together in this test
    with pytest.raises(ReturnError) as raised:
        changing.deliver(*ALL)
    assert f"front_370602_writer may not write to {what}" in str(raised.value)
    assert "huiliu prepare" in str(raised.value)
    assert failed_consumers(changing) == {A}
    provision()
    changing.deliver(*ALL)
    changing.assert_delivered(*ALL)


def test_a_view_of_the_township_on_a_column_that_leaves_the_contract_fails_that_township(
    changing: City,
) -> None:
    with connect("front_writer:370602") as conn:
        conn.execute("alter table t370602001.resident_roster add column phone text")
        conn.execute("create view t370602001.mine as select phone from t370602001.resident_roster")
    with pytest.raises(ReturnError, match=r"370602001 .*DependentObjectsStillExist"):
        changing.deliver(*ALL)
    failed = changing.rows("select package, consumer_code from ops.delivery where status = 'failed'")
    assert failed == [(ROSTER, A)]
    with connect("front_writer:370602") as conn:
        conn.execute("drop view t370602001.mine")
    changing.deliver(*ALL)
    changing.assert_delivered(*ALL)


def test_a_model_that_was_not_built_fails_its_package_alone(changing: City) -> None:
    with connect("warehouse:build") as conn:
        conn.execute('alter table "return".return_veteran_subsidy rename to elsewhere')
    try:
        with pytest.raises(ReturnError, match=r"veteran_subsidy: relation .* does not exist.*huiliu build"):
            changing.deliver(*ALL)
        assert changing.held(A) == changing.meant(A)
    finally:
        with connect("warehouse:build") as conn:
            conn.execute('alter table "return".elsewhere rename to return_veteran_subsidy')
    changing.deliver(*ALL)
    changing.assert_delivered(*ALL)


def test_rows_for_a_consumer_the_city_does_not_have_are_reported(changing: City) -> None:
    changing.put(999, "379999001")
    with pytest.raises(ReturnError, match=r"1 rows of .*return_resident_roster are for consumer 379999001"):
        changing.deliver(*ALL)
    assert failed_consumers(changing) == set()


def test_two_runs_do_not_interleave(changing: City) -> None:
    with connect("warehouse:return") as conn, advisory_lock(conn, "return"), pytest.raises(TransientError):
        deliver_all([ROSTER])
    with (
        connect("warehouse:return") as conn,
        advisory_lock(conn, "return: front_370602"),
        pytest.raises(TransientError),
    ):
        deliver_all([ROSTER])
    assert changing.rows("select count(*) from ops.delivery where status = 'planned'") == [(0,)]


# Where a run is killed: the function, how many calls of it to let pass, before or after its work.
KILLS = [
    ("returnflow.plan", "_find_changes", 0, "after"),
    ("returnflow.deliver", "_look", 1, "after"),
    ("returnflow.deliver", "_pass_rows", 3, "before"),
    ("returnflow.destination", "apply_changes", 1, "after"),
    ("returnflow.destination", "write_ledger", 2, "after"),
    ("returnflow.destination", "take_receipts", 0, "before"),
    ("returnflow.destination", "take_receipts", 3, "after"),
    ("returnflow.outbox", "finish", 2, "after"),
    ("returnflow.moves", "confirm", 1, "after"),
    ("returnflow.deliver", "_confirm", 1, "after"),
    ("returnflow.deliver", "deliver_database", 0, "after"),
]

KILLER = """
import importlib, os, signal, sys
module, name, passes, when = sys.argv[1:5]
module = importlib.import_module(module)
work, calls = getattr(module, name), 0
def killed(*args, **kwargs):
    global calls
    calls += 1
    if calls > int(passes) and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    result = work(*args, **kwargs)
    if calls > int(passes):
        os.kill(os.getpid(), signal.SIGKILL)
    return result
setattr(module, name, killed)
from returnflow.run import deliver_all
deliver_all(sys.argv[5:])
"""


@pytest.mark.parametrize(("module", "function", "passes", "when"), KILLS)
def test_killed_anywhere_and_run_again_ends_in_the_same_state(
    changing: City, module: str, function: str, passes: int, when: str
) -> None:
    forget_settings()
    command = [sys.executable, "-c", KILLER, module, function, str(passes), when, *ALL]
    killed = subprocess.run(
        command, check=False, cwd=Path(__file__).parents[2], capture_output=True, text=True
    )
    assert killed.returncode == -9, killed.stderr
    # Meanwhile the source goes on: what was just delivered vanishes, and what had vanished comes back.
    changing.take(50)
    changing.put(2, A)
    changing.deliver(*ALL)
    changing.assert_delivered(*ALL)
    assert changing.rows("select count(*) from ops.delivery where status in ('planned', 'running')") == [(0,)]
    assert changing.rows("select count(*) from ops.planned_change") == [(0,)]
    sent = changing.rows(
        "select consumer_code, count(*) from ops.sent_row where package = %s group by 1 order by 1", ROSTER
    )
    assert sent == [(A, 7), (B, 8), (C, 9)]
    assert (A, C, True, True, "moved") in changing.moves()
    assert changing.rows("select count(*) from ops.open_region_move") == [(0,)]
    assert changing.deliver(*ALL).rows_upserted == 0


def test_the_task_that_was_killed_takes_up_its_own_batch(changing: City) -> None:
    """As Airflow does: the same call again, not a new plan."""
    planned = plan_returns(ALL)
    first = deliver_database("370602", planned.batch_id)
    again = deliver_database("370602", planned.batch_id)
    assert (first.delivered, again.delivered) == (5, 0)
    for front in ("370611", "370612"):
        deliver_database(front, planned.batch_id)
    changing.assert_delivered(*ALL)


def test_a_batch_whose_place_was_taken_changes_nothing_any_more(changing: City) -> None:
    old = plan_returns(ALL)
    changing.put(2, A)
    changing.deliver(*ALL)
    for front in old.front_codes:
        assert deliver_database(front, old.batch_id).delivered == 0
    changing.assert_delivered(*ALL)
    errors = {
        row[0] for row in changing.rows("select error from ops.delivery where batch_id = %s", old.batch_id)
    }
    assert errors == {f"interrupted; batch {old.batch_id + 1} takes its place"}


def test_a_front_end_database_restored_from_an_old_backup_is_brought_up_to_date(changing: City) -> None:
    with connect("front_writer:370602") as conn:
        conn.execute("create table t370602001.kept as table t370602001.resident_roster")
        conn.execute("create table t370602001.kept_ledger as table t370602001._delivery")
    changing.deliver(*ALL)
    with connect("front_writer:370602") as conn:
        for name, kept in (("resident_roster", "kept"), ("_delivery", "kept_ledger")):
            conn.execute(
                f"truncate t370602001.{name}; insert into t370602001.{name} table t370602001.{kept};"  # type: ignore[call-overload]  # SQL put together in this test
                f" drop table t370602001.{kept}"
            )
    result = changing.deliver(*ALL)
    assert (result.rows_upserted, result.rows_deleted) == (2, 2)
    changing.assert_delivered(*ALL)


def test_a_mass_deletion_is_stopped_even_if_our_own_ledger_was_lost(city: City) -> None:
    city.fill(A, 1, 60)
    city.deliver()
    city.conn.execute("truncate ops.sent_row, ops.delivery, ops.receipt cascade")
    city.conn.execute('delete from "return".return_resident_roster')
    city.conn.commit()
    with pytest.raises(ReturnError, match=r"60 of 60 rows there would be deleted"):
        city.deliver()
    assert len(city.held(A)) == 60
