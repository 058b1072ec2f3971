"""Relations a contract is verified on: a whole table, or the rows of one batch before they are merged.

Where rules read a source's own text (`pid_raw`), or a view that standardises text, the rows are first put
into a temporary table: each rule then reads plain columns, and no lock on a model's table outlives the copy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date

from psycopg import sql

from huiliu.database import Connection
from huiliu.errors import ConfigError
from soda_checks.conditions import Relation
from soda_checks.contract import Contract

SESSION = "pg_temp"
_RAW = "_raw"
_WORD = re.compile(r"[a-z_][a-z0-9_]*")


def table_relation(connection: Connection, contract: Contract, business_date: date) -> Relation:
    """The table itself; of a staging table whose rules read the source's text, a copy with both."""
    held = _columns(connection, contract.layer, contract.model)
    landed = _landed_columns(contract, held)
    if contract.layer != "staging" or not landed or not held:
        return Relation(contract.layer, contract.model, business_date)
    _copy(
        connection,
        contract,
        sql.SQL("select {columns} from {rows} as rows {landed}").format(
            columns=_columns_read(contract, held, landed),
            rows=sql.Identifier(contract.layer, contract.model),
            landed=_landed(contract),
        ),
    )
    return Relation(SESSION, contract.model, business_date)


def batch_relation(
    connection: Connection, contract: Contract, batch_id: int, later: Sequence[int], business_date: date
) -> Relation:
    """The typed rows of a batch, deletions apart.

    `later` names batches that may have mended rows: of each key in the batch, the newest version counts.
    Raises ConfigError if the typed view does not exist yet.
    """
    view = f"{contract.model}_typed"
    held = _columns(connection, contract.layer, view)
    if not held:
        raise ConfigError(
            f"The staging view {contract.layer}.{view} does not exist",
            fix="build the typed views, then run the gate",
        )
    landed = _landed_columns(contract, held)
    _copy(
        connection,
        contract,
        sql.SQL("select {columns} from {rows} as rows {landed} where {newest} and rows._op <> 'D'").format(
            columns=_columns_read(contract, held, landed),
            rows=sql.Identifier(contract.layer, view),
            landed=_landed(contract) if landed else sql.SQL(""),
            newest=_newest(contract, batch_id, later),
        ),
    )
    return Relation(SESSION, contract.model, business_date)


def _newest(contract: Contract, batch_id: int, later: Sequence[int]) -> sql.Composable:
    """Which row versions count: those of the batch, or what later batches made of them."""
    if not later:
        return sql.SQL("rows._batch_id = {}").format(sql.Literal(batch_id))
    return sql.SQL(
        """
        rows._batch_id = any({batches}) and (rows._row_key, rows._batch_id) in (
            select version._row_key, max(version._batch_id)
            from {raw} as version
            inner join {raw} as held on version._row_key = held._row_key and held._batch_id = {batch_id}
            where version._batch_id = any({batches})
            group by version._row_key
        )
        """
    ).format(
        batches=sql.Literal([batch_id, *later]),
        raw=sql.Identifier("raw", contract.raw_table),
        batch_id=sql.Literal(batch_id),
    )


def _copy(connection: Connection, contract: Contract, query: sql.Composable) -> None:
    name = sql.Identifier(SESSION, contract.model)
    with connection.transaction():
        # A batch just landed has no statistics, and a nested loop over it would take minutes.
        connection.execute("set local enable_nestloop = off")
        connection.execute(sql.SQL("drop table if exists {}").format(name))
        connection.execute(sql.SQL("create temporary table {} as {}").format(name, query))
    connection.execute(sql.SQL("analyze {}").format(name))


def _columns(connection: Connection, schema: str, name: str) -> list[str]:
    rows = connection.execute(
        "select attname from pg_attribute"
        " where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum",
        (f'"{schema}"."{name}"',),
    ).fetchall()
    return [str(row[0]) for row in rows]


def _words(contract: Contract) -> set[str]:
    """Every name a contract may mean: its columns, and whatever its SQL mentions."""
    return set(_WORD.findall(contract.model_dump_json()))


def _landed_columns(contract: Contract, held: Iterable[str]) -> list[str]:
    """Source columns that the rules read as they came (`pid_raw`) and the staging relation does not carry."""
    named = {word for word in _words(contract) if word.endswith(_RAW)}
    return sorted(name.removesuffix(_RAW) for name in named - set(held))


def _columns_read(contract: Contract, held: Iterable[str], landed: Iterable[str]) -> sql.Composable:
    """The columns that rules read, and no more: some are dear to compute, some not for every role."""
    words = _words(contract)
    typed = [sql.Identifier("rows", name) for name in held if name in words]
    raw = [
        sql.SQL("{} as {}").format(sql.Identifier("landed", name), sql.Identifier(f"{name}{_RAW}"))
        for name in landed
    ]
    return sql.SQL(", ").join([*typed, *raw])


def _landed(contract: Contract) -> sql.Composable:
    return sql.SQL(
        "inner join {} as landed on rows._row_key = landed._row_key and rows._batch_id = landed._batch_id"
    ).format(sql.Identifier("raw", contract.raw_table))
