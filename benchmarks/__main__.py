"""`python -m benchmarks [NAME…]`: measure goals and write RESULTS.md. See docs/performance.md."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pymysql
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from benchmarks import machine, workplace
from benchmarks.depot import Depot
from benchmarks.finding import Finding, NotMeasuredError
from benchmarks.goals import CITY_GOALS, OUT_OF_SCOPE, SERVING, Goal, Place, goal_names, load_goals
from benchmarks.results import RESULTS, Results, Row
from benchmarks.town import Day, Town, layer_seconds, layers_of
from huiliu.errors import HuiliuError


@dataclass
class Run:
    """The results so far, and where progress is shown."""

    results: Results
    progress: Progress
    version: str = ""
    failed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.task = self.progress.add_task("", total=None)

    def say(self, line: str) -> None:
        """Show what is being done."""
        self.progress.update(self.task, description=line)

    def measure(self, goals: Sequence[Goal[Place]], place: Place) -> None:
        """Measure goals one after another; one that fails is listed with its reason, the others go on."""
        for goal in goals:
            self.say(goal.name)
            try:
                self.keep(goal, goal.measure(place))
            except NotMeasuredError as reason:
                self.leave_out(goal, reason)
            except (HuiliuError, psycopg.Error, pymysql.Error, subprocess.SubprocessError) as error:
                self.fail(goal, error)

    def keep(self, goal: Goal[Place], finding: Finding) -> None:
        """Keep and show a finding."""
        self.results.rows.append(Row(goal.name, goal.what, goal.against, finding))
        shown = ", ".join(f"{ratio.measured} ({ratio.goal})" for ratio in finding.ratios)
        colour = "green" if finding.met else "red"
        self.progress.console.print(
            f"[{colour}]{finding.verdict:6}[/] {goal.name}: {shown}; {finding.absolute}"
        )

    def leave_out(self, goal: Goal[Place], reason: NotMeasuredError) -> None:
        """Keep and show why a goal is not measured here."""
        self.results.not_measured[goal.what] = str(reason)
        self.progress.console.print(f"not measured: {goal.name}: {reason}")

    def fail(self, goal: Goal[Place], error: Exception) -> None:
        """Keep and show why a goal could not be measured."""
        self.failed.append(goal.name)
        self.results.not_measured[goal.what] = f"failed ({' '.join(str(error).split())[:300]})"
        self.progress.console.print(f"[red]failed[/] {goal.name}: {error}", highlight=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the chosen goals; 1 if any could not be measured (a goal that is missed is a result)."""
    options = _parser().parse_args(arguments)
    begun = datetime.now(UTC)
    loads, cities = load_goals(large=options.large), list(CITY_GOALS)
    chosen = set(options.names or goal_names())
    persons = options.persons or (1_000_000 if options.large else 200_000)
    load_before = machine.load()
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(highlight=False)) as progress:
        run = Run(Results("", ""), progress)
        _measure_loads(run, [goal for goal in loads if goal.name in chosen])
        _measure_city(run, [goal for goal in cities if goal.name in chosen], persons)
    described = {goal.name: goal.what for goal in loads} | {goal.name: goal.what for goal in cities}
    run.results.not_measured |= {what: "not chosen" for name, what in described.items() if name not in chosen}
    run.results.not_measured |= OUT_OF_SCOPE
    minutes = (datetime.now(UTC) - begun).total_seconds() / 60
    run.results.machine = machine.describe(run.version)
    run.results.run = (
        f"Date: {begun:%Y-%m-%d}. {persons:,} people. {minutes:.0f} minutes. Load of the machine before"
        f" the run {load_before:.1f}, at its end {machine.load():.1f}."
    )
    options.output.write_text(run.results.text(), encoding="utf-8")
    progress.console.print(f"written to {options.output}")
    return 1 if run.failed else 0


def _measure_loads(run: Run, goals: list[Goal[Depot]]) -> None:
    if not goals:
        return
    with workplace.home("loads", run.say) as home:
        run.version = machine.postgres_version()
        with Depot.open(home) as depot:
            run.measure(goals, depot)


def _measure_city(run: Run, goals: list[Goal[Town]], persons: int) -> None:
    if not goals:
        return
    names = {goal.name for goal in goals}
    half = _half(run, persons // 2) if "twice_the_city" in names else None
    with workplace.home("city", run.say):
        run.version = machine.postgres_version()
        town = Town(persons, run.say, serves=bool(names & set(SERVING)), half=half)
        run.measure(goals, town)
        run.results.details |= _details(town)


def _half(run: Run, persons: int) -> Day | None:
    """Build the half city in a home of its own; None if it fails, which the goal that needs it then says."""
    try:
        with workplace.home("half", run.say):
            return Town(persons, run.say, serves=False).first
    except HuiliuError as error:
        run.progress.console.print(f"[red]the half city failed[/]: {error}", highlight=False)
        return None


def _details(town: Town) -> dict[str, list[str]]:
    """List the steps of the days that passed, the layers of the builds and the slowest models."""
    days = {"first day" if not number else f"day {number + 1}": day for number, day in enumerate(town.passed)}
    if not days:
        return {}
    layers = layers_of(town.project)
    details = {
        "Steps, in seconds": [f"{title}: {_seconds(day.seconds)}" for title, day in days.items()],
        "Models by layer, in seconds (two run at a time)": [
            f"{title}: {_seconds(layer_seconds(day.built.models, layers))}" for title, day in days.items()
        ],
    }
    for title in dict.fromkeys((next(iter(days)), list(days)[-1])):
        day = days[title]
        details[f"Slowest models of the {title}"] = [
            ": ".join(filter(None, (f"`{run.name}` {run.seconds:.2f} s", day.plans.get(run.name))))
            for run in day.slowest
        ]
    return details


def _seconds(named: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {seconds:.1f}" for name, seconds in named.items())


def _parser() -> argparse.ArgumentParser:
    names = goal_names()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *names], help=", ".join(names))
    parser.add_argument("--persons", type=int, help="people of the city (200,000; with --large 1,000,000)")
    parser.add_argument("--large", action="store_true", help="also 10 M rows, and a city of 1 M people")
    parser.add_argument("--output", type=Path, default=RESULTS, help="file to write (default %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
