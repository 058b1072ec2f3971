"""What is due: for each package and consumer a row of `ops.delivery`, and the keys that differ.

A plan freezes *which keys* go to whom; the delivery sends the values those keys have then. So a build that
ends in between mixes nothing up: what it changed beyond these keys is found by the next plan.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import LiteralString

import psycopg
from psycopg import sql

from huiliu import business_date, regions
from huiliu.database import Connection, advisory_lock, connect
from huiliu.errors import HuiliuError, TransientError
from returnflow import moves
from returnflow.consumers import Consumer, all_consumers, consumers_of
from returnflow.failures import model_error
from returnflow.fingerprint import row_hash, row_key, typed_columns
from returnflow.freshness import outdated
from returnflow.spec import Package, choose, load_packages

LOG = logging.getLogger(__name__)
TRANSPORT = "front_database"
LONGEST_DELIVERY = timedelta(hours=2)

BELOW_FLOOR = "质量未达标，沿用上次数据"
NOT_SCORED = "质量未评分，沿用上次数据"
EXPIRED = "数据合同已到期，沿用上次数据"
MASS_DELETE = "删除比例异常，待核实，沿用上次数据"


@dataclass(frozen=True)
class PlannedDelivery:
    """A due delivery: planned, or held with the reason."""

    package: str
    consumer_code: str
    status: str
    reason: str | None


@dataclass(frozen=True)
class Plan:
    """The due deliveries of a batch; ``problems`` are packages, or rows of theirs, that can go to nobody.

    ``waiting``: packages that a micro-batch leaves to the day's batch, as they are held.
    """

    batch_id: int
    business_date: date
    deliveries: list[PlannedDelivery] = field(repr=False)
    problems: list[str]
    waiting: list[str] = field(default_factory=list)

    @property
    def front_codes(self) -> list[str]:
        """Front-end databases that have something due."""
        return sorted({regions.front_code(delivery.consumer_code) for delivery in self.deliveries})

    def count(self, status: str) -> int:
        """Return the number of deliveries of a status: planned or held."""
        return sum(delivery.status == status for delivery in self.deliveries)


def plan(
    packages: Sequence[str] | None = None,
    consumers: Sequence[str] | None = None,
    *,
    release_mass_delete: bool = False,
    changes_only: bool = False,
) -> Plan:
    """Plan a batch: all packages to all their consumers, unless narrowed by name or code.

    ``release_mass_delete`` lets deletions pass the breaker once, by an operator's decision; ``changes_only``
    leaves out consumers for whom nothing changed, and says nothing to those who are held. Raises ConfigError
    for an unknown package or consumer, TransientError while a delivery is under way.
    """
    chosen = choose(load_packages(), packages)
    targets = {package.name: consumers_of(package, consumers) for package in chosen}
    with connect("warehouse:return") as conn, _nobody_delivers(conn):
        if changes_only:
            _check_nothing_planned(conn, targets)
        day = business_date.get(conn)
        batch_id = int(_value(conn, "select nextval('ops.batch_id_seq')"))
        conn.commit()
        problems: list[str] = []
        waiting: list[str] = []
        for package in chosen:
            batch = _Batch(conn, batch_id, day, package, targets[package.name], changes_only)
            problems += _plan_package(batch, release_mass_delete, waiting)
        deliveries = _planned(conn, batch_id)
    found = Plan(batch_id, day, deliveries, problems, waiting)
    LOG.info(
        "batch %s: %s deliveries planned, %s held", batch_id, found.count("planned"), found.count("held")
    )
    return found


def lock_key(front_code: str) -> str:
    """Return the name of the lock that whoever delivers to a front-end database holds."""
    return f"return: front_{front_code}"


@contextmanager
def _nobody_delivers(conn: Connection) -> Iterator[None]:
    """Hold the lock of every front-end database: no delivery changes what was sent while we compare."""
    with ExitStack() as stack:
        for code in regions.load().front_codes:
            stack.enter_context(advisory_lock(conn, lock_key(code)))
        yield


@dataclass(frozen=True)
class _Batch:
    """One package of one batch, while it is planned."""

    conn: Connection
    batch_id: int
    day: date
    package: Package
    consumers: list[Consumer]
    changes_only: bool = False

    def execute(self, query: str | sql.Composable, **more: object) -> psycopg.Cursor[tuple[object, ...]]:
        params = {
            "batch": self.batch_id,
            "package": self.package.name,
            "codes": [consumer.code for consumer in self.consumers],
            "day": self.day,
            "changes_only": self.changes_only,
        }
        return self.conn.execute(query, params | more)  # type: ignore[arg-type]  # constants of this module, not literals here


def _plan_package(batch: _Batch, release_mass_delete: bool, waiting: list[str]) -> list[str]:
    """Plan one package in a transaction; a package that cannot be compared fails alone and says why.

    A package that a micro-batch leaves to the day's batch is added to ``waiting``.
    """
    try:
        with batch.conn.transaction():
            _replace_unfinished(batch)
            reason = _package_hold(batch)
            if batch.changes_only and reason is not None:
                LOG.warning("%s waits: %s", batch.package.name, reason[1])
                waiting.append(batch.package.name)
                return []
            if batch.changes_only:
                _plan_changes(batch)
                return []
            _insert_deliveries(batch, reason, release_mass_delete)
            if reason is not None:
                return []
            _find_changes(batch)
            _hold_mass_deletes(batch)
            _keep_planned_changes(batch)
            return _rows_for_nobody(batch)
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        problem = str(model_error(batch.package, error))
    if batch.changes_only:
        return [problem]
    with batch.conn.transaction():
        _replace_unfinished(batch)
        _insert_deliveries(batch, None, release_mass_delete)
        batch.execute(
            "update ops.delivery set status = 'failed', is_planned = false, finished_at = clock_timestamp(),"
            " error = %(error)s where batch_id = %(batch)s and package = %(package)s",
            error=problem,
        )
    return [problem]


def _plan_changes(batch: _Batch) -> None:
    """Plan for the consumers that something changed for."""
    _find_changes(batch)
    rows = batch.execute(
        "select distinct consumer_code from ops.planned_change"
        " where batch_id = %(batch)s and package = %(package)s"
    )
    changed = {str(row[0]) for row in rows}
    _insert_deliveries(
        replace(batch, consumers=[it for it in batch.consumers if it.code in changed]), None, False
    )
    _hold_mass_deletes(batch)
    _keep_planned_changes(batch)


def _check_nothing_planned(conn: Connection, packages: Iterable[str]) -> None:
    """Leave a day's batch alone between its plan and its deliveries; one that was killed is replaced."""
    planned = conn.execute(
        "select count(*) from ops.delivery where status in ('planned', 'running') and not changes_only"
        " and package = any(%s) and started_at > clock_timestamp() - %s",
        [list(packages), LONGEST_DELIVERY],
    ).fetchall()[0][0]
    if planned:
        raise TransientError(
            f"{planned} deliveries of a day's batch are still to be made", fix="wait for them to end"
        )


