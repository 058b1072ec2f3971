"""Twin cities, one of which is killed at random moments: their homes, days, moments and pictures to compare.

Whatever is done in a home runs in a child process of its own, as commands do; so it can be killed with
`kill -9` while it works. Children are forked from a server that has imported everything already.
"""

from __future__ import annotations

import csv
import os
import random
import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest

from huiliu import services
from huiliu.errors import HuiliuError
from huiliu.settings import PROJECT_ROOT, forget_settings, get_settings
from tests.homes import home_of_its_own

STEPS = ("ingest", "gate", "build", "score", "corrections", "return", "metrics", "report")
# Of no importance but that twins share it: keys made with it are compared.
SHARED_SECRET = {"HUILIU_SECRET_IDENTIFIER_HASH_KEY": "the-twins-key-of-identifiers"}
LIFE_SECONDS = 240.0

T = TypeVar("T")

_CHILDREN = get_context("forkserver")
_CHILDREN.set_forkserver_preload(
    [
        "dbt.adapters.postgres",
        "dbt.cli.main",
        "ingestion.run",
        "returnflow.run",
        "soda_checks.corrections.lists",
        "soda_checks.gate",
        "soda_checks.score",
        "tests.flow.kill_actions",
        "transformation.build",
        "transformation.checks",
    ]
)


class CrashError(AssertionError):
    """A child ended by an error that no operator could read: not a HuiliuError, or without a word."""


