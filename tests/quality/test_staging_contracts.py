"""Contracts of the staging tables at the gate, on real raw tables and typed views: who passes, who is held.

That each rule finds its faults is shown in test_staging_plants.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from good_rows import MAKERS, good_rows, pid
from own_warehouse import TODAY, own_warehouse
from psycopg import sql
from toy_source import Row

from huiliu.database import Connection, connect
from soda_checks.contract import Contract, load_contracts
from soda_checks.gate import at_the_gate, gate_staging
from soda_checks.relations import batch_relation
from soda_checks.trial import faults
from soda_checks.verify import verify

TABLES = sorted(MAKERS)
AWARD = "civil_affairs__subsidy_award"

_BASE = """
create table base.base_population__identity as
select distinct identifier_key from staging.stg_police__resident where is_usable;
create table base.base_region__division as
select code as region_code, level from staging.stg_region_codes__division;
grant select on all tables in schema base, staging to huiliu_score;
"""


@pytest.fixture(scope="module")
def city(staging_views: str) -> Iterator[Connection]:
    """Clean rows landed and merged in every staging table."""
    with (
        own_warehouse("quality_staging", template=staging_views) as owner,
        pytest.MonkeyPatch.context() as monkeypatch,
        ExitStack() as stack,
    ):
        monkeypatch.setenv("HUILIU_DSN_WAREHOUSE", owner)
        connection = stack.enter_context(connect("warehouse", autocommit=True))
        for table in TABLES:
            _land(connection, table, good_rows(table))
            _merge(connection, table)
        connection.execute("set role huiliu_build")
        connection.execute(_BASE)
        connection.execute("reset role")
        yield connection


def _land(connection: Connection, table: str, rows: list[Row], op: str = "I") -> int:
    source, _, name = table.partition("__")
    (batch_id,) = connection.execute(
        "insert into ops.load_run (source, table_name, mode, business_date, status)"
        " values (%s, %s, 'snapshot', %s, 'landed') returning batch_id",
        (source, name, TODAY),
    ).fetchone() or (0,)
    held = connection.execute(
        "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0"
        " and not attisdropped and attname not like '\\_%%'",
        (f"raw.{table}",),
    ).fetchall()
    columns = [str(row[0]) for row in held]
    statement = sql.SQL(
        "insert into {} ({}, _row_key, _op, _batch_id, _loaded_on) values ({}, md5(%s)::uuid, %s, %s, %s)"
    ).format(
        sql.Identifier("raw", table),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join([sql.Placeholder()] * len(columns)),
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            statement,
            [
                (*(row.get(column) for column in columns), f"{table} {number}", op, batch_id, TODAY)
                for number, row in enumerate(rows)
            ],
        )
    return int(batch_id)


def _unland(connection: Connection, table: str, batch: int) -> None:
    raw = sql.Identifier("raw", table)
    connection.execute(sql.SQL("delete from {} where _batch_id = {}").format(raw, sql.Literal(batch)))
    connection.execute("delete from ops.load_run where batch_id = %s", (batch,))


def _merge(connection: Connection, table: str) -> None:
    """Make the staging table hold the newest version of each row."""
    connection.execute(
        sql.SQL(
            "set role huiliu_build; drop table if exists {table};"
            " create table {table} as select distinct on (_row_key) * from {view}"
            " order by _row_key, _batch_id desc; grant select on {table} to huiliu_score; reset role"
        ).format(
            table=sql.Identifier("staging", f"stg_{table}"),
            view=sql.Identifier("staging", f"stg_{table}_typed"),
        )
    )


@pytest.fixture(scope="module")
def contracts() -> dict[str, Contract]:
    """The project's contracts."""
    return load_contracts()


def test_every_source_table_has_a_contract(contracts: dict[str, Contract]) -> None:
    assert sorted(it.raw_table for it in contracts.values() if it.layer == "staging") == TABLES


def test_the_warehouse_takes_the_sql_of_every_rule(city: Connection, contracts: dict[str, Contract]) -> None:
    with connect("warehouse:score", autocommit=True) as session:
        assert faults(session, (it for it in contracts.values() if it.layer == "staging"), TODAY) == []


