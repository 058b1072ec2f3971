"""Where the city is kept: one folder a step, and one link whose replacement commits truth and state together.

    $HUILIU_HOME/simulator/step-000007/{state,truth}/   everything after seven changes
    $HUILIU_HOME/simulator/current -> step-000007       replaced atomically
    $HUILIU_HOME/truth -> simulator/current/truth       never changes

A killed step leaves at most an unfinished folder, which the next run throws away.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huiliu.errors import ConfigError, TransientError
from simulator import truth
from simulator.domains import schema
from simulator.state import State

_CURRENT = "current"
_PLAN = "plan.json"


def folder(home: Path) -> Path:
    """Return the simulator's own folder."""
    return home / "simulator"


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Keep other simulators of this home out.

    TransientError if one is at work. The lock ends with the process.
    """
    folder(home).mkdir(parents=True, exist_ok=True)
    with (folder(home) / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TransientError(
                "Another process is changing the simulated city", fix="wait for it to end, then try again"
            ) from error
        yield


def load(home: Path) -> State:
    """Return the city as last committed; ConfigError if there is none."""
    current = folder(home) / _CURRENT
    if not current.exists():
        raise ConfigError("There is no simulated city yet", fix="run 'huiliu simulate --persons N'")
    return State.load(current / "state", schema())


def forget(home: Path) -> None:
    """Uncommit the city: until a new one is committed there is none."""
    (folder(home) / _CURRENT).unlink(missing_ok=True)
    finish_plan(home)


def commit(state: State, home: Path) -> None:
    """Write truth and state of the step and make them the city's in one atomic rename.

    Drop the steps before.
    """
    base = folder(home)
    step = base / f"step-{state.meta.step:06d}"
    _sweep(base, keep=_pointed_at(base))
    (step / "state").mkdir(parents=True)
    (step / "truth").mkdir()
    truth.write(state, step / "truth")
    state.save(step / "state")
    _point(base / _CURRENT, step.name)
    published = home / "truth"
    if not published.is_symlink():
        _point(published, f"{base.name}/{_CURRENT}/truth")
    _sweep(base, keep=step.name)


def _pointed_at(base: Path) -> str:
    current = base / _CURRENT
    return str(current.readlink()) if current.is_symlink() else ""


def _point(link: Path, target: str) -> None:
    """Make ``link`` point to ``target``, replacing a link there may be in one go."""
    new = link.with_name(f".{link.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)


def _sweep(base: Path, keep: str) -> None:
    for path in base.glob("step-*"):
        if path.name != keep:
            shutil.rmtree(path)


def plan(home: Path, days: int, today: int) -> int:
    """Write down until which day the city is to advance, and return it.

    A run that was killed left its plan: the same request continues it instead of adding days.
    """
    path = folder(home) / _PLAN
    if path.exists():
        pending = json.loads(path.read_text(encoding="utf-8"))
        if pending["days"] == days and pending["until"] - days <= today <= pending["until"]:
            return int(pending["until"])
    new = path.with_name(f".{path.name}.new")
    new.write_text(json.dumps({"days": days, "until": today + days}), encoding="utf-8")
    new.replace(path)
    return today + days


def finish_plan(home: Path) -> None:
    """Say that the planned days have passed."""
    (folder(home) / _PLAN).unlink(missing_ok=True)