@dataclass
class Life(Generic[T]):
    """One child at work in a home: the steps it said, with the moment of each, and how it ended."""

    name: str
    process: Any
    pipe: Pipe
    steps: list[tuple[str, float]] = field(default_factory=list)
    ending: tuple[str, Any] | None = None

    def until_step(self, step: str) -> None:
        """Wait until it says the step or a later one, or ends."""
        place = STEPS.index(step)
        while self.ending is None and not any(STEPS.index(said) >= place for said, _ in self.steps):
            self._hear(LIFE_SECONDS)

    def survives(self, seconds: float) -> bool:
        """Let it work on for so long; False if it ended before."""
        until = time.monotonic() + seconds
        while self.ending is None and (left := until - time.monotonic()) > 0:
            self._hear(left, patient=True)
        return self.ending is None

    def kill(self) -> None:
        """`kill -9` of the child and all it started."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.join()
        self.ending = ("killed", None)

    def result(self) -> T:
        """What its work returned; CrashError if it ended otherwise."""
        kind, value = self.end()
        if kind != "result":
            raise CrashError(f"{self.name} {kind}: {value}")
        outcome: T = value
        return outcome

    def end(self) -> tuple[str, Any]:
        """Wait until it ends; how: result, failed (a HuiliuError), crashed, or killed."""
        while self.ending is None:
            self._hear(LIFE_SECONDS)
        self.process.join()
        return self.ending

    def seconds(self) -> dict[str, float]:
        """How long each step but the last took, the end of the life counting as a step."""
        return {
            step: later - begun for (step, begun), (_, later) in zip(self.steps, self.steps[1:], strict=False)
        }

    def _hear(self, seconds: float, *, patient: bool = False) -> None:
        if not self.pipe.poll(seconds):
            if patient:
                return
            os.killpg(self.process.pid, signal.SIGKILL)
            raise CrashError(f"{self.name} hangs in {self.steps[-1:]} for {seconds:.0f} s")
        try:
            kind, value = self.pipe.recv()
        except EOFError:
            self.ending = ("crashed", "ended without a word")
            return
        if kind == "step":
            self.steps.append((value, time.monotonic()))
        else:
            self.steps.append(("", time.monotonic()))
            self.ending = (kind, value)


def _live(environment: dict[str, str], log: str, pipe: Pipe, work: Callable[[], object]) -> None:
    """In the child: a process group and an environment of its own, then the work, then a word of its end."""
    os.setsid()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    for name in [name for name in os.environ if name.startswith("HUILIU_")]:
        del os.environ[name]
    os.environ.update(environment)
    forget_settings()
    try:
        pipe.send(("result", work()))
    except HuiliuError as error:
        pipe.send(("failed", str(error)))
    except BaseException:
        pipe.send(("crashed", traceback.format_exc()))
        raise


@dataclass(frozen=True)
class Twin:
    """One of two homes with the same city."""

    name: str
    folder: Path
    environment: dict[str, str]

    def begin(self, work: Callable[..., T], *args: object, reports: bool = False) -> Life[T]:
        """Start work in a child of this home; if it reports, its first argument is whom to tell its steps."""
        here, there = _CHILDREN.Pipe(duplex=False)
        tell = (_Tell(there),) if reports else ()
        process = _CHILDREN.Process(
            target=_live,
            args=(self.environment, str(self.folder / "children.log"), there, partial(work, *tell, *args)),
        )
        process.start()
        there.close()
        return Life(f"{self.name}: {work.__name__}", process, here)


@dataclass(frozen=True)
class _Tell:
    """Tells the parent which step begins."""

    pipe: Pipe

    def __call__(self, step: str) -> None:
        self.pipe.send(("step", step))


def both(twins: tuple[Twin, Twin], work: Callable[..., T], *args: object) -> tuple[T, T]:
    """Do the same in both homes side by side; returns both results."""
    first, second = (twin.begin(work, *args) for twin in twins)
    return first.result(), second.result()


def write_two_districts(path: Path) -> None:
    """Write the region codes of the city with only its two smallest districts that have several townships."""
    with (PROJECT_ROOT / "reference" / "regions" / "yantai.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    townships = Counter(row["code"][:6] for row in rows if row["level"] == "township")
    smallest = sorted((count, code) for code, count in townships.items() if count > 1)[:2]
    codes = {code for _, code in smallest}
    kept = [row for row in rows if row["level"] in ("province", "city") or row["code"][:6] in codes]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(kept)


@contextmanager
def twins(regions: Path) -> Iterator[tuple[Twin, Twin]]:
    """Two empty homes for a city of these regions: the undisturbed one and the one to be killed."""

    @contextmanager
    def twin(name: str) -> Iterator[Twin]:
        with home_of_its_own() as folder:
            environment = {
                **get_settings().as_environment(),
                "HUILIU_ENV_FILE": "",
                "HUILIU_REGIONS": str(regions),
                **SHARED_SECRET,
            }
            try:
                yield Twin(name, folder, environment)
            finally:
                with pytest.MonkeyPatch.context() as monkeypatch:
                    for variable, value in environment.items():
                        monkeypatch.setenv(variable, value)
                    forget_settings()
                    services.down()

    with twin("undisturbed") as first, twin("killed") as second:
        yield first, second


@dataclass(frozen=True)
class Moment:
    """When to kill what: the running step or PostgreSQL, a share of a step's usual time after it begins."""

    day: int
    step: str
    share: float
    victim: str

    def __str__(self) -> str:
        return f"day {self.day}, {self.share:.0%} of {self.step}: kill -9 of {self.victim}"


def moments(seed: int, days: int, each: int) -> list[Moment]:
    """Random moments, `each` a day in the order of steps; half of the victims is PostgreSQL."""
    rng = random.Random(seed)  # noqa: S311 - moments of a test, to be drawn again from their seed
    count = days * each
    steps = [STEPS[number % len(STEPS)] for number in range(count)]
    victims = [("the step", "postgres")[number % 2] for number in range(count)]
    rng.shuffle(steps)
    rng.shuffle(victims)
    drawn = [
        Moment(1 + number // each, step, rng.uniform(0.02, 0.95), victim)
        for number, (step, victim) in enumerate(zip(steps, victims, strict=True))
    ]
    return sorted(drawn, key=lambda moment: (moment.day, STEPS.index(moment.step), moment.share))


def differences(one: dict[str, Counter[str]], other: dict[str, Counter[str]]) -> dict[str, tuple[int, int]]:
    """Tables of which two pictures differ: (rows only in the first, rows only in the second)."""
    found = {}
    for table in sorted({*one, *other}):
        here, there = one.get(table, Counter()), other.get(table, Counter())
        if here != there:
            found[table] = ((here - there).total(), (there - here).total())
    return found
