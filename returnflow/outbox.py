"""The warehouse's side of deliveries to one front-end database: staged rows, what was sent, the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from psycopg import sql

from huiliu.database import Connection
from returnflow import moves
from returnflow.fingerprint import checksum, column_list, row_hash, row_key, typed_columns
from returnflow.spec import Package

# At most the region at the front and four characters at the end may show (std.mask_resident_id shows less).
_IS_MASKED = r"^[0-9]{0,6}\*{3,}[0-9Xx]{0,4}$"
# 15 digits in a row, half or full width: the shorter form of an ID number, and the longer one too.
_HOLDS_NUMBER = "[0-9０-９]{15}"

# Rows and checksum of an empty table.
NOTHING = (0, "0")

_HELD = "create temporary table if not exists held_row (row_key text primary key, row_hash text not null)"


@dataclass(frozen=True)
class Due:
    """A row of ops.delivery that this front-end database is to get, and the batch the ledger says it has."""

    delivery_id: int
    package: str
    consumer_code: str
    status: str
    notice: str | None
    mass_delete_released: bool
    last_batch: int | None
    business_date: date


@dataclass(frozen=True)
class Staged:
    """What staging a package found, by consumer: plain ID numbers, and what those without changes hold."""

    unmasked: dict[str, tuple[str, int]]
    unchanged: dict[str, tuple[int, str]]


def load_due(conn: Connection, batch_id: int, codes: Sequence[str]) -> list[Due]:
    """Return what is still to be done of a batch for these consumers, unless a later batch took its place."""
    rows = conn.execute(
        """
        select delivery_id, package, consumer_code, status, notice, mass_delete_released, (
            select batch_id from ops.delivery as earlier
            where earlier.package = due.package and earlier.consumer_code = due.consumer_code
                and earlier.status = 'delivered'
            order by earlier.delivery_id desc limit 1
        ), business_date
        from ops.delivery as due
        where batch_id = %(batch)s and consumer_code = any(%(codes)s) and is_planned
            and (status in ('planned', 'running', 'failed') or (status = 'held' and finished_at is null))
            and not exists (
                select from ops.delivery as later
                where later.package = due.package and later.consumer_code = due.consumer_code
                    and later.delivery_id > due.delivery_id
            )
        order by consumer_code, package
        """,
        {"batch": batch_id, "codes": list(codes)},
    )
    return [Due(*row) for row in rows]


def start(conn: Connection, due: Sequence[Due]) -> None:
    """Say in the ledger that these deliveries are under way."""
    conn.execute(
        "update ops.delivery set status = 'running', started_at = clock_timestamp(), finished_at = null,"
        " error = null where delivery_id = any(%s) and status <> 'held'",
        [[it.delivery_id for it in due]],
    )


def hold(conn: Connection, due: Sequence[Due], notice: str, reason: str) -> list[Due]:
    """Hold deliveries that were planned but may not go out now; return them as held, the notice still due."""
    conn.execute(
        "update ops.delivery set status = 'held', notice = %s, error = %s where delivery_id = any(%s)",
        [notice, reason, [it.delivery_id for it in due]],
    )
    return [replace(it, status="held", notice=notice) for it in due]


def stage(
    conn: Connection,
    package: Package,
    batch_id: int,
    full: Sequence[str],
    changed: Sequence[str],
    unchanged: Sequence[str],
) -> Staged:
    """Copy aside what may go out: all rows of ``full`` consumers, the planned keys of ``changed`` ones.

    One pass over the model, so that a database with many townships costs no more than one.
    """
    staged = _staged(package)
    conn.execute(sql.SQL("drop table if exists {}").format(staged))
    conn.execute(
        sql.SQL(
            """
            create temporary table {staged} as
            select _consumer, _key, {hash} as _hash, {names}
            from (
                select _consumer, {key} as _key, {names}
                from (
                    select consumer_code::text as _consumer, {columns} from {model}
                    where consumer_code = any({codes})
                ) as typed
            ) as keyed
            where _consumer = any({full}) or (_consumer, _key) in (
                select consumer_code, row_key from ops.planned_change
                where batch_id = {batch} and package = {package} and consumer_code = any({changed})
            )
            """
        ).format(
            staged=staged,
            hash=row_hash(package),
            names=column_list(package),
            key=row_key(package),
            columns=typed_columns(package),
            model=sql.Identifier("return", package.model),
            codes=[*full, *changed],
            full=list(full),
            changed=list(changed),
            batch=batch_id,
            package=package.name,
        )
    )
    conn.execute(sql.SQL("create index on {} (_consumer); analyze {}").format(staged, staged))
    conn.execute(_HELD)
    return Staged(_unmasked(conn, package), _sent_before(conn, package, unchanged))


def _sent_before(conn: Connection, package: Package, codes: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Return rows and checksum by consumer of what was sent, which those without changes must still show."""
    query = sql.SQL(
        "select consumer_code, count(*), {} from ops.sent_row"
        " where package = %s and consumer_code = any(%s) group by 1"
    ).format(checksum(sql.Identifier("row_hash")))
    rows = conn.execute(query, [package.name, list(codes)])
    return {str(code): (int(count), str(total)) for code, count, total in rows}


