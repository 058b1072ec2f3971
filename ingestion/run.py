"""Loading sources: one lock and one connection a source, one transaction and one ledger row a table.

A table that fails stops neither its source's other tables nor the other sources; all is tried, then one error
says what failed. Whatever kills a load, the next run of the source ends where an unbroken one would have.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import psycopg

from huiliu import business_date
from huiliu.database import Connection, advisory_lock, connect
from huiliu.errors import ConfigError, DataError, HuiliuError, TransientError
from ingestion import catalogue, land, ledger, plan
from ingestion.errors import ServerBusyError, safe_text, summary
from ingestion.extract import extract
from ingestion.ledger import Reached, TableLoad
from ingestion.raw_table import RawTable, ensure_raw_tables
from ingestion.records import Days
from ingestion.shape import Shape
from ingestion.spec import SourceSpec, TableSpec, read_specs
from ingestion.stage import Batch, Stage

__all__ = ["TableLoad", "ensure_raw_tables", "ingest", "ingest_source"]

log = logging.getLogger(__name__)

Failure = tuple[str, HuiliuError]
WAIT_FOR_SERVER = 1200  # seconds, for other sources of the same server


def ingest(
    sources: Sequence[str] | None = None,
    *,
    accept_deletions: bool = False,
    days: Days | None = None,
    wait_for_server: bool = True,
) -> list[TableLoad]:
    """Load the sources (default: all) one after another; raises IngestError after all were tried.

    `accept_deletions` lets this load delete all that the source deleted: the department says it is true.
    `days` reads the rows of those days again (back-fill), beside and not instead of the ordinary loads.
    Without `wait_for_server`, ServerBusyError at once if another source of the same server is being read.
    """
    specs, broken = read_specs()
    chosen = list(sources) if sources is not None else sorted({*specs, *broken})
    _check_names(chosen, [*specs, *broken])
    loads: list[TableLoad] = []
    failures: list[Failure] = []
    for name in chosen:
        done, failed = _load_source(
            name, specs, broken, accept_deletions=accept_deletions, days=days, wait_for_server=wait_for_server
        )
        loads += done
        failures += failed
    if failures:
        raise summary(failures)
    return loads


def ingest_source(
    name: str, *, accept_deletions: bool = False, days: Days | None = None, wait_for_server: bool = True
) -> list[TableLoad]:
    """Load every table of one source; RetryableIngestError if a failure may pass, else FatalIngestError."""
    return ingest([name], accept_deletions=accept_deletions, days=days, wait_for_server=wait_for_server)


def ingest_changes(name: str, tables: Sequence[str]) -> list[TableLoad]:
    """Load only what changed in some tables of a source, for a micro-batch; raises as ingest_source does.

    No key is read: rows that vanished are found by the source's own load, which goes by its cadence.
    """
    specs, broken = read_specs()
    _check_names([name], [*specs, *broken])
    loads, failures = _load_source(name, specs, broken, changes_of=tables, wait_for_server=False)
    if failures:
        raise summary(failures)
    return loads


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
    accept_deletions: bool = False,
    days: Days | None = None,
    changes_of: Sequence[str] | None = None,
    wait_for_server: bool,
) -> tuple[list[TableLoad], list[Failure]]:
    with connect("warehouse:ingest", autocommit=True) as conn:
        # A server must notice a killed client even in the middle of a long statement, to free its lock.
        conn.execute("set session client_connection_check_interval to '2s'")
        day = business_date.get(conn)
        catalogue.retire(conn, specs, broken)
        if name in broken:
            ledger.refuse(conn, name, None, day, broken[name])
            return [], [(name, broken[name])]
        spec = _without_breakers(specs[name]) if accept_deletions else specs[name]
        if changes_of is not None:
            spec = _only_changes(spec, changes_of)
        try:
            with advisory_lock(conn, f"ingest:{name}"), _turn_at_server(conn, spec, wait=wait_for_server):
                _check_days(spec, days)
                return _load_tables(conn, spec, day, days)
        except ServerBusyError:
            raise
        except (TransientError, ConfigError, psycopg.Error) as error:
            fault = _warehouse_fault(name, error) if isinstance(error, psycopg.Error) else error
            if conn.closed:
                return [], [(name, fault)]
            with conn.transaction():
                for table in spec.tables:
                    ledger.refuse(conn, name, table, day, fault)
            return [], [(name, fault)]


@contextmanager
def _turn_at_server(conn: Connection, spec: SourceSpec, *, wait: bool) -> Iterator[None]:
    """Let no other source of the same server be read meanwhile. A source itself has one connection."""
    with ExitStack() as turn:
        if spec.shared_server is not None:
            key = f"ingest-server:{spec.shared_server}"
            try:
                turn.enter_context(advisory_lock(conn, key, wait_seconds=WAIT_FOR_SERVER if wait else 0))
            except TransientError as error:
                if wait:
                    raise
                raise ServerBusyError(
                    f"{spec.name}: another source of its server {spec.shared_server} is being read",
                    fix="nothing: it is tried again until the server is free",
                ) from error
        yield


def _without_breakers(spec: SourceSpec) -> SourceSpec:
    tables = tuple(table.model_copy(update={"max_delete_share": 1.0}) for table in spec.tables)
    return spec.model_copy(update={"tables": tables})


def _only_changes(spec: SourceSpec, names: Sequence[str]) -> SourceSpec:
    tables = [table for table in spec.streamed if table.name in names]
    modes = [table.mode.model_copy(update={"reconcile_every_days": None}) for table in tables]
    chosen = (table.model_copy(update={"mode": mode}) for table, mode in zip(tables, modes, strict=True))
    return spec.model_copy(update={"tables": tuple(chosen)})


def _load_tables(
    conn: Connection, spec: SourceSpec, day: date, days: Days | None
) -> tuple[list[TableLoad], list[Failure]]:
    with conn.transaction():
        # Whoever waits for a table behind a reader makes all others wait behind himself.
        conn.execute("set local lock_timeout = '15s'")
        abandoned = ledger.abandon(conn, spec.name)
        ledger.register(conn, spec)
        for table in spec.tables:
            RawTable(spec.name, table).ensure(conn, spec.department)
    if abandoned:
        log.warning("%s: %d loads of a killed run were marked abandoned", spec.name, abandoned)
    loads: list[TableLoad] = []
    failures: list[Failure] = []
    for table in _tables(spec, days):
        load, error = _load_table(conn, spec, table, day, days)
        loads.append(load)
        if error:
            log.error("%s.%s failed: %s", spec.name, table.name, error)
            failures.append((f"{spec.name}.{table.name}", error))
    return loads, failures


def _tables(spec: SourceSpec, days: Days | None) -> list[TableSpec]:
    """Return the tables to be loaded: of a back-fill those whose rows have days."""
    chosen = [table for table in spec.tables if days is None or plan.has_days(table)]
    left_out = [table.name for table in spec.tables if table not in chosen]
    if left_out and chosen:
        log.warning("%s: %s left out: no column says their days", spec.name, ", ".join(left_out))
    return chosen


def _check_days(spec: SourceSpec, days: Days | None) -> None:
    if days is not None and not any(plan.has_days(table) for table in spec.tables):
        raise ConfigError(
            f"{spec.name}: no table has a column by which days can be read again",
            fix="write backfill_column in the spec, or load it without a range of days",
        )


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
        return _failed(conn, load, _warehouse_fault(f"{load.source}.{load.table_name}", error))
    except Exception as error:  # noqa: BLE001 - what a library raises on odd content must stop no other table
        return _failed(conn, load, _unforeseen(load, error))
    log.info("%s.%s: %s read, +%s ~%s -%s%s", spec.name, table.name, *_counts(load))
    return load, None


def _land(
    conn: Connection, spec: SourceSpec, table: TableSpec, batch: Batch, load: TableLoad, days: Days | None
) -> TableLoad:
    # Keys are 16 bytes: a million of them are compared in memory instead of on disk.
    conn.execute("set local work_mem = '96MB'")
    landed, shape = ledger.last_landed(conn, spec.name, table.name), Shape.of(table)
    last = plan.since_then(table, landed)
    known = ledger.known_types(conn, spec.name, table.name)
    reshaped = landed.shape not in (None, shape)
    stage = Stage.open(conn, RawTable(spec.name, table), batch, known, reshaped=reshaped)
    wanted = plan.wanted(table, last, batch.business_date, first=stage.direct, days=days)
    extracted = extract(spec, table, wanted, stage)
    land.check_declared_types(stage)
    # A back-fill says nothing of the rows it did not read: not how far loads have come, nor by which shape.
    reached = (
        Reached(plan.watermark(stage, extracted, last), shape)
        if days is None
        else Reached(landed.watermark, landed.shape)
    )
    changes = land.apply(
        stage, extracted, landed, may_repeat=spec.container.can.repeats, back_fill=days is not None
    )
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
    ledger.landed(conn, load, changes, extracted, reached)
    ledger.remember_columns(conn, load, stage.present, stage.new_columns)
    return load


def _counts(load: TableLoad) -> tuple[object, ...]:
    notice = f" ({load.notice})" if load.notice else ""
    return load.rows_read, load.rows_inserted, load.rows_updated, load.rows_deleted, notice


def _failed(conn: Connection, load: TableLoad, error: HuiliuError) -> tuple[TableLoad, HuiliuError]:
    if conn.closed:
        raise TransientError(
            f"The warehouse went away while {load.source}.{load.table_name} was loading",
            fix="see that the warehouse runs, then load the source again; that closes the ledger row",
        ) from error
    with conn.transaction():
        ledger.failed(conn, load, error)
    return replace(load, status="failed", error=str(error)), error


def _warehouse_fault(where: str, error: psycopg.Error) -> HuiliuError:
    said = f"{where}: the warehouse could not take the rows: {safe_text(error)}"
    if isinstance(error, psycopg.OperationalError):
        return TransientError(said, fix="load the source again")
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return ConfigError(said, fix='run "huiliu prepare" to set the rights of huiliu_ingest again')
    return DataError(
        said, fix="see the warehouse's log; if the source holds such bytes, have them corrected there"
    )


def _unforeseen(load: TableLoad, error: Exception) -> DataError:
    # Not its words: they may quote what was read.
    last = traceback.extract_tb(error.__traceback__)[-1]
    return DataError(
        f"{load.source}.{load.table_name}: reading ended with {type(error).__name__} in"
        f" {Path(last.filename).name}, line {last.lineno}",
        fix="the source is odd in a way nobody foresaw: report this line with the batch's number",
    )
