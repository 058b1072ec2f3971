"""Relations a contract is verified on: a whole table, or the rows of one batch before they are merged."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from psycopg import sql

from huiliu.database import Connection
from huiliu.errors import ConfigError
from soda_checks.conditions import Relation
from soda_checks.contract import Contract

SESSION = "pg_temp"
_RAW_NAME = re.compile(r"\b([a-z][a-z0-9_]*)_raw\b")


def table_relation(connection: Connection, contract: Contract, business_date: date) -> Relation:
    """The table itself; a staging table gets the source's own text beside it where a rule asks for it."""
    held = _columns(connection, contract.layer, contract.model)
    added = _raw_columns(contract, held)
    if contract.layer != "staging" or not added or not held:
        return Relation(contract.layer, contract.model, business_date)
    connection.execute(
        sql.SQL(
            "create or replace temporary view {name} as select rows.*, {added} from {rows} as rows {raw}"
        ).format(
            name=sql.Identifier(contract.model),
            added=_raw_select(added),
            rows=sql.Identifier(contract.layer, contract.model),
            raw=_raw_join(contract),
        )
    )
    return Relation(SESSION, contract.model, business_date)


def batch_relation(
    connection: Connection, contract: Contract, batch_id: int, later: Sequence[int], business_date: date
) -> Relation:
    """The typed rows of a batch, deletions apart, as a temporary table of the session.

    `later` names batches that may have mended rows: of each key in the batch, the newest version counts.
    Reading the view once is cheaper than letting each rule standardise the same text again.
    Raises ConfigError if the typed view does not exist yet.
    """
    view = f"{contract.model}_typed"
    held = _columns(connection, contract.layer, view)
    if not held:
        raise ConfigError(
            f"The staging view {contract.layer}.{view} does not exist",
            fix="build the typed views, then run the gate",
        )
    added = _raw_columns(contract, held)
    # The hashed keys are for joining models; no rule on a batch reads them and they are dear to compute.
    kept = [name for name in held if not name.endswith("identifier_key")]
    connection.execute(
        sql.SQL(
            """
            drop table if exists {name};
            create temporary table {name} as
            select distinct on (rows._row_key) {columns}
            from {rows} as rows {raw}
            where rows._batch_id = any({batches})
                and rows._row_key in (select _row_key from {raw_table} where _batch_id = {batch_id})
            order by rows._row_key, rows._batch_id desc;
            delete from {name} where _op = 'D';
            analyze {name}
            """
        ).format(
            name=sql.Identifier(SESSION, contract.model),
            columns=sql.SQL(", ").join([*(sql.Identifier("rows", name) for name in kept), *_raw_list(added)]),
            rows=sql.Identifier(contract.layer, view),
            raw=_raw_join(contract) if added else sql.SQL(""),
            raw_table=sql.Identifier("raw", contract.raw_table),
            batch_id=sql.Literal(batch_id),
            batches=sql.Literal([batch_id, *later]),
        )
    )
    return Relation(SESSION, contract.model, business_date)


def _columns(connection: Connection, schema: str, name: str) -> list[str]:
    rows = connection.execute(
        "select attname from pg_attribute"
        " where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum",
        (f'"{schema}"."{name}"',),
    ).fetchall()
    return [str(row[0]) for row in rows]


def _raw_columns(contract: Contract, held: Sequence[str]) -> list[str]:
    """Source columns that the rules read as they came (`pid_raw`) and the staging relation does not carry."""
    named = set(_RAW_NAME.findall(contract.model_dump_json()))
    return sorted(name for name in named if f"{name}_raw" not in held)


def _raw_list(added: Sequence[str]) -> list[sql.Composable]:
    return [
        sql.SQL("{} as {}").format(sql.Identifier("landed", name), sql.Identifier(f"{name}_raw"))
        for name in added
    ]


def _raw_select(added: Sequence[str]) -> sql.Composable:
    return sql.SQL(", ").join(_raw_list(added))


def _raw_join(contract: Contract) -> sql.Composable:
    return sql.SQL(
        "inner join {} as landed on rows._row_key = landed._row_key and rows._batch_id = landed._batch_id"
    ).format(sql.Identifier("raw", contract.raw_table))