def test_clean_batches_pass_the_gate(city: Connection) -> None:
    result = gate_staging()
    assert result.held == []
    assert len(result.passed) == len(TABLES)
    assert city.execute("select distinct outcome from quality.check_result").fetchall() == [("passed",)]
    assert city.execute("select * from quality.failed_row").fetchall() == []


# More than any column of ours holds, in every form that reads as a number, and years that the calendar lacks.
_ABSURD = ("0", "0000", "9" * 9, "1" + "0" * 11, "9" * 18, "9" * 30, "-" + "9" * 18, "1E-15", "9E99")


@pytest.mark.parametrize("table", TABLES)
def test_no_number_is_too_large_for_a_typed_view(city: Connection, table: str) -> None:
    """One absurd value may cost its row, never the batch: no cast of a typed view fails on it."""
    row = good_rows(table)[0]
    rows = [row | {column: absurd} for column in row for absurd in _ABSURD]
    rows += [dict.fromkeys(row, absurd) for absurd in _ABSURD]
    batch = _land(city, table, rows)
    try:
        read = city.execute(
            sql.SQL("select typed::text from {} as typed where _batch_id = %s").format(
                sql.Identifier("staging", f"stg_{table}_typed")
            ),
            (batch,),
        )
        assert len(read.fetchall()) == len(rows)
    finally:
        _unland(city, table, batch)


_PERSON = pid(3)


@pytest.mark.parametrize(
    ("table", "key", "changes"),
    [
        ("taxation__payment", "taxpayer_identifier", {"taxpayer_no": _PERSON}),
        ("taxation__payment", "taxpayer_identifier", {"taxpayer_no": f" {_PERSON.lower()} "}),
        ("credit__record", "subject_identifier", {"subject_code": _PERSON, "subject_kind": None}),
        ("credit__record", "subject_identifier", {"subject_code": _PERSON, "subject_kind": "企业"}),
    ],
)
def test_a_person_in_a_firms_place_goes_by_a_key(
    city: Connection, table: str, key: str, changes: Row
) -> None:
    batch = _land(city, table, [good_rows(table)[0] | changes])
    try:
        found = city.execute(
            sql.SQL("select {} = vault.identifier_key(%s)::text, uscc from {} where _batch_id = %s").format(
                sql.Identifier(key), sql.Identifier("staging", f"stg_{table}_typed")
            ),
            (_PERSON, batch),
        )
        assert found.fetchall() == [(True, None)]
    finally:
        _unland(city, table, batch)


def test_awards_whose_numbers_an_export_broke_are_held(city: Connection) -> None:
    """The trial: every number of the awards turned to garbage at the source, which is all that changed."""
    rows = [row | {"pid": f"xBT{number:06d}"} for number, row in enumerate(good_rows(AWARD))]
    batch = _land(city, AWARD, rows, op="U")
    try:
        held = gate_staging().held
        assert [(it.batch_id, it.reason) for it in held] == [
            (batch, "C01 关键信息缺失或无效，整行无法使用：100 行中 100 行不合格")
        ]
        counted = city.execute("select rows_quarantined from ops.load_run where batch_id = %s", (batch,))
        assert counted.fetchone() == (100,)
    finally:
        city.execute("delete from ops.batch_gate where batch_id = %s", (batch,))
        _unland(city, AWARD, batch)


def test_a_batch_that_its_manifest_contradicts_is_held(city: Connection) -> None:
    batch = _land(city, AWARD, good_rows(AWARD)[:40], op="U")
    city.execute(
        "insert into ops.manifest (batch_id, what, expected_rows, actual_rows, matches)"
        " values (%s, 'award.json', 41, 40, false)",
        (batch,),
    )
    tested = "select tested, failed from quality.check_result where batch_id = %s and rule_id = 'C04'"
    try:
        (held,) = gate_staging().held
        assert (held.batch_id, held.reason) == (batch, "C04 批次行数与清单不符：1 行中 1 行不合格")
        city.execute("update ops.manifest set expected_rows = 40 where batch_id = %s", (batch,))
        assert [passed.batch_id for passed in gate_staging().passed] == [batch]
        assert city.execute(tested, (batch,)).fetchall() == [(1, 0)]
    finally:
        city.execute("delete from ops.manifest where batch_id = %s", (batch,))
        city.execute("delete from ops.batch_gate where batch_id = %s", (batch,))
        _unland(city, AWARD, batch)


