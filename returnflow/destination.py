"""A front-end database as it is found and as a delivery leaves it: tables, rows, `_delivery`, receipts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from psycopg import sql

from huiliu.database import Connection
from returnflow.consumers import Consumer
from returnflow.failures import DeliveryError, closed_to
from returnflow.fingerprint import checksum, column_list, row_hash, row_key, type_of
from returnflow.notices import NOTICES
from returnflow.spec import Package

LEDGER = "_delivery"

_SCHEMA = """
select has_schema_privilege(schema.oid, 'USAGE') and has_schema_privilege(schema.oid, 'CREATE'),
    coalesce((select has_schema_privilege(role.oid, schema.oid, 'USAGE') from pg_roles as role
        where role.rolname = %(reader)s), false)
from pg_namespace as schema
where schema.nspname = %(schema)s
"""

_TABLES = """
select found.relname,
    has_table_privilege(found.oid, 'SELECT') and has_table_privilege(found.oid, 'INSERT')
        and has_table_privilege(found.oid, 'UPDATE') and has_table_privilege(found.oid, 'DELETE'),
    has_table_privilege(%(reader)s, found.oid, 'SELECT'),
    coalesce(obj_description(found.oid, 'pg_class'), ''),
    array(
        select array[
            attname, format_type(atttypid, atttypmod), coalesce(col_description(attrelid, attnum), '')
        ]
        from pg_attribute where attrelid = found.oid and attnum > 0 and not attisdropped order by attnum
    ),
    array(
        select attribute.attname::text
        from pg_index as index
        cross join lateral unnest(index.indkey::int2[]) with ordinality as part (attnum, nth)
        inner join pg_attribute as attribute
            on attribute.attrelid = index.indrelid and attribute.attnum = part.attnum
        where index.indrelid = found.oid and index.indisprimary order by part.nth
    )
from pg_class as found
inner join pg_namespace as schema on found.relnamespace = schema.oid
where schema.nspname = %(schema)s and found.relname = any(%(names)s) and found.relkind in ('r', 'p')
"""


@dataclass(frozen=True)
class FoundTable:
    """A consumer's table as it is: comments, columns as name -> (type, comment), and its primary key."""

    comment: str
    columns: dict[str, tuple[str, str]]
    key: tuple[str, ...]

    def fits(self, package: Package) -> bool:
        """Whether it has exactly the contract's columns, types and key."""
        types = {name: type_ for name, (type_, _) in self.columns.items()}
        return self.key == package.key and types == {column.name: column.type for column in package.columns}

    def is_labelled(self, package: Package) -> bool:
        """Whether its comments are the contract's."""
        labels = {name: label for name, (_, label) in self.columns.items()}
        return self.comment == package.title and labels == {
            column.name: column.label for column in package.columns
        }


@dataclass(frozen=True)
class FoundConsumer:
    """What a consumer's schema holds: its tables by name, and the last batch it got of each package."""

    tables: dict[str, FoundTable]
    has_ledger: bool
    has_notices: bool
    last_batches: dict[str, int]


def look(conn: Connection, consumer: Consumer, packages: Sequence[Package]) -> FoundConsumer:
    """Look at a consumer's schema; DeliveryError if it is missing or a right on it is."""
    params = {
        "schema": consumer.schema,
        "reader": consumer.reader,
        "names": [it.name for it in packages] + [LEDGER, NOTICES],
    }
    rights = conn.execute(_SCHEMA, params).fetchone()
    if rights is None:
        raise closed_to(consumer, f"schema {consumer.schema} is missing")
    if not rights[0]:
        raise _not_writable(conn, consumer, f"schema {consumer.schema}")
    if not rights[1]:
        raise closed_to(consumer, f"{consumer.reader} may not use schema {consumer.schema}")
    tables = {}
    for name, is_writable, is_readable, comment, columns, key in conn.execute(_TABLES, params):
        if not is_writable:
            raise _not_writable(conn, consumer, f"table {consumer.schema}.{name}")
        if not is_readable:
            raise closed_to(consumer, f"{consumer.reader} may not read {consumer.schema}.{name}")
        tables[name] = FoundTable(comment, {it[0]: (it[1], it[2]) for it in columns}, tuple(key))
    has_ledger, has_notices = (tables.pop(name, None) is not None for name in (LEDGER, NOTICES))
    last_batches = _last_batches(conn, consumer) if has_ledger else {}
    return FoundConsumer(tables, has_ledger, has_notices, last_batches)


