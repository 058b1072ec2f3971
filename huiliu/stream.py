"""The stream: micro-batches from a change at a source to the township's table, in one process.

A micro-batch is the day's flow in small: load what changed, gate those batches, build the models between
them and the streamed packages, deliver to the consumers they changed. Where nothing changed it costs a
question a table. What fails or is locked is tried again and stops nothing else; a kill anywhere is made good
by the next run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import psycopg

from huiliu.errors import HuiliuError
from ingestion import freshness, newest
from ingestion.freshness import MicroBatch
from ingestion.newest import Mark
from ingestion.run import TableLoad, ingest_changes
from ingestion.spec import SourceSpec, read_specs
from returnflow.run import deliver_all
from returnflow.spec import Package, load_packages
from soda_checks.contract import Contract, load_contracts
from soda_checks.gate import BatchVerdict, gate_staging
from transformation.changes import Table, build_changes, waits_for
from transformation.dbt_runner import DbtProject

Result = TypeVar("Result")
Say = Callable[[str], None]
YieldsTo = Callable[[], str | None]

LONGEST_PAUSE = 300.0  # seconds until what failed is tried again
LOOK_AGAIN_AFTER = 5.0  # seconds, while the day's chain is at work
LASTING = 3  # failures in a row that are no passing lock any more


@dataclass
class Retry:
    """When something is done again: at its pace, or after a pause that doubles while it fails."""

    every: float
    due_at: float = 0.0
    failures: int = 0
    last_fault: str = ""

    def failed(self, fault: str) -> None:
        """Wait longer."""
        self.failures, self.last_fault = self.failures + 1, fault
        self.due_at = time.monotonic() + min(self.every * 2 ** (self.failures - 1), LONGEST_PAUSE)

    def succeeded(self) -> None:
        """Go on at its own pace."""
        self.failures, self.due_at = 0, time.monotonic() + self.every

    @property
    def is_due(self) -> bool:
        """Whether it is time."""
        return time.monotonic() >= self.due_at


@dataclass
class Source:
    """A source with streamed tables: since when they are looked at, and what was seen when last read."""

    spec: SourceSpec
    retry: Retry
    since: dict[str, str] = field(default_factory=dict)
    seen: dict[str, Mark] = field(default_factory=dict)

    def changed(self) -> dict[str, Mark]:
        """Return the marks of the tables that are not as they were when last read."""
        self.since = self.since or newest.starts(self.spec)
        found = newest.marks(self.spec, self.since)
        return {name: mark for name, mark in found.items() if self.seen.get(name) != mark}

    def load(self, name: str, mark: Mark) -> TableLoad:
        """Load what changed in a table; what is written meanwhile differs from the mark taken before."""
        (load,) = ingest_changes(self.spec.name, [name])
        freshness.note_changes(self.spec, [load])
        self.seen[name] = mark
        return load


@dataclass
class Work:
    """A micro-batch under way."""

    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    loads: list[TableLoad] = field(default_factory=list)
    held: list[BatchVerdict] = field(default_factory=list)
    models: int = 0
    deliveries: int = 0
    rows_delivered: int = 0
    all_delivered: bool = False
    faults: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows that differ from what had landed."""
        return sum((it.rows_inserted or 0) + (it.rows_updated or 0) for it in self.loads)

    @property
    def tables(self) -> list[str]:
        """Tables in which rows differ."""
        return [f"{it.source}.{it.table_name}" for it in self.loads if it.rows_inserted or it.rows_updated]

    def summary(self) -> MicroBatch:
        """Return what the ledger keeps."""
        return MicroBatch(
            self.started_at,
            self.tables,
            self.rows,
            len(self.held),
            self.models,
            self.deliveries,
            self.rows_delivered,
            self.faults,
        )


