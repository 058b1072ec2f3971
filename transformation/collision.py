"""Collision 数据碰撞: the keys that two tables of the warehouse share, or that only the first has.

A result holds keys and nothing else, and only keys that name nobody may be collided on: the one-way keys of
persons (uuid) and credit codes of organisations. Every call is logged, refused and failed ones too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from huiliu.database import Connection, connect
from huiliu.errors import ConfigError, DataError, HuiliuError, TransientError

Mode = Literal["both", "only_a"]

LAYERS = ("staging", "base", "theme")
PUBLIC_KEYS = ("uscc",)
_OPERATION = {"both": sql.SQL("intersect"), "only_a": sql.SQL("except")}


@dataclass(frozen=True)
class Collision:
    """What a collision found: distinct keys of A and of B, and those in `result`, a table of one column."""

    run_id: int
    rows_a: int
    rows_b: int
    rows_out: int
    result: str


@dataclass(frozen=True)
class _Table:
    schema: str
    name: str
    key_type: str

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)


def collide(a: str, b: str, *, on: str, by: str, mode: str = "both") -> Collision:
    """Keep the keys of column `on` that tables A and B share (`both`), or that only A has (`only_a`).

    Tables are `<layer>.<table>`. ConfigError for a table, column or mode that there is not, or a column that
    is no key, or a missing right; TransientError if the warehouse cannot do it now, DataError if it never
    can. Each is in ops.collision_run as well.
    """
    with connect("warehouse:collide", autocommit=True) as conn:
        run_id = _begin(conn, a, b, on=on, by=by, mode=mode)
        try:
            if not by.strip():
                raise ConfigError("a collision needs the name of who calls it", fix="give --by")
            return _collide(conn, run_id, a, b, on=on, mode=mode)
        except HuiliuError as error:
            _failed(conn, run_id, str(error))
            raise
        except psycopg.Error as error:
            fault = _explained(f"{a} and {b} could not be collided", error)
            _failed(conn, run_id, str(fault))
            raise fault from error


def _explained(what: str, error: psycopg.Error) -> HuiliuError:
    # Only the primary message: the details may quote values.
    told = f"{what}: {error.diag.message_primary or type(error).__name__}"
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return ConfigError(told, fix='run "huiliu prepare" to set the rights of huiliu_collide again')
    # A build puts a new table in the place of the one that was looked up.
    if isinstance(error, psycopg.OperationalError | psycopg.errors.UndefinedTable):
        return TransientError(told, fix="see that no build is under way, then try again")
    return DataError(told, fix="see the warehouse's log, and what the two tables are")


def _collide(conn: Connection, run_id: int, a: str, b: str, *, on: str, mode: str) -> Collision:
    if mode not in get_args(Mode):
        raise ConfigError(f"there is no mode {mode}", fix=f"use one of: {', '.join(get_args(Mode))}")
    first, second = _key_of(conn, a, on), _key_of(conn, b, on)
    if first.key_type != second.key_type:
        raise ConfigError(
            f"{on} is {first.key_type} in {a} and {second.key_type} in {b}",
            fix="collide tables whose keys are of one kind",
        )
    result = f"run_{run_id}"
    with conn.transaction():
        # Counts and result are of one moment.
        conn.execute("set transaction isolation level repeatable read")
        rows_a, rows_b = _count(conn, first, on), _count(conn, second, on)
        names = {
            "result": sql.Identifier("collision", result),
            "key": sql.Identifier(on),
            "a": first.identifier,
            "b": second.identifier,
            "operation": _OPERATION[mode],
        }
        rows_out = conn.execute(
            sql.SQL(
                "create table {result} as select {key} from {a} where {key} is not null"
                " {operation} select {key} from {b} where {key} is not null"
            ).format(**names)
        ).rowcount
        conn.execute(sql.SQL("grant select on {result} to huiliu_owner").format(**names))
        conn.execute(
            "update ops.collision_run set status = 'succeeded', finished_at = clock_timestamp(),"
            " rows_a = %s, rows_b = %s, rows_out = %s where run_id = %s",
            [rows_a, rows_b, rows_out, run_id],
        )
    return Collision(run_id, rows_a, rows_b, rows_out, f"collision.{result}")


def _begin(conn: Connection, a: str, b: str, *, on: str, by: str, mode: str) -> int:
    row = conn.execute(
        "insert into ops.collision_run (called_by, table_a, table_b, key_column, mode, business_date)"
        " values (%s, %s, %s, %s, %s, (select business_date from ops.business_date)) returning run_id",
        [by.strip(), a, b, on, mode],
    ).fetchone()
    return cast(int, row[0]) if row else 0


def _failed(conn: Connection, run_id: int, error: str) -> None:
    if conn.closed or conn.info.transaction_status == TransactionStatus.UNKNOWN:
        return  # the row stays running: the call is counted, its end unknown
    conn.execute(
        "update ops.collision_run set status = 'failed', finished_at = clock_timestamp(), error = %s"
        " where run_id = %s",
        [error, run_id],
    )


def _key_of(conn: Connection, table: str, on: str) -> _Table:
    """Find a table that may be read, and its key's type. ConfigError says which tables have such a key."""
    row = conn.execute(
        _KEYS + " and nspname || '.' || relname = %s", [list(LAYERS), on, list(PUBLIC_KEYS), table]
    ).fetchone()
    if row is not None:
        return _Table(*row)
    raise ConfigError(
        f"there is no table {table} with a key column {on} that may be collided on",
        fix=f"tables with such a key: {', '.join(_tables_with(conn, on)) or 'none'}",
    )


_KEYS = """
    select nspname, relname, format_type(atttypid, null)
    from pg_attribute
    inner join pg_class on pg_class.oid = attrelid
    inner join pg_namespace on pg_namespace.oid = relnamespace
    where nspname = any(%s) and relkind in ('r', 'p', 'v', 'm') and attnum > 0 and not attisdropped
        and attname = %s and (format_type(atttypid, null) = 'uuid' or attname = any(%s))
        and has_column_privilege(pg_class.oid, attnum, 'select')
"""


def _tables_with(conn: Connection, on: str) -> Sequence[str]:
    rows = conn.execute(_KEYS + " order by 1, 2", [list(LAYERS), on, list(PUBLIC_KEYS)]).fetchall()
    return [f"{schema}.{name}" for schema, name, _ in rows]


def _count(conn: Connection, table: _Table, on: str) -> int:
    row = conn.execute(
        sql.SQL("select count(distinct {}) from {}").format(sql.Identifier(on), table.identifier)
    ).fetchone()
    return cast(int, row[0]) if row else 0
