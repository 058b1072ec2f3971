"""Relations a contract is verified on: a whole table, or the rows of one batch before they are merged.

A batch is read through a view that standardises text; its rows are first put into a temporary table, so that
the text is standardised once, and no lock on a model's view outlives the copy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from psycopg import sql

from huiliu.database import Connection
from huiliu.errors import ConfigError
from soda_checks.conditions import Relation, condition
from soda_checks.contract import BoundCheck, Contract

SESSION = "pg_temp"
_RAW = "_raw"
_LEADING = frozenset({"_row_key", "_batch_id"})
"""Columns that lead from a staging row to the source's own text: no rule can read it without them."""
_WORD = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True)
class Rows:
    """The rows that checks look at: a source for `from`, and its columns."""

    query: sql.Composable
    columns: Sequence[str]


def table_relation(
    connection: Connection, contract: Contract, business_date: date, *, empty: bool = False
) -> Relation:
    """The table itself; of a staging table that rules compare with itself by the source's text, a copy.

    `empty`: that copy without a row.
    """
    relation = Relation(contract.layer, contract.model, business_date)
    held = columns_of(connection, relation)
    landed = _landed_columns(connection, contract, relation, held)
    if not held or not any(_reads_itself(contract, it, relation, landed) for it in contract.bound()):
        return relation
    copy = Relation(SESSION, contract.model, business_date)
    _copy(
        connection,
        copy,
        sql.SQL("select {columns} from {rows} as rows {landed} {limit}").format(
            columns=_columns_read(contract, relation, held, landed),
            rows=relation.identifier,
            landed=_landed(contract),
            limit=sql.SQL("limit 0" if empty else ""),
        ),
    )
    return copy


def rows_of(connection: Connection, contract: Contract, relation: Relation, held: Sequence[str]) -> Rows:
    """The relation with the source's own text (`pid_raw`) beside it, where rules read it and it has none."""
    landed = _landed_columns(connection, contract, relation, held)
    if not landed:
        return Rows(relation.identifier, held)
    query = sql.SQL("(select {columns} from {rows} as rows {landed}) as rows").format(
        columns=_columns_read(contract, relation, held, landed),
        rows=relation.identifier,
        landed=_landed(contract),
    )
    return Rows(query, [*held, *(f"{name}{_RAW}" for name in landed)])


def batch_relation(
    connection: Connection,
    contract: Contract,
    batch_id: int,
    later: Sequence[int],
    business_date: date,
    *,
    name: str | None = None,
) -> Relation:
    """The typed rows of a batch, deletions apart, in a temporary table: of this name, or the model's.

    `later` names batches that may have mended rows: of each key in the batch, the newest version counts.
    Raises ConfigError if the typed view does not exist yet.
    """
    view = Relation(contract.layer, f"{contract.model}_typed", business_date)
    held = columns_of(connection, view)
    if not held:
        raise ConfigError(
            f"The staging view {view.schema}.{view.name} does not exist",
            fix="build the typed views, then run the gate",
        )
    relation = Relation(SESSION, name or contract.model, business_date, (batch_id, *later))
    landed = _landed_columns(connection, contract, relation, held)
    others = _other_columns(connection, contract, relation, held, landed)
    _copy(
        connection,
        relation,
        sql.SQL("select {columns} from {rows} as rows {landed} where {newest} and rows._op <> 'D'").format(
            columns=sql.SQL(", ").join([_columns_read(contract, relation, held, landed), *others]),
            rows=view.identifier,
            landed=_landed(contract) if landed or others else sql.SQL(""),
            newest=_newest(contract, batch_id, later),
        ),
    )
    return relation


def unusable_rows(connection: Connection, contract: Contract, batches: Sequence[int]) -> dict[int, int]:
    """How many rows of each batch as it was sent cannot be used; deletions apart, batches without any too."""
    rows = connection.execute(
        sql.SQL(
            "select _batch_id, count(*) from {} where _batch_id = any(%s) and _op <> 'D' and not is_usable"
            " group by _batch_id"
        ).format(sql.Identifier(contract.layer, f"{contract.model}_typed")),
        (list(batches),),
    ).fetchall()
    return dict(rows)


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