def _vital(contract: Contract) -> list[str]:
    """Columns without which a table is of no use: numbers, names, dates, places."""
    optional = ("ended_on", "left_on", "employer_name")
    ends = ("pid", "name", "_on", "_date", "village_code", "township_code", "valid_until")
    return [it.name for it in contract.columns if it.name.endswith(ends) and it.name not in optional]


# A father need not be known, nor a number where there was none; names of firms and places have no form.
_ALLOWED = {
    "health__birth": [(None, "father_pid")],
    "marriage_archive__record": [(None, "husband_pid"), (None, "wife_pid")],
    "funeral__cremation": [(None, "pid")],
    "transport__vehicle": [(None, "owner_pid")],
    "transport__licence": [(None, "holder_pid")],
    "licence_register__licence": [(None, "holder_pid")],
    "agriculture__land_contract": [(None, "pid")],
    "veterans__service_record": [("#x1?", "township_name")],
    "enterprise_registry__enterprise": [("#x1?", "name")],
    "market_regulation__entity": [("#x1?", "name")],
    "organisations__social_organisation": [("#x1?", "name")],
    "organisations__institution": [("#x1?", "name")],
    "taxation__taxpayer": [("#x1?", "name")],
    "credit__record": [("#x1?", "subject_name")],
    "region_codes__division": [("#x1?", "name")],
}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("garbage", [None, "#x1?"])
def test_a_batch_with_garbage_throughout_a_vital_column_is_held(
    city: Connection, contracts: dict[str, Contract], table: str, garbage: str | None
) -> None:
    contract = contracts[f"staging.stg_{table}"]
    for column in _vital(contract):
        if (garbage, column) in _ALLOWED.get(table, ()):
            continue
        rows = [row | {column: garbage} for row in good_rows(table)]
        assert _held_by(city, contract, rows), column


def _held_by(city: Connection, contract: Contract, rows: list[Row]) -> list[str]:
    """The blocking rules that an update-only batch of these rows fails."""
    batch = _land(city, contract.raw_table, rows, op="U")
    try:
        with connect("warehouse:score", autocommit=True) as connection:
            gated = at_the_gate(contract)
            relation = batch_relation(connection, gated, batch, [], TODAY)
            return [check.attributes.rule_id for check in verify(connection, [(gated, relation)])[0].blocking]
    finally:
        _unland(city, contract.raw_table, batch)


@pytest.mark.parametrize("table", ["police__resident", "police__move", "civil_affairs__assisted_household"])
def test_a_batch_of_unknown_regions_is_held(
    city: Connection, contracts: dict[str, Contract], table: str
) -> None:
    contract = contracts[f"staging.stg_{table}"]
    unknown = {
        "village_code": "370699999999",
        "to_village_code": "370699999999",
        "township_code": "370699999",
    }
    rows = [row | {it: code for it, code in unknown.items() if row.get(it)} for row in good_rows(table)]
    assert _held_by(city, contract, rows) == ["N03"]


def test_while_no_region_is_known_none_is_unknown(city: Connection, contracts: dict[str, Contract]) -> None:
    contract = contracts["staging.stg_police__resident"]
    city.execute("alter table raw.region_codes__division rename to kept")
    city.execute("create table raw.region_codes__division (like raw.kept)")
    city.execute("grant select on raw.region_codes__division to huiliu_score")
    try:
        rows = [row | {"village_code": "370699999999"} for row in good_rows("police__resident")]
        assert _held_by(city, contract, rows) == []
    finally:
        city.execute("drop table raw.region_codes__division")
        city.execute("alter table raw.kept rename to region_codes__division")
