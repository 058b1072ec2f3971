"""One build: claim what landed and passed the gate, run the models, and write down how each of them ended."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date

import psycopg

from huiliu import business_date
from huiliu.database import Connection, advisory_lock, connect
from huiliu.errors import DataError, HuiliuError
from transformation import ledger
from transformation.dbt_runner import DbtProject, NodeRun, Progress, masked
from transformation.lineage import note_sources

LOCK = "build"
LINKAGE = "linkage"
METRICS_MODELS = "tag:metrics return_service_report"
SUCCESS = "success"

ModelRun = NodeRun

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BuildResult:
    """How a build ended; ``build_id`` is None if there was nothing to do, ``models`` lists every model.

    ``full_refresh`` is true if it built from nothing, whether asked for or because the project changed.
    """

    build_id: int | None
    as_of: date
    claimed_batches: list[int] = field(default_factory=list)
    models: list[ModelRun] = field(default_factory=list)
    full_refresh: bool = False

    @property
    def nothing_to_do(self) -> bool:
        """True if nothing landed, no day passed, no model changed and the last build succeeded."""
        return self.build_id is None

    @property
    def failed(self) -> list[ModelRun]:
        """The models that failed, and those skipped because they stand on one."""
        return [run for run in self.models if run.status != SUCCESS]


def build(
    *,
    full_refresh: bool = False,
    as_of: date | None = None,
    select: str | None = None,
    tables: Collection[tuple[str, str]] | None = None,
    project: DbtProject | None = None,
    progress: Progress | None = None,
) -> BuildResult:
    """Build the warehouse as of a date (default: the business date) from all batches the gate let through.

    All models are built in full if the project (or a function it calls) is not the one that built the tables,
    and until such a build succeeds; a selection is built as asked, and leaves that to the next build of all.
    A model that fails is listed in ``failed`` and catches up in the next build; the others are up to date.
    ``select`` is a dbt selection; ``tables``: claim only batches of these (source, table). ``progress`` is
    called with (model, status) as each ends. Raw tables must exist (ingestion.raw_table.ensure_raw_tables).
    Raises TransientError if another build runs.
    """
    project = project or DbtProject()
    with connect("warehouse:build", autocommit=True) as conn, advisory_lock(conn, LOCK):
        ledger.abandon_running(conn)
        day = as_of or business_date.get(conn)
        batches = ledger.claimable(conn, tables)
        fingerprint = fingerprint_of(project, conn)
        standing = ledger.standing(conn, fingerprint, day)
        if standing.is_up_to_date and not (batches or full_refresh or select):
            return BuildResult(build_id=None, as_of=day)
        if standing.must_refresh and not (full_refresh or select):
            log.warning(
                "The models changed since the last complete build, or a full refresh did not finish:"
                " every model is built in full"
            )
            full_refresh = True
        links = project.touched_by()
        note_sources(conn, project.manifest)
        build_id = ledger.begin(
            conn,
            as_of=day,
            full_refresh=full_refresh,
            selection=select,
            fingerprint=fingerprint,
            batches=batches,
        )
        runs = _run(
            conn,
            build_id,
            day,
            project,
            full_refresh=full_refresh,
            select=select,
            seeds=tables is None,  # rows of the sources change no seed
            progress=progress,
        )
        ledger.prune_touched_keys(conn, links)
    return BuildResult(build_id, day, batches, runs, full_refresh)


def fingerprint_of(project: DbtProject, conn: Connection) -> str:
    """Return what tells one project from another: its files, and the functions that its models call."""
    return f"{project.fingerprint()} {ledger.functions_fingerprint(conn)}"


def build_metrics(*, progress: Progress | None = None) -> BuildResult:
    """Compute the metrics and the report on them, as after every return; DataError if a model failed."""
    result = build(select=METRICS_MODELS, progress=progress)
    if result.failed:
        failed = "; ".join(f"{run.name}: {run.message or run.status}" for run in result.failed)
        raise DataError(f"The metrics could not be computed ({failed})", fix="mend the model, then run again")
    return result


def _run(
    conn: Connection,
    build_id: int,
    day: date,
    project: DbtProject,
    *,
    full_refresh: bool,
    select: str | None,
    seeds: bool,
    progress: Progress | None,
) -> list[ModelRun]:
    runs: list[ModelRun] = []
    status = "failed"
    try:
        if select is None and project.has_exposure(LINKAGE):
            runs = _around_linkage(conn, build_id, day, project, full_refresh=full_refresh, progress=progress)
        else:
            runs = project.run_models(
                full_refresh=full_refresh, select=select, seeds=seeds, progress=progress
            )
        status = "succeeded" if all(run.status == SUCCESS for run in runs) else "failed"
    finally:
        # Also when dbt itself failed: the ledger must not show a build that runs for ever.
        ledger.finish(conn, build_id, status=status, runs=runs)
    return runs


def _around_linkage(
    conn: Connection,
    build_id: int,
    day: date,
    project: DbtProject,
    *,
    full_refresh: bool,
    progress: Progress | None,
) -> list[ModelRun]:
    """Run what linkage reads, then linkage, then the rest; what stands on a failed model is skipped."""
    read = f"+exposure:{LINKAGE}"
    runs = project.run_models(full_refresh=full_refresh, select=read, progress=progress)
    runs.append(_link(conn, build_id, day, runs, full_refresh=full_refresh))
    if progress is not None:
        progress(LINKAGE, runs[-1].status)
    failed = [run.name for run in runs if run.status != SUCCESS]
    skipped = sorted(set(project.standing_on(failed)) - {run.name for run in runs})
    rest = project.run_models(
        full_refresh=full_refresh, exclude=" ".join([read, *skipped]), progress=progress
    )
    return [
        *runs,
        *rest,
        *(ModelRun(name, "skipped", 0.0, None, "stands on a failed model") for name in skipped),
    ]


def _link(
    conn: Connection, build_id: int, day: date, runs: Sequence[ModelRun], *, full_refresh: bool
) -> ModelRun:
    """Link records to people; a failure is the step's own, like a model's, and the old links stay."""
    # DuckDB and Splink cost a second to import, which the builds of a selection need not pay.
    import duckdb

    from linkage.run import link

    began = time.monotonic()
    if failed := [run.name for run in runs if run.status != SUCCESS]:
        return ModelRun(LINKAGE, "skipped", 0.0, None, f"stands on {', '.join(failed)}")
    try:
        done = link(conn, build_id, day, full=full_refresh)
    except (HuiliuError, psycopg.Error, duckdb.Error) as error:
        message = masked(str(error))
        log.error("Records could not be linked; the links of the last build stay: %s", message)
        return ModelRun(LINKAGE, "error", round(time.monotonic() - began, 3), None, message)
    return ModelRun(LINKAGE, SUCCESS, round(time.monotonic() - began, 3), done.changed, done.summary)
