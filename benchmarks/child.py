"""Work in a process of its own, whose memory is its own: `python -m benchmarks.child WORK ARGUMENTS`."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.finding import MEGABYTE, timed
from huiliu.errors import HuiliuError


@dataclass(frozen=True)
class ChildRun:
    """Seconds of the work (imports apart) and the greatest memory of its process in megabytes."""

    seconds: float
    megabytes: float


def run(work: str, **arguments: str | int) -> ChildRun:
    """Do a piece of work in a new process; HuiliuError with the end of its output if it fails."""
    command = [sys.executable, "-m", "benchmarks.child", work, json.dumps(arguments)]
    root = Path(__file__).resolve().parent.parent
    outcome = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603 - our own interpreter, fixed arguments
    if outcome.returncode != 0:
        last = (outcome.stderr.strip().splitlines() or ["no output"])[-1]
        raise HuiliuError(f"{work} failed: {last}", fix="run that step by itself")
    return ChildRun(**json.loads(outcome.stdout.splitlines()[-1]))


def _load(specs: str, source: str) -> Callable[[], object]:
    from ingestion import run as ingestion_run
    from ingestion import spec

    spec.SOURCES = Path(specs)
    return lambda: ingestion_run.ingest_source(source)


def _read_api(url: str) -> Callable[[], object]:
    from benchmarks import api, workplace
    from benchmarks.depot import BARE

    return lambda: api.read_plainly(url, workplace.admin("warehouse"), BARE)


def _found(persons: int, seed: int) -> Callable[[], object]:
    from huiliu import business_date
    from huiliu.database import connect
    from simulator import city

    def work() -> None:
        today = city.create(persons=persons, seed=seed)
        with connect("warehouse") as conn:
            business_date.set(conn, today)

    return work


def _peak() -> float:
    """Return the greatest resident memory since this program began, in megabytes."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux: getrusage there also counts what the parent held before exec
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / MEGABYTE
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE


def _main() -> None:
    works: dict[str, Callable[..., Callable[[], object]]] = {
        "load": _load,
        "read_api": _read_api,
        "found": _found,
    }
    work = works[sys.argv[1]](**json.loads(sys.argv[2]))
    seconds = timed(work)
    sys.stdout.write(json.dumps({"seconds": seconds, "megabytes": _peak()}) + "\n")


if __name__ == "__main__":
    _main()
