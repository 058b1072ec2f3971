"""The correction list in the city's front-end database: a table of which each department sees its own."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from huiliu import connections, departments
from huiliu.database import Connection, connect
from huiliu.errors import ConfigError, HuiliuError
from soda_checks.corrections.columns import COLUMNS, NAMES, RECEIPT, ROW_HASH

_TABLE = sql.Identifier(departments.SCHEMA, "correction_list")
_INCOMING = sql.Identifier("incoming_correction")
_VANISHED = sql.Identifier("vanished_correction")
_HELD = sql.Identifier("held_correction")
_PREPARE = 'run "huiliu prepare", which makes schema and logins, then send the lists again'

_NOT_PREPARED = (
    psycopg.errors.InvalidSchemaName,
    psycopg.errors.UndefinedObject,
    psycopg.errors.InsufficientPrivilege,
)


class Front:
    """Connections to the city's front-end database, opened when they are needed.

    A database that cannot be reached is asked once: each later use raises the same HuiliuError.
    """

    def __init__(self, city: str) -> None:
        self._city = city
        self._writer: Connection | None = None
        self._refusal: HuiliuError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()

    def deliver(self, conn: Connection, department: str) -> tuple[int, int]:
        """Make a department's rows there those of `pg_temp.listed`; return rows upserted and deleted.

        Only what differs from what is there is written, in one transaction.
        """
        writer = self._open()
        with writer.transaction():
            self._make(writer, department)
            writer.execute(_DELETE_OF_OTHERS, [list(departments.load())])
            of_department = sql.SQL("where department = {}").format(sql.Literal(department))
            _pass_rows(
                writer,
                sql.SQL("select correction_id, {} from {} {}").format(ROW_HASH, _TABLE, of_department),
                conn,
                _HELD,
            )
            _pass_rows(conn, _CHANGED, writer, _INCOMING)
            _pass_rows(conn, _GONE, writer, _VANISHED)
            deleted = writer.execute(_DELETE, [department]).rowcount
            return writer.execute(_UPSERT, [department]).rowcount, deleted

    def receipt(self, department: str) -> tuple[int, str]:
        """Ask the destination, on another connection after the commit, for rows and checksum."""
        with connect(f"front_writer:{self._city}") as witness:
            row = witness.execute(
                sql.SQL("select {} from {} where department = %s").format(RECEIPT, _TABLE), [department]
            ).fetchone()
        return (int(row[0]), str(row[1])) if row else (0, "0")

    def _open(self) -> Connection:
        if self._refusal is not None:
            raise self._refusal
        if self._writer is None or self._writer.closed:
            try:
                self._writer = connect(f"front_writer:{self._city}", autocommit=True)
            except HuiliuError as error:
                self._refusal = error
                raise
        return self._writer

    def _make(self, writer: Connection, department: str) -> None:
        """Make the table, its rule that nobody reads a row but by a policy, and the department's policy."""
        try:
            if writer.execute("select to_regclass(%s)", [_TABLE.as_string()]).fetchone() == (None,):
                writer.execute(_CREATE)
            writer.execute(_ROOM)
            self._admit(writer, department)
        except _NOT_PREPARED as error:
            raise ConfigError(
                f"front_{self._city} is not prepared for {department}: {error.diag.message_primary}",
                fix=_PREPARE,
            ) from error

    def _admit(self, writer: Connection, department: str) -> None:
        code = departments.load().get(department)
        if code is None:
            raise ConfigError(
                f"{department} has no login",
                fix='add it to reference/departments.csv and run "huiliu prepare", or name another department'
                " in the contracts and score; then send the lists again",
            )
        role = _role(departments.connection_name(self._city, code))
        names = {
            "table": _TABLE,
            "role": sql.Identifier(role),
            "policy": sql.Identifier(code),
            "department": sql.Literal(department),
        }
        found = writer.execute(_POLICIES, {"code": code, "role": role, "department": department}).fetchall()
        for name, is_right in found:
            if not is_right:
                drop = sql.SQL("drop policy {} on {}").format(sql.Identifier(name), _TABLE)
                writer.execute(drop)
        if (code, True) not in found:
            writer.execute(
                sql.SQL(
                    "create policy {policy} on {table} for select to {role} using (department = {department})"
                ).format(**names)
            )
        writer.execute(sql.SQL("grant select on {table} to {role}").format(**names))


