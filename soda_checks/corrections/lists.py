"""Send each department its correction list: files, the table in the city's front-end database, a receipt.

Each department stands alone: one that fails stops no other. `quality.correction_delivery` has
a row a department and business date. Sent again, nothing changes; killed anywhere, the next run mends it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import psycopg
from psycopg import sql

from huiliu import business_date, departments, regions
from huiliu.database import Connection, advisory_lock, connect
from huiliu.errors import DataError, HuiliuError, TransientError
from huiliu.settings import get_settings
from soda_checks.corrections.columns import NAMES, RECEIPT
from soda_checks.corrections.files import write_files
from soda_checks.corrections.front import Front, make_room

LOG = logging.getLogger(__name__)

CLOSED_SHOWN_DAYS = 30
"""Days for which a list still shows what was closed, so that a department sees what was accepted."""


@dataclass(frozen=True)
class ListSent:
    """One department's list: its rows, those open and overdue, what changed at the destination.

    `urged` tells in Chinese how many are at each level of urging. `error` says why it was not sent;
    `may_pass` whether sending again may help.
    """

    department: str
    rows: int = 0
    open: int = 0
    overdue: int = 0
    urged: str = ""
    rows_upserted: int = 0
    rows_deleted: int = 0
    file: str | None = None
    error: str | None = None
    may_pass: bool = False


def send_lists() -> list[ListSent]:
    """Send each department whose tables were scored, or that ever had a correction, its list of the day.

    One without a login that has nothing open is no department any more, and gets none.
    A department's failure is in its own result. Raises TransientError if another run sends, or if the
    warehouse is lost.
    """
    city = regions.consumer_code(regions.load().city)
    with (
        connect("warehouse:score", autocommit=True) as conn,
        advisory_lock(conn, "corrections"),
        Front(city) as front,
    ):
        today = business_date.get(conn)
        found = conn.execute(_DEPARTMENTS, {"with_login": list(departments.load())}).fetchall()
        return [_send(conn, front, str(department), today) for (department,) in found]


def raise_failures(sent: list[ListSent]) -> None:
    """Raise what kept lists from being sent; TransientError if each cause may pass."""
    failed = [it for it in sent if it.error]
    if not failed:
        return
    kind = TransientError if all(it.may_pass for it in failed) else DataError
    raise kind(
        f"{len(failed)} of {len(sent)} correction lists were not sent:\n"
        + "\n".join(f"{it.department}: {it.error}" for it in failed)
        + "\n",
        fix="do what each cause says, then send the lists again",
    )


def _send(conn: Connection, front: Front, department: str, today: date) -> ListSent:
    conn.execute(_BEGIN, {"department": department, "today": today})
    sent = ListSent(department)
    try:
        with conn.transaction():
            conn.execute("set transaction isolation level repeatable read")
            sent, checksum = _listed(conn, department, today)
            file = write_files(department, today, _rows(conn))
            sent = replace(sent, file=str(file.relative_to(get_settings().home)))
            upserted, deleted = front.deliver(conn, department)
            sent = replace(sent, rows_upserted=upserted, rows_deleted=deleted)
        receipt = front.receipt(department)
        _finish(conn, sent, today, checksum, receipt)
        if receipt != (sent.rows, checksum):
            raise DataError(
                f"the destination shows {receipt[0]} rows with checksum {receipt[1]},"
                f" expected {sent.rows} with {checksum}",
                fix="send the lists again: what differs there is made good",
            )
    except (HuiliuError, psycopg.Error, OSError) as error:
        if conn.broken:
            raise
        explained = _explained(error)
        sent = replace(sent, error=str(explained), may_pass=isinstance(explained, TransientError))
        conn.execute(_FAIL, {"department": department, "today": today, "error": sent.error})
        LOG.warning("%s: %s", department, sent.error)
    return sent


def _explained(error: HuiliuError | psycopg.Error | OSError) -> HuiliuError:
    """Say what failed and what to do. Of a database's message only what quotes no row is passed on."""
    if isinstance(error, HuiliuError):
        return error
    if isinstance(error, OSError):
        return DataError(
            f"{error.filename or 'outbox/corrections'}: {error.strerror or type(error).__name__}",
            fix="make outbox/corrections in HUILIU_HOME writable and its disk large enough, then send again",
        )
    said = f"{type(error).__name__}, SQLSTATE {error.sqlstate}"
    if isinstance(error, psycopg.OperationalError):
        return TransientError(
            f"The warehouse or the front-end database broke off ({said})",
            fix="see that both servers run and have room, then send again",
        )
    if isinstance(error, psycopg.ProgrammingError):
        return DataError(
            f"The front-end database is not as it should be: {error.diag.message_primary} ({said})",
            fix="undo what was changed there, or drop corrections.correction_list, then send again",
        )
    return DataError(
        f"A database refused the list ({said})",
        fix="read its log of this moment, which says why, then send again",
    )