class Stream:
    """What a running stream remembers between micro-batches; losing it costs one that finds nothing new."""

    def __init__(self, say: Say) -> None:
        good, _ = read_specs()  # a spec that is wrong has its red DAG; the other sources flow on
        self.say = say
        self.sources = [_source(spec) for spec in good.values() if spec.streamed]
        self.packages: list[Package] = [it for it in load_packages().values() if it.streamed]
        self.contracts: Mapping[str, Contract] = load_contracts()
        self.held: dict[Table, BatchVerdict] = {}
        # At first nobody knows what the run before left undone.
        self.rest, self.is_owed = Retry(every=15.0), True
        self._waited_for: str | None = None

    @property
    def tables(self) -> set[Table]:
        """Every streamed (source, table)."""
        return {(it.spec.name, table.name) for it in self.sources for table in it.spec.streamed}

    @property
    def lasting_faults(self) -> list[str]:
        """What failed several times in a row, and what the gate holds."""
        retries = [self.rest, *(source.retry for source in self.sources)]
        failing = [retry.last_fault for retry in retries if retry.failures >= LASTING]
        return failing + [
            f"batch {it.batch_id} of {it.source}.{it.table_name} is held: {it.reason}"
            for it in self.held.values()
        ]

    def micro_batch(self) -> MicroBatch | None:
        """Bring what changed to the consumers; None if nothing did, or while the day's build is to come."""
        project = DbtProject()
        if self._must_wait(waits_for(project)):
            return None
        began, work = time.monotonic(), Work()
        self._load(work)
        repeats = self.is_owed and self.rest.is_due
        if not work.rows and not repeats:
            return None
        faults = self._refine(work, project, everything=repeats)
        self.is_owed = bool(faults)
        if faults:
            self.rest.failed("; ".join(faults))
        else:
            self.rest.succeeded()
        work.faults += faults
        oldest = freshness.end(work.summary(), all_delivered=work.all_delivered)
        if work.rows or work.faults:
            self._tell(work, time.monotonic() - began, oldest)
        return work.summary()

    def _must_wait(self, reason: str | None) -> bool:
        if reason != self._waited_for:
            self.say(f"waits for {reason}" if reason else "goes on")
            self._waited_for = reason
        return reason is not None

    def _load(self, work: Work) -> None:
        """Load the tables that changed, each for itself."""
        for source in self.sources:
            if not source.retry.is_due:
                continue
            faults: list[str] = []
            for name, mark in (attempt(source.changed, faults) or {}).items():
                load = attempt(partial(source.load, name, mark), faults)
                work.loads += [load] if load else []
            work.faults += faults
            if faults:
                source.retry.failed("; ".join(faults))
            else:
                source.retry.succeeded()

    def _refine(self, work: Work, project: DbtProject, *, everything: bool) -> list[str]:
        """Gate, build and deliver; return what failed."""
        faults: list[str] = []
        gated = attempt(lambda: gate_staging(self.contracts, self.tables), faults)
        if gated:
            work.held = gated.held
            self.held = {(it.source, it.table_name): it for it in gated.held}
        passed = {(it.source, it.table_name) for it in (gated.passed if gated else [])}
        tables = self.tables if everything else passed
        if not tables:
            return faults
        goals = [package.model for package in self.packages]
        built = attempt(lambda: build_changes(tables, goals, project=project), faults)
        if built is None:
            return faults
        work.models = len(built.models)
        faults += [f"model {run.name}: {run.message or run.status}" for run in built.failed]
        names = [package.name for package in self.packages]
        returned = attempt(lambda: deliver_all(names, changes_only=True), faults)
        if returned:
            work.deliveries = returned.delivered
            work.rows_delivered = returned.rows_upserted + returned.rows_deleted
            work.all_delivered = not (returned.waiting or returned.held)
        return faults

    def _tell(self, work: Work, seconds: float, oldest: float | None) -> None:
        age = "" if oldest is None else f", oldest change {oldest:.0f} s ago"
        held = f", {len(work.held)} batches held" if work.held else ""
        self.say(
            f"{work.rows} rows of {', '.join(work.tables) or 'before'}, {work.models} models,"
            f" {work.deliveries} deliveries of {work.rows_delivered} rows in {seconds:.1f} s{age}{held}"
        )
        for fault in work.faults:
            self.say(f"failed, is tried again: {fault}")


def _source(spec: SourceSpec) -> Source:
    every = min(table.stream.every_seconds for table in spec.tables if table.stream)
    return Source(spec, Retry(float(every)))


def attempt(work: Callable[[], Result], faults: list[str]) -> Result | None:
    """Return what some work returns; None if it failed, its fault noted."""
    try:
        return work()
    except HuiliuError as error:
        faults.append(str(error))
    except psycopg.Error as error:
        # Only the primary message: the details may quote values.
        faults.append(error.diag.message_primary or type(error).__name__)
    return None


def run_stream(minutes: float, say: Say, yields_to: YieldsTo = lambda: None) -> list[str]:
    """Run micro-batches for so many minutes; return what lastingly failed or is held at the end.

    ``yields_to`` names what the stream must make room for now, None if nothing: the day's chain goes first.
    """
    stream, until, before = Stream(say), time.monotonic() + minutes * 60, None
    while True:
        reason = yields_to()
        if reason != before:
            say(f"makes room for {reason}" if reason else "goes on")
            before = reason
        if reason is None:
            stream.micro_batch()
        due_at = min((it.retry.due_at for it in stream.sources), default=until)
        pause = LOOK_AGAIN_AFTER if reason else max(due_at - time.monotonic(), 1.0)
        if time.monotonic() + pause >= until:
            return stream.lasting_faults
        time.sleep(pause)