def _unmasked(conn: Connection, package: Package) -> dict[str, tuple[str, int]]:
    """Return by consumer the column with plain ID numbers ("text": any column), and how many rows hold one.

    A package with a masked column is searched whole: an ID number in a name or remark must not leave either.
    """
    masked = [column.name for column in package.columns if column.mask is not None]
    if not masked:
        return {}
    texts = [sql.Identifier(column.name) for column in package.columns if column.type == "text"]
    tests = {name: sql.SQL("{} !~ {}").format(sql.Identifier(name), _IS_MASKED) for name in masked}
    tests["text"] = sql.SQL("concat_ws('|', {}) ~ {}").format(sql.SQL(", ").join(texts), _HOLDS_NUMBER)
    found: dict[str, tuple[str, int]] = {}
    for name, test in tests.items():
        rows = conn.execute(
            sql.SQL("select _consumer, count(*) from {} where {} group by 1").format(_staged(package), test)
        )
        found |= {str(code): (name, int(count)) for code, count in rows}
    return found


def planned_consumers(conn: Connection, package: Package, batch_id: int) -> set[str]:
    """Return the consumers for which changes are planned."""
    rows = conn.execute(
        "select distinct consumer_code from ops.planned_change where package = %s and batch_id = %s",
        [package.name, batch_id],
    )
    return {str(row[0]) for row in rows}