def _last_batches(conn: Connection, consumer: Consumer) -> dict[str, int]:
    # By time and not by number: a warehouse made anew counts its batches from one again.
    query = sql.SQL(
        "select distinct on (package) package, batch_id from {} where notice is null"
        " order by package, delivered_at desc, batch_id desc"
    ).format(sql.Identifier(consumer.schema, LEDGER))
    return {str(package): int(batch_id) for package, batch_id in conn.execute(query)}


def make_table(conn: Connection, consumer: Consumer, package: Package, found: FoundTable | None) -> None:
    """Make the consumer's table what the contract says, within the consumer's transaction.

    A column that the contract no longer grants is dropped with its values; a changed type or key makes the
    table anew.
    """
    table = sql.Identifier(consumer.schema, package.name)
    if found is not None and found.fits(package):
        if not found.is_labelled(package):
            conn.execute(_comments(table, package))
        return
    if found is not None and found.key == package.key and _same_types(found, package):
        changes = [
            sql.SQL("add column {} {}").format(sql.Identifier(column.name), type_of(column))
            for column in package.columns
            if column.name not in found.columns
        ]
        granted = {column.name for column in package.columns}
        changes += [
            sql.SQL("drop column {}").format(sql.Identifier(it)) for it in found.columns if it not in granted
        ]
        conn.execute(sql.SQL("alter table {} {}").format(table, sql.SQL(", ").join(changes)))
    else:
        columns = [sql.SQL("{} {}").format(sql.Identifier(it.name), type_of(it)) for it in package.columns]
        key = sql.SQL(", ").join(map(sql.Identifier, package.key))
        text = sql.SQL("create table {} ({}, primary key ({}))").format(
            table, sql.SQL(", ").join(columns), key
        )
        if found is not None:
            text = sql.SQL("drop table {};").format(table) + text
        conn.execute(text)
    conn.execute(_comments(table, package))
    require_readable(conn, consumer, package.name)


def make_ledger(conn: Connection, consumer: Consumer) -> None:
    """Make the consumer's `_delivery` table: what it got, when, or why not."""
    table = sql.Identifier(consumer.schema, LEDGER)
    conn.execute(
        sql.SQL(
            """
            create table {0} (
                batch_id bigint not null,
                package text not null,
                rows bigint,
                delivered_at timestamptz not null,
                business_date date not null,
                notice text,
                primary key (batch_id, package)
            );
            comment on table {0} is '交付记录：每批每个数据包的交付时间、行数与说明';
            comment on column {0}.batch_id is '批次号';
            comment on column {0}.package is '数据包';
            comment on column {0}.rows is '交付后本表行数；暂缓交付时为空';
            comment on column {0}.delivered_at is '交付时间';
            comment on column {0}.business_date is '业务日期';
            comment on column {0}.notice is '说明：暂缓交付的原因，正常交付为空'
            """
        ).format(table)
    )
    require_readable(conn, consumer, LEDGER)


def write_ledger(
    conn: Connection,
    consumer: Consumer,
    batch_id: int,
    day: date,
    records: Sequence[tuple[Package, int | None, str | None]],
) -> None:
    """Write the consumer's own record of a batch: each package's rows there, or the notice that it is held.

    Repeating a batch replaces its record.
    """
    conn.execute(
        sql.SQL(
            """
            insert into {} (batch_id, package, rows, delivered_at, business_date, notice)
            select %(batch)s, package, rows, clock_timestamp(), %(day)s, notice
            from unnest(%(packages)s::text[], %(rows)s::bigint[], %(notices)s::text[])
                as record (package, rows, notice)
            on conflict (batch_id, package) do update set rows = excluded.rows, notice = excluded.notice,
                delivered_at = excluded.delivered_at, business_date = excluded.business_date
            """
        ).format(sql.Identifier(consumer.schema, LEDGER)),
        {
            "batch": batch_id,
            "day": day,
            "packages": [package.name for package, _, _ in records],
            "rows": [rows for _, rows, _ in records],
            "notices": [notice for _, _, notice in records],
        },
    )


