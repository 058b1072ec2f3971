"""A simulated city served by the whole flow, each step done once and timed, when a goal first asks for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

from psycopg import sql

from benchmarks import child, plans, workplace
from benchmarks.child import ChildRun
from benchmarks.finding import Result, measured, timed
from benchmarks.workplace import Say
from huiliu import business_date
from huiliu.database import Connection, connect, connect_to
from huiliu.errors import HuiliuError
from ingestion.run import ingest
from returnflow.run import deliver_all
from returnflow.spec import load_packages
from simulator import days
from soda_checks.gate import gate_staging
from soda_checks.score import score
from transformation.build import LINKAGE, BuildResult, ModelRun, build, build_metrics
from transformation.checks import ensure_typed_views
from transformation.dbt_runner import DbtProject

SEED = 20260115
DAYS = 3
SLOWEST = 10
_PASSES = 3


@dataclass
class Day:
    """A day's steps in seconds, and what they did; ``plans``: the dearest step of its slowest models."""

    built: BuildResult
    seconds: dict[str, float]
    changed_rows: int
    deliveries: int = 0
    held: int = 0
    rows_returned: int = 0
    plans: dict[str, str] = field(default_factory=dict)

    @property
    def slowest(self) -> list[ModelRun]:
        """The models that took longest, the slowest first."""
        return sorted(self.built.models, key=lambda it: it.seconds, reverse=True)[:SLOWEST]

    @property
    def linkage_seconds(self) -> float:
        """Seconds of the step that links records to people."""
        return sum(run.seconds for run in self.built.models if run.name == LINKAGE)


@dataclass
class Town:
    """A city of so many persons; `serves` also scores and returns each day; `half`: of half as many."""

    persons: int
    say: Say
    serves: bool
    half: Day | None = None
    passed: list[Day] = field(default_factory=list)
    project: DbtProject = field(default_factory=DbtProject)

    @cached_property
    def founding(self) -> ChildRun:
        """The simulator making the city and filling every source."""
        self.say(f"a city of {self.persons:,} people")
        return child.run("found", persons=self.persons, seed=SEED)

    @cached_property
    def first(self) -> Day:
        """The first day: everything loaded, built in full, scored and returned if the town serves."""
        self.found()
        return self._day()

    def start(self) -> Day:
        """Pass the first day unless it is passed."""
        return self.first

    def found(self) -> ChildRun:
        """Make the city unless it is made."""
        return self.founding

    @cached_property
    def later(self) -> list[Day]:
        """Some days on which about 1 % of the rows change."""
        self.start()
        for _ in range(DAYS):
            self.say("a day passes in the city")
            today = days.advance(days=1)
            with connect("warehouse") as conn:
                business_date.set(conn, today)
            self._day()
        return self.passed[1:]

    @cached_property
    def raw_copies(self) -> list[float]:
        """Seconds that `create table as select *` takes over all raw tables together, several times."""
        self.start()
        self.say("copying every raw table")
        return [self._copy_raw() for _ in range(_PASSES)]

    def _day(self) -> Day:
        seconds: dict[str, float] = {}
        seconds["ingest"], loads = self._step("ingest", ingest)
        seconds["gate"], _ = self._step("gate", _gate)
        # Parsing is apart: a process does it once, and takes it from a cache if no file changed.
        seconds["dbt parse"], _ = self._step("dbt parse", lambda: self.project.manifest)
        seconds["build"], built = self._step("build", lambda: build(project=self.project))
        if built.failed:
            failed = ", ".join(run.name for run in built.failed)
            raise HuiliuError(f"models failed: {failed}", fix="mend them first")
        changes = [(load.rows_inserted, load.rows_updated, load.rows_deleted) for load in loads]
        day = Day(built, seconds, sum(count or 0 for counts in changes for count in counts))
        if built.full_refresh or not self.passed:
            # Only of a full build: the query of a day reads the temporary table of touched keys.
            day.plans = plans.main_costs(self.project, [run.name for run in day.slowest])
        if self.serves:
            self._serve(day)
        self.passed.append(day)
        return day

    def _serve(self, day: Day) -> None:
        """Score and return the day: the packages that wait for scores, then those that wait for metrics."""
        day.seconds["score"], scored = self._step("score", score)
        if scored.problems:
            raise HuiliuError(f"rules failed: {'; '.join(scored.problems[:3])}", fix="mend them first")
        packages = load_packages().values()
        day.seconds["return"] = 0.0
        for after in ("score", "metrics"):
            if after == "metrics":
                day.seconds["metrics"], _ = self._step("metrics", build_metrics)
            names = [package.name for package in packages if package.after == after]
            seconds, result = self._step("return", partial(deliver_all, names))
            day.seconds["return"] += seconds
            day.deliveries += result.delivered + result.held
            day.held += result.held
            day.rows_returned += result.rows_upserted + result.rows_deleted

    def _step(self, name: str, work: Callable[[], Result]) -> tuple[float, Result]:
        self.say(f"{self.persons:,} people: {name}")
        workplace.checkpoint()
        return measured(work)

    def _copy_raw(self) -> float:
        with connect_to(workplace.admin("warehouse"), "admin", autocommit=True) as conn:
            rows = conn.execute(
                "select tablename from pg_tables where schemaname = 'raw' and tablename !~ '^_current__'"
            ).fetchall()
            conn.execute("create schema bench")
            workplace.checkpoint()
            seconds = sum(timed(partial(_copy_table, conn, str(name))) for (name,) in rows)
            conn.execute("drop schema bench cascade")
        return seconds


def layer_seconds(runs: Sequence[ModelRun], layers: Mapping[str, str]) -> dict[str, float]:
    """Sum the seconds of models by layer; two run at a time, so the sum is more than passes on the clock."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for run in runs:
        seconds[layers.get(run.name, "seeds")] += run.seconds
    return dict(seconds)


def layers_of(project: DbtProject) -> dict[str, str]:
    """Return the layer (schema) of every model."""
    return {
        node.name: str(node.schema)
        for node in project.manifest.nodes.values()
        if node.resource_type.value == "model"
    }


def _gate() -> None:
    ensure_typed_views()
    held = gate_staging().held
    if held:
        tables = ", ".join(batch.table_name for batch in held)
        raise HuiliuError(f"the gate holds batches of {tables}", fix="see their failing rules first")


def _copy_table(conn: Connection, name: str) -> None:
    conn.execute(
        sql.SQL("create table {} as select * from {}").format(
            sql.Identifier("bench", name), sql.Identifier("raw", name)
        )
    )