def _copy(connection: Connection, copy: Relation, query: sql.Composable) -> None:
    name = copy.identifier
    with connection.transaction():
        # A batch just landed has no statistics, and a nested loop over it would take minutes.
        connection.execute("set local enable_nestloop = off")
        connection.execute(sql.SQL("drop table if exists {}").format(name))
        connection.execute(sql.SQL("create temporary table {} as {}").format(name, query))
    connection.execute(sql.SQL("analyze {}").format(name))


def columns_of(connection: Connection, relation: Relation) -> list[str]:
    """The columns a relation has now; none if there is no such relation."""
    rows = connection.execute(
        "select attname from pg_attribute"
        " where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum",
        (relation.identifier.as_string(),),
    ).fetchall()
    return [str(row[0]) for row in rows]


def _words(contract: Contract, checks: Iterable[BoundCheck], relation: Relation) -> set[str]:
    """Every name the checks' SQL mentions."""
    return {
        word for it in checks for word in _WORD.findall(condition(contract, it, relation).failed.as_string())
    }


def _landed_columns(
    connection: Connection, contract: Contract, relation: Relation, held: Iterable[str]
) -> list[str]:
    """Source columns that the rules read as they came (`pid_raw`) and the staging relation does not carry."""
    named = {word for word in _words(contract, contract.bound(), relation) if word.endswith(_RAW)} - set(held)
    if contract.layer != "staging" or not named or not _LEADING.issubset(held):
        return []
    raw = columns_of(connection, Relation("raw", contract.raw_table, relation.business_date))
    return sorted({name.removesuffix(_RAW) for name in named}.intersection(raw))


def _reads_itself(contract: Contract, bound: BoundCheck, relation: Relation, landed: Iterable[str]) -> bool:
    """Whether a check's query reads the table under test, and with it columns that it does not carry."""
    names_itself = relation.identifier.as_string() in condition(contract, bound, relation).failed.as_string()
    return names_itself and not _words(contract, [bound], relation).isdisjoint(f"{it}{_RAW}" for it in landed)


def _columns_read(
    contract: Contract, relation: Relation, held: Iterable[str], landed: Iterable[str]
) -> sql.Composable:
    """The columns that rules read, and no more: some are dear to compute, some not for every role."""
    words = _words_read(contract, relation)
    typed = [sql.Identifier("rows", name) for name in held if name in words]
    raw = [
        sql.SQL("{} as {}").format(sql.Identifier("landed", name), sql.Identifier(f"{name}{_RAW}"))
        for name in landed
    ]
    return sql.SQL(", ").join([*typed, *raw])


def _other_columns(
    connection: Connection,
    contract: Contract,
    relation: Relation,
    held: Iterable[str],
    landed: Iterable[str],
) -> list[sql.Composable]:
    """The source columns no rule reads, as they came (`remark_raw`): a profile of them costs no typing."""
    if not _LEADING.issubset(held):
        return []
    raw = columns_of(connection, Relation("raw", contract.raw_table, relation.business_date))
    read = {*_words_read(contract, relation).intersection(held), *landed}
    return [
        sql.SQL("nullif(btrim({}), '') as {}").format(
            sql.Identifier("landed", name), sql.Identifier(f"{name}{_RAW}")
        )
        for name in raw
        if name not in read and not name.startswith("_") and f"{name}{_RAW}" not in held
    ]


def _words_read(contract: Contract, relation: Relation) -> set[str]:
    """Every name that the gate reads of a table: of its rules, its key, its region and its columns."""
    meta = contract.huiliu
    named = {*meta.key, meta.region or "", *(it.name for it in contract.columns)}
    return named | _words(contract, contract.bound(), relation)


def _landed(contract: Contract) -> sql.Composable:
    return sql.SQL(
        "inner join {} as landed on rows._row_key = landed._row_key and rows._batch_id = landed._batch_id"
    ).format(sql.Identifier("raw", contract.raw_table))
