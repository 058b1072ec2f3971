"""Deliver to one front-end database: one transaction a consumer, then a receipt, then the ledger.

The destination says in its own `_delivery` which batch it got last, written with the rows. If that is not the
batch of our last receipt (killed in between, restored, dropped, tampered with), what it holds is uncertain:
its keys and hashes are fetched and compared, instead of what we believe we sent.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from itertools import chain, groupby

import psycopg
from psycopg import sql

from huiliu import business_date
from huiliu.database import Connection, advisory_lock, connect
from huiliu.errors import HuiliuError, TransientError
from returnflow import destination, notices, outbox
from returnflow.consumers import Consumer, all_consumers
from returnflow.destination import FoundConsumer
from returnflow.failures import DeliveryError, explain, model_error
from returnflow.fingerprint import column_list
from returnflow.freshness import outdated
from returnflow.outbox import Due, Parcel, Staged
from returnflow.plan import lock_key
from returnflow.spec import Package, load_packages

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class DeliveryOutcome:
    """How a delivery ended: delivered, held (and told so) or failed; rows changed, and rows there now."""

    package: str
    consumer_code: str
    status: str
    rows_upserted: int = 0
    rows_deleted: int = 0
    rows_total: int | None = None
    error: str | None = None
    may_pass: bool = False


def deliver_database(front_code: str, batch_id: int) -> list[DeliveryOutcome]:
    """Make all due deliveries of a batch to one front-end database; finished ones are left alone.

    A consumer's failure is in its outcome and in the ledger. Raises TransientError only if the warehouse is
    lost, or if another process delivers to this database.
    """
    consumers = {code: it for code, it in all_consumers().items() if it.front_code == front_code}
    with connect("warehouse:return") as conn, advisory_lock(conn, lock_key(front_code)):
        try:
            with conn.transaction():
                due = outbox.load_due(conn, batch_id, list(consumers))
                # Taken up after midnight, a batch is still of the day it was planned for.
                day = due[0].business_date if due else business_date.get(conn)
                outbox.start(conn, due)
                standing = notices.standing(conn, list(load_packages().values()), list(consumers.values()))
            run = _Run(conn, front_code, batch_id, day, consumers, standing)
            outcomes = list(_deliver_all(run, due))
        except psycopg.OperationalError as error:
            raise TransientError(
                f"The warehouse was lost while delivering to front_{front_code} ({type(error).__name__})",
                fix="return again: what was delivered is kept",
            ) from error
    failed = sum(outcome.status == "failed" for outcome in outcomes)
    LOG.info("front_%s: %s deliveries, %s failed", front_code, len(outcomes), failed)
    return outcomes


@dataclass
class _Run:
    """One batch to one front-end database: the warehouse connection, and up to two to the destination."""

    conn: Connection
    front_code: str
    batch_id: int
    day: date
    consumers: dict[str, Consumer]
    standing: notices.Standing
    packages: dict[str, Package] = field(default_factory=load_packages)
    staged: dict[str, Staged] = field(default_factory=dict)
    unreadable: dict[str, DeliveryError] = field(default_factory=dict)
    _writer: Connection | None = None
    _witness: Connection | None = None

    @property
    def writer(self) -> Connection:
        """The connection that delivers; opened again if it was lost."""
        return self.open_writer() if self._writer is None or self._writer.closed else self._writer

    def open_writer(self) -> Connection:
        """Open the connection that delivers; without it no consumer of this database can be served."""
        self._writer = connect(f"front_writer:{self.front_code}")
        return self._writer

    @property
    def witness(self) -> Connection:
        """Another connection, which takes the receipts and sees only what is committed."""
        if self._witness is None or self._witness.closed:
            self._witness = connect(f"front_writer:{self.front_code}", autocommit=True)
        return self._witness

    def close(self) -> None:
        """Close the connections to the destination."""
        for connection in (self._writer, self._witness):
            if connection is not None:
                connection.close()


@dataclass
class _Sending:
    """A delivery under way, from what was found to what was done."""

    due: Due
    parcel: Parcel
    found: FoundConsumer
    has_changes: bool = False
    expected: tuple[int, str] = outbox.NOTHING
    upserted: int = 0
    deleted: int = 0

    @property
    def package(self) -> Package:
        """The package that is delivered."""
        return self.parcel.package

    @property
    def rows_there(self) -> int | None:
        """Rows of the package at the destination after the delivery; unknown if it is held."""
        return None if self.due.status == "held" else self.expected[0]


def _deliver_all(run: _Run, due: Sequence[Due]) -> Iterator[DeliveryOutcome]:
    try:
        run.open_writer()
    except HuiliuError as error:
        for consumer, its_due in _by_consumer(run, due):
            yield from _failed(run, consumer, its_due, error)
        return
    try:
        sendings: dict[str, list[_Sending]] = {}
        for consumer, its_due in _by_consumer(run, due):
            try:
                sendings[consumer.code] = _look(run, consumer, its_due)
            except (HuiliuError, psycopg.Error) as error:
                yield from _failed(run, consumer, its_due, error)
        _stage(run, [sending for its in sendings.values() for sending in its])
        for code, its_sendings in sendings.items():
            yield from _deliver_consumer(run, run.consumers[code], its_sendings)
    finally:
        run.close()


def _by_consumer(run: _Run, due: Sequence[Due]) -> Iterator[tuple[Consumer, list[Due]]]:
    for code, its_due in groupby(due, key=lambda it: it.consumer_code):
        yield run.consumers[code], list(its_due)


def _look(run: _Run, consumer: Consumer, due: Sequence[Due]) -> list[_Sending]:
    """Decide for each package: the planned differences, or in full as what is there is not what we know."""
    packages = [run.packages[it.package] for it in due]
    with _own_transaction(run.writer):
        found = destination.look(run.writer, consumer, packages)
    sendings = []
    for it, package in zip(due, packages, strict=True):
        table = found.tables.get(package.name)
        is_known = it.last_batch is not None and found.last_batches.get(package.name) == it.last_batch
        is_full = table is None or not table.fits(package) or not is_known
        sendings.append(_Sending(it, Parcel(package, run.batch_id, consumer.code, is_full), found))
    return sendings


def _stage(run: _Run, sendings: Sequence[_Sending]) -> None:
    """Stage each package once for all consumers of this database."""
    for package in run.packages.values():
        mine = [it for it in sendings if it.package == package and it.due.status != "held"]
        if not mine:
            continue
        try:
            with run.conn.transaction():
                _freeze(run.conn, package)
                if not _hold_outdated(run, package, mine):
                    _stage_package(run, package, mine)
        except psycopg.Error as error:
            if run.conn.broken:
                raise
            run.unreadable[package.name] = model_error(package, error)


def _freeze(conn: Connection, package: Package) -> None:
    """Take one snapshot for the transaction, so that the rows staged are those of the state judged.

    Locked first, as a full build puts a new table in the model's place, which an older snapshot sees empty.
    """
    conn.execute("set transaction isolation level repeatable read")
    model = sql.Identifier("return", package.model)
    conn.execute(sql.SQL("lock table {} in access share mode").format(model))


def _hold_outdated(run: _Run, package: Package, sendings: Sequence[_Sending]) -> bool:
    """Judge the model again: since the plan a build may have moved it to another day, or failed for it."""
    stale = outdated(run.conn, package, run.day)
    if stale is None:
        return False
    held = outbox.hold(run.conn, [it.due for it in sendings], *stale)
    for sending, due in zip(sendings, held, strict=True):
        sending.due = due
    LOG.warning("%s is held: %s", package.name, stale[1])
    return True


def _stage_package(run: _Run, package: Package, sendings: Sequence[_Sending]) -> None:
    planned = outbox.planned_consumers(run.conn, package, run.batch_id)
    for sending in sendings:
        table = sending.found.tables.get(package.name)
        sending.has_changes = (
            sending.parcel.is_full
            or sending.due.consumer_code in planned
            or (table is not None and not table.is_labelled(package))
        )
    full = [it.due.consumer_code for it in sendings if it.parcel.is_full]
    changed = [it.due.consumer_code for it in sendings if it.has_changes and not it.parcel.is_full]
    unchanged = [it.due.consumer_code for it in sendings if not it.has_changes]
    run.staged[package.name] = outbox.stage(run.conn, package, run.batch_id, full, changed, unchanged)


def _deliver_consumer(
    run: _Run, consumer: Consumer, sendings: Sequence[_Sending]
) -> Iterator[DeliveryOutcome]:
    """Serve one consumer: its packages in one transaction; one that cannot go leaves the others alone."""
    sent: list[_Sending] = []
    failures: list[tuple[_Sending, HuiliuError | psycopg.Error]] = []
    try:
        with _own_transaction(run.writer):
            _make_own_tables(run, consumer, sendings[0].found)
            for sending in sendings:
                try:
                    _send(run, consumer, sending)
                    sent.append(sending)
                except (DeliveryError, psycopg.Error) as error:
                    if run.writer.broken or run.conn.broken:
                        raise
                    failures.append((sending, error))
            records = [(it.package, it.rows_there, it.due.notice) for it in sent]
            destination.write_ledger(run.writer, consumer, run.batch_id, run.day, records)
            _tell(run, consumer, sent, [it.package for it, _ in failures])
        outcomes = _confirm(run, consumer, sent)
    except (HuiliuError, psycopg.Error) as error:
        if run.conn.broken:
            raise
        yield from _failed(run, consumer, [it.due for it in sendings], error)
        return
    for sending, failure in failures:
        yield from _failed(run, consumer, [sending.due], failure)
    yield from outcomes


def _tell(run: _Run, consumer: Consumer, sent: Sequence[_Sending], failed: Sequence[Package]) -> None:
    """Write what is to be known of the packages sent, and of those that failed now or before."""
    told = {it.package: run.standing.told_with(consumer, it.package, it.due.notice) for it in sent}
    missing = [
        it
        for it in run.packages.values()
        if it in failed or (it not in told and run.standing.has_failed(consumer, it))
    ]
    told |= {it: run.standing.told_without(consumer, it) for it in missing}
    notices.tell(run.writer, consumer, list(told), list(chain.from_iterable(told.values())))


def _make_own_tables(run: _Run, consumer: Consumer, found: FoundConsumer) -> None:
    """Make what stands beside the packages: the record of batches, and the notices."""
    if not found.has_ledger:
        destination.make_ledger(run.writer, consumer)
    if not found.has_notices:
        notices.make_table(run.writer, consumer)
        destination.require_readable(run.writer, consumer, notices.NOTICES)


def _send(run: _Run, consumer: Consumer, sending: _Sending) -> None:
    """Write one package's changes into the consumer's open transaction; a failure undoes just these."""
    package = sending.package
    if sending.due.status == "held":
        return
    if package.name in run.unreadable:
        raise run.unreadable[package.name]
    staged = run.staged[package.name]
    if consumer.code in staged.unmasked:
        column, rows = staged.unmasked[consumer.code]
        raise DeliveryError(
            f"{package.name}: {rows} rows hold an ID number in plain ({column}); none of its rows was sent",
            fix=f"mask it in model {package.model}, or correct the value at its source",
        )
    if sending.has_changes:
        with run.writer.transaction(), run.conn.transaction():
            _write_changes(run, consumer, sending)
            sending.expected = sending.parcel.expected(run.conn)
    else:
        sending.expected = staged.unchanged.get(consumer.code, outbox.NOTHING)


def _write_changes(run: _Run, consumer: Consumer, sending: _Sending) -> None:
    """Bring the consumer's table to what it should hold."""
    package, parcel = sending.package, sending.parcel
    found = sending.found.tables.get(package.name)
    destination.make_table(run.writer, consumer, package, found)
    if parcel.is_full:
        run.conn.execute("delete from held_row")
        if found is not None:
            _fetch_held(run, consumer, package)
            _check_breaker(run, sending)
    destination.make_room(run.writer, package)
    _pass_rows(run.conn, parcel.deletes(), run.writer, destination.vanished(package))
    _pass_rows(run.conn, parcel.upserts(), run.writer, destination.incoming(package), column_list(package))
    sending.upserted, sending.deleted = destination.apply_changes(run.writer, consumer, package)


