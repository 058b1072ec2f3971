"""A source with one table: its raw log, typed view and merged table, as staging builds the real ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from own_warehouse import TODAY

from huiliu import business_date
from huiliu.database import Connection, connect
from soda_checks.contract import Contract, load_contract
from soda_checks.dbt_models import Column, Model

CONTRACTS = Path(__file__).parent / "contracts"
Row = dict[str, str | None]

_LABELS = {
    "person_id": "编号",
    "pid": "身份号码",
    "name": "姓名",
    "born_on": "出生日期",
    "township_code": "镇街代码",
    "is_usable": "可用标志",
    "_row_key": "行键",
    "_batch_id": "批次号",
}
MODELS = {
    "stg_toy__person": Model(
        name="stg_toy__person",
        layer="staging",
        department="市公安局",
        columns={name: Column(label) for name, label in _LABELS.items()},
        raw=frozenset({"person_id", "pid", "name", "born_on", "township_code"}),
    ),
    "toy_person": Model("toy_person", "base", "市公安局", {"pid": Column("身份号码", unique=True)}),
}
"""What the toy's models would say of themselves in YAML."""


_SCHEMA = """
set role huiliu_ingest;
create table raw.toy__person (
    person_id text, pid text, name text, born_on text, township_code text,
    _row_key uuid not null, _op char(1) not null, _batch_id bigint not null,
    _loaded_on date not null
);
grant select on raw.toy__person to huiliu_build, huiliu_score;
set role huiliu_build;
create view staging.stg_toy__person_typed as
select
    person_id, std.resident_id(pid) as pid, std.clean_name(name) as name, std.try_date(born_on) as born_on,
    township_code, std.resident_id(pid) is not null as is_usable,
    _row_key, _op, _batch_id, _loaded_on
from raw.toy__person;
create table staging.stg_toy__person as select * from staging.stg_toy__person_typed;
reset role;
"""


def toy_contract() -> Contract:
    """The toy table's contract."""
    return load_contract(CONTRACTS / "staging" / "stg_toy__person.yml", MODELS)


class ToySource:
    """The owner's connection, and the loads and builds of the toy source."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        connection.execute(_SCHEMA)
        self.contract = toy_contract()

    @property
    def contracts(self) -> dict[str, Contract]:
        """The toy's contract by table name."""
        return {self.contract.table_name: self.contract}

    def land(self, rows: Sequence[Row], op: str = "I") -> int:
        """Land a batch; return its id."""
        (batch_id,) = self.connection.execute(
            "insert into ops.load_run (source, table_name, mode, business_date, status)"
            " values ('toy', 'person', 'snapshot', '2026-01-15', 'landed') returning batch_id"
        ).fetchone() or (0,)
        with self.connection.cursor() as cursor:
            cursor.executemany(
                "insert into raw.toy__person values (%(person_id)s, %(pid)s, %(name)s, %(born_on)s,"
                " %(township_code)s, md5(%(person_id)s)::uuid, %(op)s,"
                " %(batch)s, '2026-01-15')",
                [row | {"op": op, "batch": str(batch_id)} for row in rows],
            )
        return int(batch_id)

    def merge(self) -> None:
        """Bring the merged table to the newest version of each row, whatever the gate says."""
        self.connection.execute(
            "truncate staging.stg_toy__person;"
            " insert into staging.stg_toy__person select distinct on (_row_key) *"
            " from staging.stg_toy__person_typed order by _row_key, _batch_id desc;"
            " delete from staging.stg_toy__person where _op = 'D'"
        )

    def gate_status(self) -> dict[int, str]:
        """Batch id -> what the gate decided."""
        return dict(self.connection.execute("select batch_id, status from ops.batch_gate").fetchall())


@contextmanager
def empty_toy(warehouse: str) -> Iterator[ToySource]:
    """Empty ledgers, an empty raw table and its typed view; `connect("warehouse…")` leads there meanwhile.

    `warehouse` is the connection string of its owner.
    """
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("HUILIU_DSN_WAREHOUSE", warehouse)
        with connect("warehouse", autocommit=True) as connection:
            connection.execute(
                "truncate ops.load_run, quality.check_result, quality.score, quality.score_run,"
                " quality.failed_row, quality.correction, quality.suppression, quality.correction_delivery,"
                " quality.profile_batch, quality.drift_alarm"
                " cascade;"
                " drop table if exists raw.toy__person, staging.stg_toy__person, base.toy_person cascade"
            )
            business_date.set(connection, TODAY)
            yield ToySource(connection)


def resident_id(serial: int, born: str = "19900101", region: str = "370602") -> str:
    """A valid 18-digit number, by the formula of GB 11643 written out once more."""
    digits = f"{region}{born}{serial:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))
    return digits + "10X98765432"[total % 11]


def person(number: int, **changes: str | None) -> Row:
    """A row without fault, but for the changes."""
    row: Row = {
        "person_id": str(number),
        "pid": resident_id(number % 1000, f"{1950 + number % 50}0101"),
        "name": "王小明",
        "born_on": f"{1950 + number % 50}-01-01",
        "township_code": "370602001" if number % 2 else "370602002",
    }
    return row | changes


def people(first: int, count: int, **changes: str | None) -> list[Row]:
    """So many rows without fault, but for the changes made to all of them."""
    return [person(number, **changes) for number in range(first, first + count)]
