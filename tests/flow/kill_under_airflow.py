"""`kill -9` of PostgreSQL, of the scheduler and of running tasks at random moments of the flow in Airflow.

    .venv/bin/python -m tests.flow.kill_under_airflow --seed 20260115 --moments 20

An operator's way: `huiliu demo` runs a day; whatever is killed meanwhile, it is run again until it succeeds.
After each day the end state is compared with that of a twin city which ran `huiliu run` undisturbed.
Prints a table of the moments; exit code 1 if anything differs. About three minutes a day of four moments.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from huiliu import processes, services, supervision
from huiliu.database import connect
from huiliu.errors import HuiliuError
from huiliu.programs import POSTGRES, programs
from huiliu.settings import forget_settings
from tests.flow import kill_actions, kill_moments
from tests.flow.kill_moments import Twin

# An idle worker of the executor has the same title, without an id.
TASK_TITLE = re.compile(r"airflow worker -- ([0-9a-f]{8}-[0-9a-f-]{27})")
SCHEDULER = "airflow-scheduler"
VICTIMS = ("postgres", "task", "scheduler")
MOMENTS_A_DAY = 4
# The day before runs whole: it says how long a day takes.
FIRST_DAY = 2
MOST_DAYS = 20
RERUNS = 4
RECOVERY_SECONDS = 300.0
COMMAND = "from huiliu.cli import run; run()"
out = Console(width=150)


@dataclass
class Kill:
    """One moment: when in the day's flow, what was killed, and how long it took to be as before."""

    number: int
    share: float
    victim: str
    day: int = 0
    at: float = 0.0
    what: str = ""
    seconds: float | None = None
    note: str = ""


def draw(seed: int, count: int) -> list[Kill]:
    """Random moments, victims in equal parts."""
    rng = random.Random(seed)  # noqa: S311 - a repeatable draw, no secret - moments to be drawn again from their seed
    victims = [VICTIMS[number % len(VICTIMS)] for number in range(count)]
    rng.shuffle(victims)
    return [Kill(number, rng.random(), victim) for number, victim in enumerate(victims, start=1)]


def running_tasks() -> dict[int, str]:
    """Process id -> Airflow's id of every task of this home that runs now."""
    found = {}
    for process in processes.of_instance(supervision.token()):
        try:
            line = Path(f"/proc/{process.pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (FileNotFoundError, ProcessLookupError):
            continue
        title = TASK_TITLE.match(line)
        if title:
            found[process.pid] = title[1]
    return found


def service_pid(name: str) -> int:
    """The process id of a service; 0 if it does not run."""
    return next((state.pid or 0 for state in services.status() if state.name == name), 0)


def until(holds: Callable[[], bool], seconds: float) -> float | None:
    """Wait until it holds; returns how many seconds that took, None if it did not."""
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        try:
            if holds():
                return time.monotonic() - begun
        except HuiliuError:
            pass  # PostgreSQL or Airflow is away for a moment: that is what we wait for the end of
        time.sleep(0.3)
    return None


def kill_service(kill: Kill, name: str) -> None:
    """Kill a service's own process and wait until the supervisor's next one is healthy."""
    pid, moment = service_pid(name), datetime.now(UTC)
    if not pid:
        kill.note = f"{name} did not run"
        return
    os.kill(pid, signal.SIGKILL)
    kill.what = f"{name} ({pid})"
    works = schedules_since(moment) if name == SCHEDULER else programs()[name].healthy
    kill.seconds = until(lambda: service_pid(name) not in (0, pid) and works(), RECOVERY_SECONDS)


def schedules_since(moment: datetime) -> Callable[[], bool]:
    """Whether a scheduler begun since then beats; Airflow's own health counts the killed one's last beat."""

    def works() -> bool:
        with connect("airflow") as conn:
            row = conn.execute(
                "select count(*) from job where job_type = 'SchedulerJob' and state = 'running'"
                " and start_date > %s and latest_heartbeat > start_date",
                [moment],
            ).fetchone()
        return row != (0,)

    return works


def kill_task(kill: Kill, random_choice: random.Random) -> None:
    """Kill the process of a running task and wait until its next try is running or done."""
    until(lambda: bool(running_tasks()), 60)
    running = running_tasks()
    if not running:
        kill.note = "no task ran"
        return
    pid = random_choice.choice(sorted(running))
    task = running[pid]
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        kill.note = "the task ended just before"
        return
    with connect("airflow") as conn:
        row = conn.execute(
            "select dag_id, task_id, run_id, map_index, try_number from task_instance where id = %s"
            " union select dag_id, task_id, run_id, map_index, try_number from task_instance_history"
            " where task_instance_id = %s",
            [task, task],
        ).fetchone()
    if row is None:
        kill.note = f"task {task} is not in Airflow's tables"
        return
    dag_id, task_id, run_id, map_index, tried = row
    kill.what = f"{dag_id}.{task_id}" + (f" [{map_index}]" if map_index >= 0 else "")

    def again() -> bool:
        with connect("airflow") as conn:
            state = conn.execute(
                "select state, try_number from task_instance"
                " where (dag_id, task_id, run_id, map_index) = (%s, %s, %s, %s)",
                [dag_id, task_id, run_id, map_index],
            ).fetchone()
        if state is None:
            return False
        if state[0] in ("failed", "upstream_failed"):
            kill.note = "out of tries: a later run makes it good"
            return True
        return bool(state[0] == "success" or (state[0] == "running" and state[1] > tried))

    kill.seconds = until(again, RECOVERY_SECONDS)


def demo(persons: int, seed: int, log: Path) -> subprocess.Popen[bytes]:
    """Start `huiliu demo`: a new city, the next day, or the day that was cut short."""
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-c", COMMAND, "demo", "--persons", str(persons), "--seed", str(seed)],
            stdout=output,
            stderr=output,
        )