def _fetch_held(run: _Run, consumer: Consumer, package: Package) -> None:
    """Ask the destination for the key and hash of every row, computed there from its plain values."""
    _pass_rows(run.writer, destination.held_rows(consumer, package), run.conn, sql.Identifier("held_row"))


def _check_breaker(run: _Run, sending: _Sending) -> None:
    """The plan's breaker judges by what was sent; here it judges by what the destination really holds."""
    package = sending.package
    query = sql.SQL("select (select count(*) from ({}) as gone), (select count(*) from held_row)")
    gone, held = run.conn.execute(query.format(sending.parcel.deletes())).fetchall()[0]
    is_mass = gone > package.delete_allowance and gone > held * package.max_delete_share
    if is_mass and not sending.due.mass_delete_released:
        raise DeliveryError(
            f"{package.name}: {gone} of {held} rows there would be deleted, more than max_delete_share",
            fix="find out why they vanished, or release the deletion",
        )


def _pass_rows(
    source: Connection,
    query: sql.Composable,
    target: Connection,
    table: sql.Composable,
    columns: sql.Composable | None = None,
) -> None:
    """Stream a query's rows into a table, COPY blocks passed through as they come: memory stays flat."""
    into = sql.SQL("copy {} {} from stdin (format binary)").format(
        table, sql.SQL("({})").format(columns) if columns else sql.SQL("")
    )
    out = sql.SQL("copy ({}) to stdout (format binary)").format(query)
    with source.cursor().copy(out) as blocks, target.cursor().copy(into) as copy:
        for block in blocks:
            copy.write(block)