def _replace_unfinished(batch: _Batch) -> None:
    """Close what an interrupted batch left open: this batch takes its place."""
    batch.execute(
        """
        update ops.delivery set status = 'failed', finished_at = clock_timestamp(),
            error = 'interrupted; batch ' || %(batch)s::bigint || ' takes its place'
        where package = %(package)s and consumer_code = any(%(codes)s) and status in ('planned', 'running')
        """
    )
    batch.execute(
        "delete from ops.planned_change where package = %(package)s and consumer_code = any(%(codes)s)"
    )


def _package_hold(batch: _Batch) -> tuple[str, str] | None:
    """Return (notice for the consumers, reason for the operator) if the package may go to nobody today."""
    package = batch.package
    if batch.day > package.valid_until:
        return (
            EXPIRED,
            f"the contract of {package.name} ended on {package.valid_until}. Fix: renew valid_until",
        )
    stale = outdated(batch.conn, package, batch.day)
    if stale is not None or package.quality_floor == 0:
        return stale
    rows = batch.execute(
        """
            select distinct on (score.name) score.name, score.score
            from quality.score as score
            inner join quality.score_run as run on score.batch_id = run.batch_id
            where score.level = 'table' and score.dimension = 'overall' and score.name = any(%(names)s)
                and run.stage = 'score' and run.status = 'succeeded'
            order by score.name, score.batch_id desc
            """,
        names=list(package.scored_by),
    )
    scores = {str(name): score for name, score in rows}
    for name in package.scored_by:
        score = scores.get(name)
        if score is None:
            return NOT_SCORED, f'{name} has no quality score. Fix: run "huiliu score", then return again'
        if float(str(score)) < package.quality_floor:
            return BELOW_FLOOR, (
                f"{name} scores {float(str(score)):.4f}, below the floor {package.quality_floor}"
                f" of {package.name}. Fix: correct what quality.failed_row lists, score and return again"
            )
    return None


def _insert_deliveries(batch: _Batch, hold: tuple[str, str] | None, release_mass_delete: bool) -> None:
    batch.execute(
        """
        insert into ops.delivery (batch_id, package, consumer_code, transport, business_date, due_at, status,
            notice, error, mass_delete_released, changes_only)
        select %(batch)s, %(package)s, code, %(transport)s, %(day)s,
            clock_timestamp() + make_interval(hours => %(due_hours)s), %(status)s,
            %(notice)s, %(reason)s, %(released)s, %(changes_only)s
        from unnest(%(codes)s::text[]) as code
        """,
        transport=TRANSPORT,
        due_hours=batch.package.due_hours,
        status="held" if hold else "planned",
        notice=hold[0] if hold else None,
        reason=hold[1] if hold else None,
        released=release_mass_delete,
    )