def killed_day(
    kills: list[Kill], run: Callable[[], subprocess.Popen[bytes]], usual: float
) -> tuple[int, float]:
    """Run a day, killing at its moments, until the demo succeeds; returns (demos run, seconds)."""
    begun, left = time.monotonic(), list(kills)
    chance = random.Random(len(kills))  # noqa: S311 - a repeatable draw, no secret
    for attempt in range(1, RERUNS + 1):
        process = run()
        try:
            while process.poll() is None:
                if left and time.monotonic() - begun >= left[0].share * usual:
                    strike(left.pop(0), time.monotonic() - begun, chance)
                time.sleep(0.2)
        finally:
            process.kill()
        if process.returncode == 0:
            for kill in left:
                kill.note = "the day was over"
            return attempt, time.monotonic() - begun
    raise SystemExit(f"the demo still fails after {RERUNS} runs; see its log")


def strike(kill: Kill, at: float, chance: random.Random) -> None:
    """Kill the victim of a moment and wait until it is back."""
    kill.at, kill.note = at, ""
    if kill.victim == "task":
        kill_task(kill, chance)
    else:
        kill_service(kill, SCHEDULER if kill.victim == "scheduler" else POSTGRES)


def table(kills: list[Kill]) -> Table:
    """The moments as a table."""
    shown = Table(title="moments")
    for column in ("#", "day", "at (s)", "victim", "killed", "back after (s)", "note"):
        shown.add_column(column)
    for kill in kills:
        seconds = "" if kill.seconds is None else f"{kill.seconds:.1f}"
        note = kill.note or ("" if kill.seconds is not None else f"not within {RECOVERY_SECONDS:.0f} s")
        row = (kill.number, kill.day, f"{kill.at:.0f}", kill.victim, kill.what, seconds, note)
        shown.add_row(*map(str, row))
    return shown


def days(twins: tuple[Twin, Twin], kills: list[Kill], persons: int, seed: int) -> Iterator[bool]:
    """Live the days in both homes; yields for each day whether the end states are equal.

    A moment that came after its day was over is drawn into the next one.
    """
    undisturbed, killed = twins
    os.environ.update(killed.environment)
    forget_settings()
    log = killed.folder / "demo.log"

    def run() -> subprocess.Popen[bytes]:
        return demo(persons, seed, log)

    usual, day, left = 0.0, 0, list(kills)
    while left and day < MOST_DAYS:
        mine = left[:MOMENTS_A_DAY] if day >= FIRST_DAY else []
        mine.sort(key=lambda kill: kill.share)
        demos, seconds = killed_day(mine, run, usual)
        for kill in mine:
            kill.day = day
        left = [kill for kill in left if not kill.what]
        if day < FIRST_DAY or not any(kill.what for kill in mine):
            usual = seconds  # an undisturbed day
        if day == 0:
            undisturbed.begin(kill_actions.found, persons, seed).result()
        else:
            undisturbed.begin(kill_actions.pass_days, 1).result()
        whole = undisturbed.begin(kill_actions.run_day, reports=True).result()
        expected, found = kill_moments.both(twins, kill_actions.picture)
        differing = kill_moments.differences(expected.rows, found.rows)
        out.print(
            f"day {day}: {sum(kill.what != '' for kill in mine)} kills, {demos} demos, {seconds:.0f} s;"
            f" {len(expected.rows)} tables compared, differing: {differing or 'none'},"
            f" faults: {found.faults or 'none'}, undisturbed failures: {whole or 'none'}"
        )
        if mine:
            out.print(table(mine))
        yield not differing and not found.faults
        day += 1


def main() -> None:
    """Read the command line, live the days, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seed", type=int, default=20260115)
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--persons", type=int, default=700)
    given = parser.parse_args()
    kills = draw(given.seed, given.moments)
    # Asked to stop, it leaves as after an error: with both homes' services stopped and their folders gone.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory() as folder:
        regions = Path(folder) / "two_districts.csv"
        kill_moments.write_two_districts(regions)
        with kill_moments.twins(regions) as twins:
            equal = list(days(twins, kills, given.persons, given.seed))
    out.print(table(kills))
    hit = sum(kill.what != "" for kill in kills)
    out.print(f"seed {given.seed}: {hit} of {len(kills)} moments hit; {equal.count(False)} days differ")
    raise SystemExit(0 if all(equal) and hit == len(kills) else 1)


if __name__ == "__main__":
    main()
