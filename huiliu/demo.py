"""`make demo`: services, a simulated city (or its next day), the whole flow in Airflow, and what came of it.

Killed anywhere, the next run finishes the day that was begun before another one passes.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from rich.console import Console
from rich.text import Text

from huiliu import business_date, demo_report, flow_watch, outcomes, provision, regions, services
from huiliu.airflow_api import AirflowApi
from huiliu.database import connect
from huiliu.errors import HuiliuError
from huiliu.programs import AIRFLOW, POSTGRES, SOURCE_API
from huiliu.settings import get_settings

# A list of what went wrong is read by a person: the first few, and how many more there are.
SHOWN = 5
# In a log nothing is cut off for want of columns.
LOG_WIDTH = 160
REGISTRY_DAG = "ingest_enterprise_registry"


@dataclass
class Progress:
    """Where the demo is, kept in $HUILIU_HOME/demo.json.

    Days begun, whether the last one is done, and the enterprise register that was last read whole.
    """

    begun: int = 0
    attempt: int = 0
    done: bool = True
    registry: str = ""

    @staticmethod
    def _path() -> Path:
        return get_settings().home / "demo.json"

    @classmethod
    def load(cls) -> Progress:
        """The progress so far, or none."""
        path = cls._path()
        return cls(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else cls()

    def save(self) -> None:
        """Keep the progress; a killed save leaves the last one."""
        draft = self._path().with_suffix(".draft")
        draft.write_text(json.dumps(asdict(self)), encoding="utf-8")
        draft.replace(self._path())


@dataclass
class Steps:
    """Says each step as it begins and how long it took."""

    console: Console
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Time one step; a failure is said with its step."""
        self.console.print(f"[bold]▶ {title}[/bold]")
        begun = time.monotonic()
        try:
            yield
        except BaseException:
            self.console.print(f"[red]✗ {title} after {time.monotonic() - begun:.1f} s[/red]")
            raise
        self.seconds[title] = time.monotonic() - begun
        self.console.print(f"[green]✓ {title}[/green] {self.seconds[title]:.1f} s")

    def say(self, line: str) -> None:
        """One line of detail."""
        self.console.print(Text(f"  {line}"), style="dim")


def run_demo(persons: int, seed: int, *, console: Console | None = None) -> None:
    """Run one day of the city through the flow in Airflow and print what came of it.

    The first run makes the city of `persons` people; every later one lets a day pass. Raises HuiliuError,
    with a list of what failed, unless every run ended well and every due delivery has a matching receipt.
    """
    console = console or Console(highlight=False, width=None if sys.stdout.isatty() else LOG_WIDTH)
    steps, progress = Steps(console), Progress.load()
    begun = datetime.now(UTC)
    with steps.step("PostgreSQL 与数据库 / databases"):
        services.up([POSTGRES], report=steps.say)
        provision.provision()
    # The two wait for different things: Airflow's start for its imports, the city for PostgreSQL.
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(_timed, lambda: services.up(AIRFLOW, report=steps.say))
        with steps.step(_city_title(progress, persons)):
            day = _city(progress, persons=persons, seed=seed)
            steps.say(f"business date {day}")
        with steps.step("Airflow 就绪 / Airflow is ready"):
            seconds = starting.result()
    steps.seconds["Airflow, since its start"] = seconds
    services.up([SOURCE_API], report=steps.say)
    with AirflowApi() as api, steps.step("全流程 / the whole flow in Airflow"):
        with closing(demo_report.Watcher(console)) as watcher:
            flow = _run_flow(api, progress, watcher)
        problems = flow_watch.failures(api, flow)
    demo_report.show_outcome(console, flow=flow, since=begun, seconds=steps.seconds)
    problems += missing_deliveries(begun)
    if problems:
        raise HuiliuError(
            "the demo's flow is not complete:\n" + "\n".join(f"- {problem}" for problem in problems),
            fix="see the task in the web interface; mend the cause, then run the demo again",
        )
    progress.done, progress.registry = True, _registry()
    progress.save()


def _registry() -> str:
    return str(get_settings().registry_file or "")


def _timed(work: Callable[[], None]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


def _city_title(progress: Progress, persons: int) -> str:
    if progress.begun == 0:
        return f"模拟城市 / a city of {persons:,} people"
    return "新的一天 / the next day" if progress.done else "续完当日 / the day that was begun"


def _city(progress: Progress, *, persons: int, seed: int) -> date:
    """Make the city or let a day pass, unless the day's flow was cut short; return the business date."""
    from simulator import city, days

    settings = get_settings()
    if progress.begun > 0 and not progress.done:
        with connect("warehouse") as conn:
            return business_date.get(conn)
    if progress.begun == 0:
        places = regions.load(settings.regions)
        today: date = city.create(persons=persons, seed=seed, regions=places, home=settings.home)
    else:
        today = days.advance(days=1)
    with connect("warehouse") as conn:
        business_date.set(conn, today)
    progress.begun, progress.done = progress.begun + 1, False
    progress.save()
    return today


def _run_flow(api: AirflowApi, progress: Progress, show: flow_watch.Show) -> flow_watch.Flow:
    """Start every source's DAG and follow what that causes to the end."""
    from ingestion.spec import read_specs

    ingest = [f"ingest_{name}" for specs in read_specs() for name in specs]
    flow_watch.wait_for_dags(api, [*ingest, *flow_watch.CHAIN, *flow_watch.BESIDE])
    progress.attempt += 1
    progress.save()
    since, flow = datetime.now(UTC).isoformat(), flow_watch.Flow()
    for dag_id in (*flow_watch.CHAIN, *ingest, *flow_watch.BESIDE):
        api.unpause(dag_id)
    for dag_id in ingest:
        # Another register is read in place of the last one, so that one's rows are truly gone.
        changed = dag_id == REGISTRY_DAG and _registry() != progress.registry
        api.trigger(
            dag_id,
            f"demo_{progress.begun}_{progress.attempt}",
            {"accept_deletions": True} if changed else None,
        )
    flow_watch.follow(api, flow, since=since, show=show)
    if not flow.of("score_quality"):
        # Nothing new landed: the day's build was done by an attempt that was cut short. Go on from there.
        api.trigger("score_quality", f"demo_{progress.begun}_{progress.attempt}")
        flow_watch.follow(api, flow, since=since, show=show)
    return flow


def due_deliveries() -> int:
    """How many deliveries a day owes: every package to every one of its consumers."""
    from returnflow.consumers import consumers_of
    from returnflow.spec import load_packages

    return sum(len(consumers_of(package)) for package in load_packages().values())


def missing_deliveries(since: datetime) -> list[str]:
    """Why deliveries due since then have no matching receipt; empty if all have."""
    with connect("warehouse") as conn:
        found = outcomes.deliveries(conn, outcomes.batches_since(conn, since))
    problems = found.missing[:SHOWN]
    if len(found.missing) > SHOWN:
        problems.append(f"… and {len(found.missing) - SHOWN} more deliveries: see ops.delivery.error")
    if found.held:
        problems.append(f"{found.held} deliveries are held: see ops.delivery.error")
    due = due_deliveries()
    if found.due != due:
        problems.append(f"{found.due} deliveries were planned, {due} are due")
    return problems