def _listed(conn: Connection, department: str, today: date) -> tuple[ListSent, str]:
    """Put the department's list into `pg_temp.listed` for this transaction; count it."""
    make_room(conn)
    conn.execute(
        sql.SQL(
            """
            create temporary table listed on commit drop as
            select {names}, escalated_level, closed_on is null as is_open, is_overdue
            from quality.correction_list
            where department = %(department)s and (closed_on is null or closed_on > %(since)s)
            """
        ).format(names=NAMES),
        {"department": department, "since": today - timedelta(days=CLOSED_SHOWN_DAYS)},
    )
    conn.execute("analyze pg_temp.listed")
    row = conn.execute(
        sql.SQL(
            "select {}, count(*) filter (where is_open), count(*) filter (where is_overdue), ({})"
            " from pg_temp.listed"
        ).format(RECEIPT, _URGED)
    ).fetchone() or (0, "0", 0, 0, "")
    rows, checksum, is_open, overdue, urged = row
    return ListSent(department, rows, is_open, overdue, urged), str(checksum)


def _rows(conn: Connection) -> Iterator[tuple[Any, ...]]:
    with conn.cursor(name="correction_list") as cursor:
        cursor.itersize = 5000
        cursor.execute(
            sql.SQL("select {} from pg_temp.listed order by not is_open, due_on, correction_id").format(NAMES)
        )
        yield from cursor


def _finish(conn: Connection, sent: ListSent, today: date, checksum: str, receipt: tuple[int, str]) -> None:
    conn.execute(
        _FINISH,
        {
            "department": sent.department,
            "today": today,
            "rows": sent.rows,
            "checksum": checksum,
            "file": sent.file,
            "upserted": sent.rows_upserted,
            "deleted": sent.rows_deleted,
            "there": receipt[0],
            "checksum_there": receipt[1],
            "matches": receipt == (sent.rows, checksum),
        },
    )


_URGED = sql.SQL("""
    select coalesce(string_agg(urged || ' ' || many, '，' order by escalated_level), '')
    from (
        select urged, escalated_level, count(*) as many from pg_temp.listed
        where is_open and urged is not null group by urged, escalated_level
    ) as level
""")

_DEPARTMENTS = """
select department from quality.correction
where closed_at is null or department = any(%(with_login)s)
union
select department from quality.check_result
where layer = 'staging' and tested > 0 and batch_id = (
    select max(batch_id) from quality.score_run where stage = 'score' and status = 'succeeded'
)
order by department
"""

_BEGIN = """
insert into quality.correction_delivery (department, business_date, started_at)
values (%(department)s, %(today)s, clock_timestamp())
on conflict (department, business_date) do update set started_at = excluded.started_at, sent_at = null
"""

_FAIL = """
update quality.correction_delivery set error = %(error)s
where department = %(department)s and business_date = %(today)s
"""

_FINISH = """
update quality.correction_delivery set
    rows = %(rows)s, checksum = %(checksum)s, file = %(file)s, rows_upserted = %(upserted)s,
    rows_deleted = %(deleted)s, destination_rows = %(there)s, destination_checksum = %(checksum_there)s,
    matches = %(matches)s, sent_at = clock_timestamp(), error = null
where department = %(department)s and business_date = %(today)s
"""