def _confirm(run: _Run, consumer: Consumer, sent: Sequence[_Sending]) -> list[DeliveryOutcome]:
    """Take the receipts after the commit, then write the ledger in one transaction of the warehouse."""
    receipts = destination.take_receipts(
        run.witness, consumer, [it.package for it in sent if it.due.status != "held"]
    )
    outcomes = []
    with run.conn.transaction():
        for sending in sent:
            if sending.due.status == "held":
                outbox.finish_notice(run.conn, sending.due)
                outcomes.append(
                    DeliveryOutcome(sending.package.name, consumer.code, "held", error=sending.due.notice)
                )
            else:
                outcomes.append(_record(run, consumer, sending, receipts[sending.package.name]))
    return outcomes


def _record(run: _Run, consumer: Consumer, sending: _Sending, receipt: tuple[int, str]) -> DeliveryOutcome:
    name, due = sending.package.name, sending.due
    outbox.finish(
        run.conn,
        due,
        upserted=sending.upserted,
        deleted=sending.deleted,
        expected=sending.expected,
        receipt=receipt,
    )
    if receipt != sending.expected:
        mismatch = DeliveryError(
            f"{name}: the destination shows {receipt[0]} rows with checksum {receipt[1]},"
            f" expected {sending.expected[0]} with {sending.expected[1]}",
            fix="return again: the next delivery compares and repairs every row",
        )
        return next(_failed(run, consumer, [due], mismatch))
    if sending.has_changes:
        sending.parcel.record_sent(run.conn)
    return DeliveryOutcome(
        name, consumer.code, "delivered", sending.upserted, sending.deleted, rows_total=sending.expected[0]
    )


def _failed(
    run: _Run, consumer: Consumer, due: Sequence[Due], error: HuiliuError | psycopg.Error
) -> Iterator[DeliveryOutcome]:
    message, may_pass = explain(error, consumer)
    with run.conn.transaction():
        outbox.fail(run.conn, due, message)
    LOG.warning("%s: %s", ", ".join(it.package for it in due), message)
    for it in due:
        yield DeliveryOutcome(it.package, consumer.code, "failed", error=message, may_pass=may_pass)


@contextmanager
def _own_transaction(conn: Connection) -> Iterator[None]:
    """Commit at the end or roll back; a connection that broke is closed, its own error is the one to see."""
    try:
        with conn.transaction():
            yield
    except psycopg.Error:
        with suppress(psycopg.Error):
            conn.rollback()
        if conn.broken:
            conn.close()
        raise