def make_room(conn: Connection) -> None:
    """Make the warehouse session's table of what the destination holds, for one transaction."""
    conn.execute(
        sql.SQL(
            "create temporary table {} (correction_id bigint primary key, row_hash text not null)"
            " on commit drop"
        ).format(_HELD)
    )


def _role(name: str) -> str:
    """The role that a connection reads with: the one its own setting names, if it has one."""
    own = connections.overridden(name)
    return str(conninfo_to_dict(own)["user"]) if own else connections.target(name).role


def _pass_rows(source: Connection, query: sql.Composable, target: Connection, table: sql.Composable) -> None:
    """Stream a query's rows into a table, COPY blocks as they come."""
    out = sql.SQL("copy ({}) to stdout (format binary)").format(query)
    into = sql.SQL("copy {} from stdin (format binary)").format(table)
    with source.cursor().copy(out) as blocks, target.cursor().copy(into) as copy:
        for block in blocks:
            copy.write(block)


# Policies that bear the department's code or let its login read. Names change: then they show others' lists.
_POLICIES = """
select
    policyname,
    policyname = %(code)s and cmd = 'SELECT' and roles = array[%(role)s]::name[]
    and qual = format('(department = %%L::text)', %(department)s::text)
from pg_policies
where schemaname = 'corrections' and tablename = 'correction_list'
    and (policyname = %(code)s or %(role)s = any(roles))
"""

_TYPED = sql.SQL(", ").join(
    sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.type)) for column in COLUMNS
)

_CREATE = sql.SQL("; ").join(
    [
        sql.SQL("create table {} (department text not null, {}, primary key (correction_id))").format(
            _TABLE, _TYPED
        ),
        sql.SQL("create index on {} (department)").format(_TABLE),
        sql.SQL("alter table {} enable row level security").format(_TABLE),
        sql.SQL("comment on table {} is '纠错清单：未关闭的纠错单与近三十日内关闭的'").format(_TABLE),
        sql.SQL("comment on column {}.department is '部门'").format(_TABLE),
        *(
            sql.SQL("comment on column {}.{} is {}").format(
                _TABLE, sql.Identifier(column.name), sql.Literal(column.heading)
            )
            for column in COLUMNS
        ),
    ]
)

_ROOM = sql.SQL(
    "create temporary table if not exists {} ({}) on commit delete rows;"
    "create temporary table if not exists {} (correction_id bigint) on commit delete rows"
).format(_INCOMING, _TYPED, _VANISHED)

_CHANGED = sql.SQL(
    """
    select {names} from pg_temp.listed
    where not exists (
        select from {held} as held
        where held.correction_id = listed.correction_id and held.row_hash = {row_hash}
    )
    """
).format(names=NAMES, held=_HELD, row_hash=ROW_HASH)

_GONE = sql.SQL(
    "select correction_id from {} as held"
    " where not exists (select from pg_temp.listed where listed.correction_id = held.correction_id)"
).format(_HELD)

_DELETE = sql.SQL(
    "delete from {} where department = %s and correction_id in (select correction_id from {})"
).format(_TABLE, _VANISHED)

# Of those that are no department any more.
_DELETE_OF_OTHERS = sql.SQL("delete from {} where department <> all(%s)").format(_TABLE)

_UPSERT = sql.SQL(
    "insert into {table} (department, {names}) select %s, {names} from {incoming}"
    " on conflict (correction_id) do update set department = excluded.department, {values}"
).format(
    table=_TABLE,
    names=NAMES,
    incoming=_INCOMING,
    values=sql.SQL(", ").join(
        sql.SQL("{0} = excluded.{0}").format(sql.Identifier(column.name)) for column in COLUMNS[1:]
    ),
)
