"""Connections: errors that name them and never a password; locks among processes; the business date."""

from __future__ import annotations

import socket
import time
from datetime import date
from pathlib import Path

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from huiliu import business_date, ports
from huiliu.connections import dsn, url
from huiliu.database import advisory_lock, connect
from huiliu.errors import ConfigError, TransientError


@pytest.mark.parametrize("role", ["huiliu_owner", "stranger"])
def test_a_refused_connection_is_named_with_its_setting_but_not_its_password(
    home: Path, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    where = f"127.0.0.1:{ports.port('postgres')}/warehouse"
    monkeypatch.setenv("HUILIU_DSN_FRONT__370602001", f"postgresql://{role}:Geheim@{where}")
    with pytest.raises(ConfigError) as refused:
        connect("front:370602001")
    text = str(refused.value)
    assert text.startswith(f'Connection "front:370602001" to {where} was refused: ')
    assert "password authentication failed" in text
    assert "Fix: correct HUILIU_DSN_FRONT__370602001" in text
    assert "Geheim" not in text


def test_a_missing_database_is_a_wrong_setting(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUILIU_DSN_WAREHOUSE", dsn("warehouse").replace("/warehouse", "/absent"))
    with pytest.raises(
        ConfigError, match=r'Connection "warehouse" to .*/absent was refused: .*"absent" does not exist'
    ):
        connect("warehouse")


def test_a_wrong_secret_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUILIU_SECRET_FRONT_370602_WRITER", "wrong")
    with pytest.raises(
        ConfigError, match="correct HUILIU_SECRET_FRONT_370602_WRITER or HUILIU_DSN_FRONT_WRITER__370602"
    ):
        connect("front_writer:370602")
    with connect("front_writer:370611") as conn:
        assert conn.info.dbname == "front_370611"


def test_an_unreachable_server_is_worth_a_retry(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        monkeypatch.setenv("HUILIU_DSN_SOURCE__POLICE", f"postgresql://a:Geheim@127.0.0.1:{port}/b")
        with pytest.raises(TransientError) as failed:
            connect("source:police")
    text = str(failed.value)
    assert f'Connection "source:police" to 127.0.0.1:{port}/b failed' in text
    assert "HUILIU_DSN_SOURCE__POLICE" in text
    assert "Geheim" not in text


@pytest.mark.parametrize(
    "value", ["host=a password=Geheim", "postgresql://a:Geheim@/b", "postgresql://a:Ge heim", "x"]
)
def test_a_malformed_connection_string_is_named_but_not_shown(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("HUILIU_DSN_WAREHOUSE", value)
    with pytest.raises(ConfigError, match="HUILIU_DSN_WAREHOUSE is not a connection string") as refused:
        connect("warehouse")
    assert "heim" not in str(refused.value)


@pytest.mark.parametrize(
    "name", ["warehouses", "warehouse:admin", "front:37060", "front_writer:370602001", "source:"]
)
def test_an_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f'There is no connection named "{name}"'):
        dsn(name)


def test_a_familys_server_follows_its_chief(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUILIU_DSN_WAREHOUSE", "postgresql://boss:x@db.example:6000/dw")
    assert dsn("warehouse") == "postgresql://boss:x@db.example:6000/dw"
    assert dsn("warehouse:build").startswith("postgresql://huiliu_build:")
    assert dsn("warehouse:build").endswith("@db.example:6000/dw")
    monkeypatch.setenv("HUILIU_DSN_WAREHOUSE__BUILD", "postgresql://builder:y@[::1]:6001/dw")
    assert dsn("warehouse:build") == "postgresql://builder:y@[::1]:6001/dw"
    monkeypatch.setenv(
        "HUILIU_DSN_ADMIN", "postgresql://admin:z@[::2],other.example:7000/postgres?sslmode=require"
    )
    assert dsn("airflow").startswith("postgresql://airflow:")
    assert dsn("airflow").endswith("@[::2],other.example:7000/airflow?sslmode=require")


def test_addresses_of_services(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert url("marriage_registry") == f"http://127.0.0.1:{ports.port('source_api')}/marriage_registry"
    monkeypatch.setenv("HUILIU_URL_MARRIAGE_REGISTRY", "https://registry.example/api/")
    assert url("marriage_registry") == "https://registry.example/api"
    with pytest.raises(ConfigError, match='no service named "police"'):
        url("police")


def test_a_lock_is_held_by_one_session_and_freed_at_its_end(home: Path) -> None:
    with connect("warehouse:ingest") as first, connect("warehouse:ingest") as second:
        with advisory_lock(first, "ingest police"):
            assert first.info.transaction_status == TransactionStatus.IDLE
            with (
                pytest.raises(TransientError, match='"ingest police" is being worked on'),
                advisory_lock(second, "ingest police"),
            ):
                pytest.fail("two hold one lock")
            with advisory_lock(second, "ingest health"):
                assert second.info.transaction_status == TransactionStatus.IDLE
        with advisory_lock(second, "ingest police"):
            assert first.info.transaction_status == TransactionStatus.IDLE


def test_a_lock_is_freed_after_a_failed_statement_and_after_a_lost_session(home: Path) -> None:
    with connect("warehouse") as first, connect("warehouse") as second:
        with pytest.raises(psycopg.errors.DivisionByZero), advisory_lock(first, "step"):
            first.execute("select 1 / 0")
        with advisory_lock(second, "step"):
            lost = second.info.backend_pid
            second.close()
        _wait_for_end(first, lost)
        with advisory_lock(first, "step"):
            assert first.execute("select 1").fetchone() == (1,)


def _wait_for_end(conn: psycopg.Connection, pid: int) -> None:
    """Wait until a closed connection's session has ended at the server too, which frees its locks."""
    until = time.monotonic() + 20
    while conn.execute("select from pg_stat_activity where pid = %s", [pid]).fetchone() is not None:
        assert time.monotonic() < until
        conn.commit()
        time.sleep(0.05)


@pytest.mark.parametrize("when", ["in a statement", "at the commit"])
def test_a_lost_server_is_worth_a_retry_and_named(home: Path, when: str) -> None:
    def lose() -> None:
        with connect("warehouse") as other, connect("warehouse:ingest") as conn:
            conn.execute("select 1")
            other.execute("select pg_terminate_backend(%s)", [conn.info.backend_pid])
            if when == "in a statement":
                conn.execute("select 1")

    with pytest.raises(
        TransientError, match=r'^Connection "warehouse:ingest" was lost: .*\. Fix: see that its server'
    ):
        lose()


def test_other_errors_pass_a_connection_unchanged(home: Path) -> None:
    with pytest.raises(psycopg.errors.QueryCanceled), connect("warehouse") as conn:
        conn.execute("set statement_timeout to 10; select pg_sleep(5)")


def test_the_business_date_is_one_row(warehouse: psycopg.Connection) -> None:
    warehouse.execute("delete from ops.business_date")
    with pytest.raises(ConfigError, match="There is no business date yet"):
        business_date.get(warehouse)
    for day in (date(2026, 1, 15), date(2026, 1, 16)):
        business_date.set(warehouse, day)
        assert business_date.get(warehouse) == day
    assert warehouse.execute("select count(*) from ops.business_date").fetchone() == (1,)