def make_room(conn: Connection, package: Package) -> None:
    """Make the session's temporary tables that changes are copied into; commit empties them."""
    columns = [sql.SQL("{} {}").format(sql.Identifier(it.name), type_of(it)) for it in package.columns]
    conn.execute(
        sql.SQL(
            "create temporary table if not exists {} ({}) on commit delete rows;"
            "create temporary table if not exists {} (row_key text) on commit delete rows"
        ).format(incoming(package), sql.SQL(", ").join(columns), vanished(package))
    )


def incoming(package: Package) -> sql.Identifier:
    """Return the temporary table of rows to upsert."""
    return sql.Identifier(f"incoming_{package.name}")


def vanished(package: Package) -> sql.Identifier:
    """Return the temporary table of row keys to delete."""
    return sql.Identifier(f"vanished_{package.name}")


def apply_changes(conn: Connection, consumer: Consumer, package: Package) -> tuple[int, int]:
    """Delete and upsert what was copied in; return (rows upserted, rows deleted)."""
    table = sql.Identifier(consumer.schema, package.name)
    deleted = conn.execute(
        sql.SQL("delete from {} where {} in (select row_key from {})").format(
            table, row_key(package), vanished(package)
        )
    )
    values = [column.name for column in package.columns if column.name not in package.key]
    upserted = conn.execute(
        sql.SQL("insert into {} ({}) select {} from {} on conflict ({}) do update set {}").format(
            table,
            column_list(package),
            column_list(package),
            incoming(package),
            sql.SQL(", ").join(map(sql.Identifier, package.key)),
            sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in values),
        )
    )
    return upserted.rowcount, deleted.rowcount


def held_rows(consumer: Consumer, package: Package) -> sql.Composed:
    """Return the query for (row key, row hash) of all that the consumer's table holds."""
    table = sql.Identifier(consumer.schema, package.name)
    return sql.SQL("select {}, {} from {}").format(row_key(package), row_hash(package), table)


def take_receipts(
    conn: Connection, consumer: Consumer, packages: Sequence[Package]
) -> dict[str, tuple[int, str]]:
    """Ask the destination, on another connection after the commit, for rows and checksum of each package."""
    if not packages:
        return {}
    counts = [
        sql.SQL("select {}, count(*), {} from {}").format(
            package.name, checksum(row_hash(package)), sql.Identifier(consumer.schema, package.name)
        )
        for package in packages
    ]
    rows = conn.execute(sql.SQL(" union all ").join(counts))
    return {str(name): (int(count), str(total)) for name, count, total in rows}


def _not_writable(conn: Connection, consumer: Consumer, what: str) -> DeliveryError:
    writer = conn.info.user
    fix = 'run "huiliu prepare", which gives the rights back, then return again'
    return closed_to(consumer, f"{writer} may not write to {what}", fix)


def _same_types(found: FoundTable, package: Package) -> bool:
    return all(
        found.columns.get(column.name, (column.type, ""))[0] == column.type for column in package.columns
    )


def _comments(table: sql.Identifier, package: Package) -> sql.Composed:
    comments = [sql.SQL("comment on table {} is {}").format(table, package.title)]
    comments += [
        sql.SQL("comment on column {}.{} is {}").format(table, sql.Identifier(column.name), column.label)
        for column in package.columns
    ]
    return sql.SQL(";").join(comments)


def require_readable(conn: Connection, consumer: Consumer, name: str) -> None:
    """A table its consumer cannot read is no delivery: its default privileges were lost."""
    query = sql.SQL("select has_table_privilege({}, {}::regclass, 'SELECT')").format(
        consumer.reader, sql.Literal(sql.Identifier(consumer.schema, name).as_string(conn))
    )
    row = conn.execute(query).fetchone()
    if row is None or not row[0]:
        raise closed_to(consumer, f"{consumer.reader} may not read new tables of schema {consumer.schema}")
