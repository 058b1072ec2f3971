"""Loading sources: one lock and one connection a source, one transaction and one ledger row a table.

A table that fails stops neither its source's other tables nor the other sources; all is tried, then one error
says what failed. Whatever kills a load, the next run of the source ends where an unbroken one would have.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

import psycopg

from huiliu import business_date
from huiliu.database import Connection, advisory_lock, connect
from huiliu.errors import ConfigError, DataError, HuiliuError, TransientError
from ingestion import land, ledger, plan
from ingestion.errors import summary
from ingestion.extract import extract
from ingestion.ledger import TableLoad
from ingestion.raw_table import RawTable, ensure_raw_tables
from ingestion.records import Days
from ingestion.spec import SourceSpec, TableSpec, load_specs, read_specs
from ingestion.stage import Batch, Stage

__all__ = ["TableLoad", "check_specs", "ensure_raw_tables", "ingest", "ingest_source"]

log = logging.getLogger(__name__)

Failure = tuple[str, HuiliuError]
WAIT_FOR_SERVER = 1200  # seconds, for other sources of the same server


def check_specs() -> list[str]:
    """Return the names of all sources; ConfigError says all that is wrong with their specs."""
    return list(load_specs())


def ingest(
    sources: Sequence[str] | None = None, *, accept_deletions: bool = False, days: Days | None = None
) -> list[TableLoad]:
    """Load the sources (default: all) one after another; raises IngestError after all were tried.

    `accept_deletions` lets this load delete all that the source deleted: the department says it is true.
    `days` reads the rows of those days again (back-fill), beside and not instead of the ordinary loads.
    """
    specs, broken = read_specs()
    chosen = list(sources) if sources is not None else sorted({*specs, *broken})
    _check_names(chosen, [*specs, *broken])
    loads: list[TableLoad] = []
    failures: list[Failure] = []
    for name in chosen:
        done, failed = _load_source(name, specs, broken, accept_deletions=accept_deletions, days=days)
        loads += done
        failures += failed
    if failures:
        raise summary(failures)
    return loads


def ingest_source(name: str, *, accept_deletions: bool = False, days: Days | None = None) -> list[TableLoad]:
    """Load every table of one source; RetryableIngestError if a failure may pass, else FatalIngestError."""
    return ingest([name], accept_deletions=accept_deletions, days=days)


def _check_names(names: Sequence[str], known: Sequence[str]) -> None:
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ConfigError(
            f"There is no source {', '.join(unknown)}", fix=f"use one of: {', '.join(sorted(known))}"
        )


def _load_source(
    name: str,
    specs: dict[str, SourceSpec],
    broken: dict[str, ConfigError],
    *,
    accept_deletions: bool,
    days: Days | None,
) -> tuple[list[TableLoad], list[Failure]]:
    with connect("warehouse:ingest", autocommit=True) as conn:
        # A server must notice a killed client even in the middle of a long statement, to free its lock.
        conn.execute("set session client_connection_check_interval to '2s'")
        day = business_date.get(conn)
        if name in broken:
            ledger.refuse(conn, name, None, day, broken[name])
            return [], [(name, broken[name])]
        spec = _without_breakers(specs[name]) if accept_deletions else specs[name]
        try:
            with advisory_lock(conn, f"ingest:{name}"), _turn_at_server(conn, spec):
                return _load_tables(conn, spec, day, days)
        except TransientError as error:
            if conn.closed:
                return [], [(name, error)]
            with conn.transaction():
                for table in spec.tables:
                    ledger.refuse(conn, name, table, day, error)
            return [], [(name, error)]


@contextmanager
def _turn_at_server(conn: Connection, spec: SourceSpec) -> Iterator[None]:
    """Wait until no other source of the same server is being read. A source itself has one connection."""
    server = spec.server or getattr(spec.container, "server", None)
    if server is None:
        yield
        return
    with advisory_lock(conn, f"ingest-server:{server}", wait_seconds=WAIT_FOR_SERVER):
        yield


def _without_breakers(spec: SourceSpec) -> SourceSpec:
    tables = tuple(table.model_copy(update={"max_delete_share": 1.0}) for table in spec.tables)
    return spec.model_copy(update={"tables": tables})


def _load_tables(
    conn: Connection, spec: SourceSpec, day: date, days: Days | None
) -> tuple[list[TableLoad], list[Failure]]:
    with conn.transaction():
        abandoned = ledger.abandon(conn, spec.name)
        ledger.register(conn, spec)
        for table in spec.tables:
            RawTable(spec.name, table).ensure(conn)
    if abandoned:
        log.warning("%s: %d loads of a killed run were marked abandoned", spec.name, abandoned)
    loads: list[TableLoad] = []
    failures: list[Failure] = []
    for table in spec.tables:
        load, error = _load_table(conn, spec, table, day, days)
        loads.append(load)
        if error:
            log.error("%s.%s failed: %s", spec.name, table.name, error)
            failures.append((f"{spec.name}.{table.name}", error))
    return loads, failures


def _load_table(
    conn: Connection, spec: SourceSpec, table: TableSpec, day: date, days: Days | None
) -> tuple[TableLoad, HuiliuError | None]:
    batch = Batch(ledger.start(conn, spec.name, table, day, days), day)
    load = TableLoad(batch.batch_id, spec.name, table.name, table.mode.type, "running")
    try:
        Stage.prepare(conn, RawTable(spec.name, table), batch)
        with conn.transaction():
            load = _land(conn, spec, table, batch, load, days)
    except HuiliuError as error:
        return _failed(conn, load, error)
    except psycopg.Error as error:
        return _failed(conn, load, _warehouse_fault(load, error))
    log.info("%s.%s: %s read, +%s ~%s -%s", spec.name, table.name, *_counts(load))
    return load, None


def _land(
    conn: Connection, spec: SourceSpec, table: TableSpec, batch: Batch, load: TableLoad, days: Days | None
) -> TableLoad:
    # Keys are 16 bytes: a million of them are compared in memory instead of on disk.
    conn.execute("set local work_mem = '96MB'")
    before = ledger.last_landed(conn, spec.name, table.name)
    reshaped = before.shape not in (None, plan.shape(table))
    known = ledger.known_types(conn, spec.name, table.name)
    stage = Stage.open(conn, RawTable(spec.name, table), batch, known, reshaped=reshaped)
    wanted = plan.wanted(table, before, batch.business_date, first=stage.direct, days=days)
    extracted = extract(spec, table, wanted, stage)
    land.check_declared_types(stage)
    reached = plan.watermark(stage, extracted, before) if days is None else before.watermark
    changes = land.apply(stage, extracted, may_repeat=spec.container.can.repeats, reshaped=reshaped)
    load = replace(
        load,
        status="landed",
        rows_read=extracted.rows + len(extracted.rejected),
        rows_inserted=changes.inserted,
        rows_updated=changes.updated,
        rows_deleted=changes.deleted,
        rows_quarantined=len(extracted.rejected),
        notice=plan.notice(stage, extracted),
    )
    ledger.landed(conn, load, changes, extracted, ledger.Reached(reached, plan.shape(table)))
    ledger.remember_columns(conn, load, stage.present, stage.new_columns)
    return load


def _counts(load: TableLoad) -> tuple[int | None, ...]:
    return load.rows_read, load.rows_inserted, load.rows_updated, load.rows_deleted


def _failed(conn: Connection, load: TableLoad, error: HuiliuError) -> tuple[TableLoad, HuiliuError]:
    if conn.closed:
        raise TransientError(
            f"The warehouse went away while {load.source}.{load.table_name} was loading",
            fix="see that the warehouse runs, then load the source again; that closes the ledger row",
        ) from error
    with conn.transaction():
        ledger.failed(conn, load, error)
    return replace(load, status="failed", error=str(error)), error


def _warehouse_fault(load: TableLoad, error: psycopg.Error) -> HuiliuError:
    # Only the primary message: the details quote values.
    text = error.diag.message_primary or type(error).__name__
    where = f"{load.source}.{load.table_name}: the warehouse could not take the rows: {text}"
    if isinstance(error, psycopg.OperationalError):
        return TransientError(where, fix="load the source again")
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return ConfigError(where, fix='run "huiliu prepare" to set the rights of huiliu_ingest again')
    return DataError(
        where, fix="see the warehouse's log; if the source holds such bytes, have them corrected there"
    )