def _find_changes(batch: _Batch) -> None:
    """Compare what consumers were sent with what the model holds now, and log who moved between them.

    All consumers of the package are compared, chosen or not: a move has two ends. One never served
    gets all its rows anyway and is left out.
    """
    everyone = [consumer.code for consumer in consumers_of(batch.package)]
    served = [
        str(row[0])
        for row in batch.execute(
            "select distinct consumer_code from ops.delivery"
            " where package = %(package)s and status = 'delivered' and consumer_code = any(%(everyone)s)",
            everyone=everyone,
        )
    ]
    # The comparison is a full join of the package; without memory it would sort on disk.
    batch.execute("set local work_mem = '64MB'")
    if served:
        batch.execute(_changes_query(batch.package), served=served)
    if batch.package.has_persons:
        unserved = sorted(set(everyone) - set(served))
        moves.log_moves(batch.conn, batch.package, batch.batch_id, batch.day, unserved)


def _changes_query(package: Package) -> sql.Composed:
    return sql.SQL(
        """
        insert into ops.planned_change (batch_id, package, consumer_code, row_key, op)
        select %(batch)s, %(package)s, consumer_code, row_key,
            case when sent.row_hash is null then 'I' when live.row_hash is null then 'D' else 'U' end
        from (
            select consumer_code, {key} as row_key, {hash} as row_hash
            from (
                select consumer_code::text, {columns} from {model} where consumer_code = any(%(served)s)
            ) as typed
        ) as live
        full join (
            select consumer_code, row_key, row_hash from ops.sent_row
            where package = %(package)s and consumer_code = any(%(served)s)
        ) as sent using (consumer_code, row_key)
        where live.row_hash is distinct from sent.row_hash
        """
    ).format(
        key=row_key(package),
        hash=row_hash(package),
        columns=typed_columns(package),
        model=sql.Identifier("return", package.model),
    )


def _hold_mass_deletes(batch: _Batch) -> None:
    """The breaker: hold a consumer that would lose too many of its rows."""
    batch.execute(
        """
        with vanishing as (
            select consumer_code, count(*) as rows from ops.planned_change
            where batch_id = %(batch)s and package = %(package)s and op = 'D'
            group by consumer_code having count(*) > %(allowance)s
        ),
        judged as (
            select consumer_code, vanishing.rows, (
                select count(*) from ops.sent_row
                where sent_row.package = %(package)s and sent_row.consumer_code = vanishing.consumer_code
            ) as sent
            from vanishing
        )
        update ops.delivery set status = 'held', notice = %(notice)s,
            error = format('%%s of %%s rows would be deleted, more than max_delete_share %%s of the package.'
                ' Fix: find out why they vanished, or release the deletion',
                judged.rows, judged.sent, %(share)s::numeric)
        from judged
        where delivery.batch_id = %(batch)s and delivery.package = %(package)s
            and delivery.consumer_code = judged.consumer_code and not delivery.mass_delete_released
            and judged.rows > judged.sent * %(share)s::numeric
        """,
        allowance=batch.package.delete_allowance,
        share=batch.package.max_delete_share,
        notice=MASS_DELETE,
    )


def _keep_planned_changes(batch: _Batch) -> None:
    batch.execute(
        """
        delete from ops.planned_change as change
        where batch_id = %(batch)s and package = %(package)s and not exists (
            select from ops.delivery
            where delivery.batch_id = change.batch_id and delivery.package = change.package
                and delivery.consumer_code = change.consumer_code and delivery.status = 'planned'
        )
        """
    )


def _rows_for_nobody(batch: _Batch) -> list[str]:
    """Report rows whose consumer the city does not have: they would silently reach nobody."""
    query = sql.SQL(
        "select consumer_code::text, count(*) from {}"
        " where consumer_code is null or consumer_code <> all(%(everyone)s) group by 1 order by 1"
    ).format(sql.Identifier("return", batch.package.model))
    known = [it.code for it in all_consumers().values() if it.level in batch.package.consumers]
    rows = batch.execute(query, everyone=known).fetchall()
    model = f'"return".{batch.package.model}'
    return [
        f"{batch.package.name}: {count} rows of {model} are for consumer {code or '(none)'}"
        ", which the region codes do not have. Fix: add it to the region codes, or correct the model"
        for code, count in rows
    ]


def _planned(conn: Connection, batch_id: int) -> list[PlannedDelivery]:
    rows = conn.execute(
        "select package, consumer_code, status, error from ops.delivery where batch_id = %s"
        " order by package, consumer_code",
        [batch_id],
    )
    return [PlannedDelivery(*row) for row in rows]


def _value(conn: Connection, query: LiteralString) -> int:
    row = conn.execute(query).fetchone()
    if row is None:
        raise HuiliuError("The warehouse answered nothing", fix="return again")
    return int(row[0])
