"""Roles see only what is theirs; what was dropped or revoked comes back; another server works as well."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from huiliu import embedded_postgres, ports
from huiliu.connections import dsn
from huiliu.database import connect, connect_to
from huiliu.errors import ConfigError, HuiliuError
from huiliu.provision import hmac_pads, provision
from huiliu.regions import load
from huiliu.secret_store import secret
from huiliu.settings import PROJECT_ROOT, forget_settings

TOWNSHIP, NEIGHBOUR, DISTRICT = "370602001", "370602002", "370602"


@pytest.fixture(scope="module")
def delivered(home: Path) -> None:
    """A table delivered to two townships, the district and the city, after provisioning."""
    for database, schemas in ((DISTRICT, ("t370602001", "t370602002", "d370602")), ("3706", ("c3706",))):
        with connect(f"front_writer:{database}") as conn:
            for schema in schemas:
                table = sql.Identifier(schema, "delivered")
                conn.execute(sql.SQL("create table if not exists {} (value int)").format(table))
                conn.execute(sql.SQL("insert into {} values (1)").format(table))


@pytest.mark.usefixtures("delivered")
def test_every_consumer_reads_what_is_delivered_to_it() -> None:
    for code in (TOWNSHIP, DISTRICT, "3706"):
        with connect(f"front:{code}") as conn:
            assert conn.execute("select value from delivered").fetchall() == [(1,)]


ATTEMPTS = [
    "select * from t370602002.delivered",
    "select * from d370602.delivered",
    "table t370602002.delivered",
    "insert into delivered values (2)",
    "update delivered set value = 2",
    "delete from delivered",
    "truncate delivered",
    "drop table delivered",
    "alter table delivered add column more int",
    "begin; lock table delivered in share mode",
    "create table t370602001.own (value int)",
    "create table t370602002.own (value int)",
    "create table public.own (value int)",
    "create temporary table own (value int)",
    "create schema own",
    "create role own",
    "create database own",
    "create extension vector",
    "set role front_370602_writer",
    "set role reader_370602002",
    "set session authorization postgres",
    "alter role reader_370602002 password 'x'",
    "alter role reader_370602001 createrole",
    "grant front_370602_writer to reader_370602001",
    "alter schema t370602001 owner to reader_370602001",
    "select rolpassword from pg_authid",
    "select * from pg_hba_file_rules",
    "select pg_read_file('postgresql.conf')",
    "select pg_ls_dir('.')",
    "copy delivered to '/tmp/huiliu-attempt'",
    "copy (select 1) to program 'true'",
    "copy delivered from program 'true'",
    "select lo_import('/etc/passwd')",
    "select pg_terminate_backend(pid) from pg_stat_activity where usename <> current_user",
    "alter system set log_statement = 'all'",
    "set log_statement = 'none'",
    "load 'vector'",
]


@pytest.mark.usefixtures("delivered")
@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_a_township_reaches_nothing_but_its_own_schema(attempt: str) -> None:
    with (
        connect("warehouse"),  # a session of someone else, to be ended or looked at
        connect(f"front:{TOWNSHIP}", autocommit=True) as conn,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        conn.execute(attempt.encode())


def test_a_township_sees_no_statement_of_others(home: Path) -> None:
    with connect("warehouse") as other, connect(f"front:{TOWNSHIP}") as conn:
        other.execute("select 1 as secret_statement")
        rows = conn.execute("select query from pg_stat_activity where usename = 'huiliu_owner'").fetchall()
    assert rows
    assert {row[0] for row in rows} == {"<insufficient privilege>"}


@pytest.mark.parametrize(
    "database",
    ["warehouse", "airflow", "postgres", "template1", "source_police", "front_370611", "front_3706"],
)
def test_a_township_enters_no_other_database(home: Path, database: str) -> None:
    with pytest.raises(ConfigError, match=f"{database} was refused: .*permission denied for database"):
        connect_to(dsn(f"front:{TOWNSHIP}"), f"front:{TOWNSHIP}", database=database)


def test_every_role_enters_exactly_its_own_database(home: Path) -> None:
    regions = load()
    with connect("admin") as conn:
        rows = conn.execute(
            "select rolname, datname from pg_roles cross join pg_database"
            " where not rolsuper and rolcanlogin and datallowconn"
            " and datname !~ '^(toy|test)_'"  # of other tests on the same server
            " and has_database_privilege(rolname, datname, 'connect')"
        ).fetchall()
    entered = dict(rows)
    assert len(entered) == len(rows), "a role enters two databases"
    for region in regions.consumers:
        code = region.code[: {"city": 4, "district": 6, "township": 9}[region.level]]
        assert entered[f"reader_{code}"] == f"front_{code[:6]}"
    assert {name for name, database in rows if database == "warehouse"} == {
        "huiliu_owner",
        "huiliu_ingest",
        "huiliu_build",
        "huiliu_score",
        "huiliu_return",
        "huiliu_watch",
        "huiliu_collide",
        "huiliu_decide",
    }


def privileges(conn: psycopg.Connection, role: str) -> dict[str, str]:
    """What a role may do to each ledger: table -> initials of SELECT, INSERT, UPDATE, DELETE."""
    rows = conn.execute(
        "select nspname || '.' || relname, string_agg(left(privilege, 1), '' order by place)"
        " from pg_class join pg_namespace on relnamespace = pg_namespace.oid"
        " cross join unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE'])"
        " with ordinality as asked (privilege, place)"
        " where nspname in ('ops', 'vault') and relkind = 'r'"
        " and has_table_privilege(%s, pg_class.oid, privilege) group by 1",
        [role],
    ).fetchall()
    return dict(rows)


READ_BY_BUILD = ["business_date", "resource", "mount_probe", "load_run", "batch_gate", "batch_under_test"]
EXPECTED = {
    "huiliu_ingest": {"business_date": "S", "build_batch": "S"}
    | dict.fromkeys(["load_run", "resource", "mount_probe"], "SIU"),
    "huiliu_build": dict.fromkeys([*READ_BY_BUILD, "delivery", "receipt", "region_move"], "S")
    | dict.fromkeys(["build", "build_batch", "model_run"], "SIU")
    | dict.fromkeys(["model_state", "touched_key"], "SIUD"),
    "huiliu_score": {
        "business_date": "S",
        "load_run": "S",
        "batch_gate": "SIU",
        "batch_under_test": "SIUD",
        "delivery": "S",
    },
    "huiliu_return": {"business_date": "S", "build": "S", "model_state": "S", "sent_row": "SIUD"}
    | dict.fromkeys(["delivery", "receipt", "region_move"], "SIU"),
}
FORBIDDEN = {
    "huiliu_ingest": ["build", "batch_gate", "delivery", "sent_row"],
    "huiliu_build": ["sent_row"],
    "huiliu_score": ["sent_row", "touched_key", "region_move"],
    "huiliu_return": ["load_run", "batch_gate", "touched_key"],
}


def test_every_ledger_stands_in_the_page_for_operators(home: Path) -> None:
    page = (PROJECT_ROOT / "docs" / "ledgers.md").read_text(encoding="utf-8")
    with connect("warehouse") as conn:
        ledgers = conn.execute(
            "select table_schema || '.' || table_name from information_schema.tables"
            " where table_schema in ('ops', 'quality')"
        ).fetchall()
    assert len(ledgers) > 40
    assert [name for (name,) in ledgers if f"`{name}`" not in page] == []


@pytest.mark.parametrize("role", EXPECTED)
def test_each_role_does_to_the_ledgers_what_it_needs_and_no_more(
    warehouse: psycopg.Connection, role: str
) -> None:
    found = privileges(warehouse, role)
    for table, expected in EXPECTED[role].items():
        assert found[f"ops.{table}"] == expected, table
    for table in FORBIDDEN[role]:
        assert f"ops.{table}" not in found
    assert not [table for table in found if table.startswith("vault.")]


def test_tables_made_later_are_read_by_those_who_need_them(home: Path) -> None:
    made = [("warehouse:ingest", "raw"), ("warehouse:build", "staging"), ("warehouse:build", "return")]
    for name, schema in made:
        with connect(name) as conn:
            conn.execute(sql.SQL("create table {} (value int)").format(sql.Identifier(schema, "made_later")))
    try:
        with connect("warehouse") as conn:
            readers = conn.execute(
                "select nspname, array_agg(rolname::text order by rolname)"
                " from pg_class join pg_namespace on relnamespace = pg_namespace.oid"
                " join pg_roles on rolname like 'huiliu\\_%' and rolname <> 'huiliu_owner'"
                " where relname = 'made_later' and has_schema_privilege(rolname, nspname, 'usage')"
                " and has_table_privilege(rolname, pg_class.oid, 'select') group by nspname"
            ).fetchall()
    finally:
        for name, schema in made:
            with connect(name) as conn:
                conn.execute(sql.SQL("drop table {}").format(sql.Identifier(schema, "made_later")))
    assert dict(readers) == {
        "raw": ["huiliu_build", "huiliu_ingest", "huiliu_score"],
        "staging": ["huiliu_build", "huiliu_collide", "huiliu_score"],
        "return": ["huiliu_build", "huiliu_return", "huiliu_score"],
    }


@pytest.mark.usefixtures("delivered")
def test_what_was_dropped_or_revoked_comes_back() -> None:
    with connect("admin", autocommit=True) as conn:
        conn.execute("revoke connect on database front_3706 from reader_3706")
        conn.execute("alter role reader_370602002 password 'changed'")
        conn.execute("alter role huiliu_build nologin")
    with connect(f"front_writer:{DISTRICT}") as conn:
        conn.execute("drop schema t370602002 cascade")
        conn.execute("revoke usage on schema t370602001 from reader_370602001")
        conn.execute("revoke select on d370602.delivered from reader_370602")
    with connect("warehouse") as conn:
        conn.execute("revoke select on ops.load_run from huiliu_build")
    for code in (TOWNSHIP, NEIGHBOUR, DISTRICT, "3706"):
        with pytest.raises((HuiliuError, psycopg.Error)), connect(f"front:{code}") as conn:
            conn.execute("select value from delivered")
    again = provision()
    assert (again.roles_created, again.databases_created) == ([], [])
    for code in (TOWNSHIP, DISTRICT, "3706"):
        with connect(f"front:{code}") as conn:
            assert conn.execute("select value from delivered").fetchall() == [(1,)]
    with connect(f"front_writer:{DISTRICT}") as conn:
        conn.execute("create table t370602002.delivered (value int)")
        conn.execute("insert into t370602002.delivered values (1)")
    with connect(f"front:{NEIGHBOUR}") as conn:
        assert conn.execute("select value from delivered").fetchall() == [(1,)]
    with connect("warehouse:build") as conn:
        conn.execute("select from ops.load_run")


@pytest.fixture
def small_city(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of its own whose city has two townships."""
    regions = empty_home / "city.csv"
    regions.write_text(
        "code,name,level,parent_code\n"
        "110100000000,甲市,city,110000000000\n"
        "110101000000,乙区,district,110100000000\n"
        "110101001000,丙街道,township,110101000000\n"
        "110101100000,丁镇,township,110101000000\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("HUILIU_REGIONS", str(regions))
    forget_settings()
    yield empty_home
    monkeypatch.undo()
    forget_settings()


def test_another_city_on_another_server_with_an_administrator_who_is_no_superuser(
    small_city: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded_postgres.start()
    port = ports.port("postgres")
    with connect("admin") as conn:
        conn.execute("create role installer login createdb createrole password 'p@ss'")
    monkeypatch.setenv("HUILIU_DSN_ADMIN", f"postgresql://installer:p%40ss@127.0.0.1:{port}/postgres")
    monkeypatch.setenv("HUILIU_DSN_FRONT_WRITER__1101", "postgresql://writer:secret@front.example:6543/city")
    monkeypatch.setenv("HUILIU_HOME", str(small_city / "other"))
    forget_settings()
    made = provision()
    assert not (small_city / "other" / "postgres").exists()
    assert made.elsewhere == ["front_1101"]
    assert "front_110101" in made.databases_created
    assert provision().databases_created == []
    with connect("front:110101100") as conn:
        assert conn.execute("select current_schemas(false)").fetchone() == (["t110101100"],)
    with connect("warehouse:build") as conn:
        conn.execute("create table staging.made (value int)")
    with pytest.raises(ConfigError, match="permission denied for database"):
        connect_to(dsn("front:110101100"), "front:110101100", database="warehouse")
    assert dsn("front:1101").endswith("@front.example:6543/city")
    assert dsn("front:1101").startswith("postgresql://reader_1101:")
    monkeypatch.setenv("HUILIU_HOME", str(small_city))
    monkeypatch.delenv("HUILIU_DSN_ADMIN")
    forget_settings()


def test_an_administrator_without_rights_is_told_what_is_missing(
    small_city: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded_postgres.start()
    with connect("admin") as conn:
        conn.execute("create role nobody_much login password 'x'")
    monkeypatch.setenv(
        "HUILIU_DSN_ADMIN", f"postgresql://nobody_much:x@127.0.0.1:{ports.port('postgres')}/postgres"
    )
    with pytest.raises(
        ConfigError, match=r"nobody_much may not prepare database postgres: .* Fix: name in HUILIU_DSN"
    ):
        provision()


def test_a_changed_identifier_key_is_refused_before_it_splits_every_person(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect("warehouse") as conn:
        before = conn.execute("select inner_pad, outer_pad from vault.hash_key").fetchall()
    assert before == [hmac_pads(secret("identifier_hash_key").encode())]
    monkeypatch.setenv("HUILIU_SECRET_IDENTIFIER_HASH_KEY", "another")
    with pytest.raises(ConfigError, match="identifier_hash_key is not this warehouse's"):
        provision()
    with connect("warehouse") as conn:
        assert conn.execute("select inner_pad, outer_pad from vault.hash_key").fetchall() == before


def test_the_pads_are_those_of_hmac_sha256() -> None:
    for key in (b"short", b"k" * 64, b"long" * 50):
        inner, outer = hmac_pads(key)
        digest = hashlib.sha256(outer + hashlib.sha256(inner + b"message").digest()).digest()
        assert digest == hmac.digest(key, b"message", "sha256")