@dataclass(frozen=True)
class Parcel:
    """What goes to one consumer: in full (less what it holds, in `held_row`) or the planned differences."""

    package: Package
    batch_id: int
    consumer_code: str
    is_full: bool

    def upserts(self) -> sql.Composed:
        """Query for the rows to insert or update, columns in the order of the contract."""
        query: sql.Composed = sql.SQL("select {} from {} as staged where _consumer = {}").format(
            column_list(self.package), _staged(self.package), self.consumer_code
        )
        if not self.is_full:
            return query
        same = "held_row.row_key = staged._key and held_row.row_hash = staged._hash"
        return query + sql.SQL(" and not exists (select from held_row where {})").format(sql.SQL(same))

    def deletes(self) -> sql.Composed:
        """Query for the row keys to delete. A key planned to vanish that is there again is not deleted."""
        if self.is_full:
            keys: sql.Composable = sql.SQL("select row_key from held_row as gone where true")
        else:
            keys = sql.SQL(
                "select row_key from ops.planned_change as gone"
                " where batch_id = {} and package = {} and consumer_code = {} and op = 'D'"
            ).format(self.batch_id, self.package.name, self.consumer_code)
        return sql.SQL(
            "{} and not exists (select from {} where _consumer = {} and _key = gone.row_key)"
        ).format(keys, _staged(self.package), self.consumer_code)

    def expected(self, conn: Connection) -> tuple[int, str]:
        """Return rows and checksum that the destination must show after this delivery."""
        hashes = sql.SQL("select _hash as row_hash from {} where _consumer = {}").format(
            _staged(self.package), self.consumer_code
        )
        if not self.is_full:
            hashes = sql.SQL(
                """
                select row_hash from ops.sent_row as sent
                where package = {package} and consumer_code = {code}
                    and not exists (select from {staged} where _consumer = {code} and _key = sent.row_key)
                    and not exists (
                        select from ops.planned_change as gone
                        where gone.package = {package} and gone.consumer_code = {code}
                            and gone.batch_id = {batch} and gone.op = 'D' and gone.row_key = sent.row_key
                    )
                union all {hashes}
                """
            ).format(
                package=self.package.name,
                code=self.consumer_code,
                batch=self.batch_id,
                staged=_staged(self.package),
                hashes=hashes,
            )
        return self._count(conn, hashes)

    def record_sent(self, conn: Connection) -> None:
        """Make ops.sent_row what the consumer verifiably holds now, and forget the planned changes."""
        params = {"package": self.package.name, "code": self.consumer_code, "batch": self.batch_id}
        where = "package = %(package)s and consumer_code = %(code)s"
        if self.is_full:
            conn.execute(sql.SQL("delete from ops.sent_row where {}").format(sql.SQL(where)), params)
        else:
            conn.execute(
                sql.SQL("delete from ops.sent_row where {} and row_key in ({})").format(
                    sql.SQL(where), self.deletes()
                ),
                params,
            )
        conn.execute(
            sql.SQL(
                "insert into ops.sent_row (package, consumer_code, row_key, row_hash)"
                " select %(package)s, _consumer, _key, _hash from {} where _consumer = %(code)s"
                " on conflict (package, consumer_code, row_key) do update set row_hash = excluded.row_hash"
            ).format(_staged(self.package)),
            params,
        )
        conn.execute(sql.SQL("delete from ops.planned_change where {}").format(sql.SQL(where)), params)
        if self.package.has_persons:
            moves.confirm(conn, self.package, self.consumer_code)

    def _count(self, conn: Connection, hashes: sql.Composable) -> tuple[int, str]:
        query = sql.SQL("select count(*), {} from ({}) as hashes").format(
            checksum(sql.Identifier("row_hash")), hashes
        )
        rows, total = conn.execute(query).fetchall()[0]
        return int(rows), str(total)


def finish(
    conn: Connection,
    due: Due,
    *,
    upserted: int,
    deleted: int,
    expected: tuple[int, str],
    receipt: tuple[int, str],
) -> None:
    """Record a delivery with its receipt; it is delivered only if the receipt matches."""
    conn.execute(
        """
        with received as (
            insert into ops.receipt
                (delivery_id, received_at, destination_rows, destination_checksum, matches)
            values (%(id)s, clock_timestamp(), %(there)s, %(there_sum)s, %(matches)s)
            on conflict (delivery_id) do update set
                received_at = excluded.received_at,
                destination_rows = excluded.destination_rows,
                destination_checksum = excluded.destination_checksum,
                matches = excluded.matches
        )
        update ops.delivery set status = case when %(matches)s then 'delivered' else 'failed' end,
            finished_at = clock_timestamp(), rows_upserted = %(upserted)s, rows_deleted = %(deleted)s,
            rows_total = %(meant)s, checksum = %(meant_sum)s
        where delivery_id = %(id)s
        """,
        {
            "id": due.delivery_id,
            "there": receipt[0],
            "there_sum": receipt[1],
            "meant": expected[0],
            "meant_sum": expected[1],
            "matches": receipt == expected,
            "upserted": upserted,
            "deleted": deleted,
        },
    )


def finish_notice(conn: Connection, due: Due) -> None:
    """Record that a held consumer was told so."""
    conn.execute(
        "update ops.delivery set finished_at = clock_timestamp() where delivery_id = %s", [due.delivery_id]
    )


def fail(conn: Connection, due: Sequence[Due], error: str) -> None:
    """Record deliveries as failed; a held one stays held, and its notice is still due."""
    conn.execute(
        "update ops.delivery set status = case status when 'held' then 'held' else 'failed' end,"
        " finished_at = case status when 'held' then null else clock_timestamp() end,"
        " error = case status when 'held' then error else %s end"
        " where delivery_id = any(%s)",
        [error, [it.delivery_id for it in due]],
    )


def _staged(package: Package) -> sql.Identifier:
    return sql.Identifier(f"staged_{package.name}")
