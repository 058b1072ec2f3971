"""Find and end the processes that belong to one HUILIU_HOME, and nobody else's.

Every service starts with HUILIU_INSTANCE=<random token of this home> in its environment, and whatever it
forks inherits that. A process is ours if /proc shows the token: this holds after its parent was killed, after
it left its process group, and when a process id was used again, where a recorded id alone would mislead.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

INSTANCE = "HUILIU_INSTANCE"
SERVICE = "HUILIU_SERVICE"
_LISTEN = "0A"  # state of a listening socket in /proc/net/tcp


@dataclass(frozen=True)
class Process:
    """A running process: id and start time (clock ticks since boot), together unique, and its service."""

    pid: int
    started: int
    service: str | None = None


def start_time(pid: int) -> int | None:
    """Start time of a live process in clock ticks; None if it is gone or only waits to be reaped."""
    try:
        fields = (
            Path(f"/proc/{pid}/stat")
            .read_text(encoding="utf-8", errors="replace")
            .rpartition(") ")[2]
            .split()
        )
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def _environment(pid: int) -> dict[str, str]:
    try:
        text = Path(f"/proc/{pid}/environ").read_bytes().decode("utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return {}
    return dict(pair.split("=", 1) for pair in text.split("\0") if "=" in pair)


def of_instance(token: str) -> list[Process]:
    """Every live process that carries this home's token, but the caller."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        pid = int(entry.name)
        environment = _environment(pid)
        started = start_time(pid)
        if started is not None and environment.get(INSTANCE) == token:
            found.append(Process(pid, started, environment.get(SERVICE)))
    return found


def alive(processes: Iterable[Process]) -> list[Process]:
    """Those still running as the same process (a reused id does not count)."""
    return [process for process in processes if start_time(process.pid) == process.started]


def end(processes: Iterable[Process], deadline: float = 10.0) -> list[Process]:
    """Ask each to stop, kill after `deadline` seconds; return what even that did not end."""
    left = alive(processes)
    for signal_number, seconds in ((signal.SIGTERM, deadline), (signal.SIGKILL, 5.0)):
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal_number)
        left = wait_gone(left, seconds)
        if not left:
            break
    return left


def listens(pid: int, port: int) -> bool:
    """Whether this very process listens on a TCP port: that something answers there is not enough."""
    try:
        held = {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False
    return any(f"socket:[{inode}]" in held for inode in _listening_inodes(port))


def _listening_inodes(port: int) -> list[str]:
    found = []
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        lines = table.read_text(encoding="ascii").splitlines()[1:] if table.exists() else []
        for fields in map(str.split, lines):
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                found.append(fields[9])
    return found


def wait_reaped(processes: Iterable[Process], seconds: float) -> None:
    """Wait at most `seconds` until ended processes are off the process list too.

    An orphan that has ended stays listed until process 1 takes note, which some containers seldom do. It does
    nothing any more, but who looks at the list would take it for left behind.
    """
    until = time.monotonic() + seconds
    listed = [process.pid for process in processes]
    while listed and time.monotonic() < until:
        listed = [pid for pid in listed if _is_listed_as_ended(pid)]
        time.sleep(0.1 if listed else 0)


def _is_listed_as_ended(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists() and start_time(pid) is None


def wait_gone(processes: Iterable[Process], seconds: float) -> list[Process]:
    """Wait at most `seconds` for the processes to end; return those that still run."""
    until = time.monotonic() + seconds
    left = alive(processes)
    while left and time.monotonic() < until:
        time.sleep(0.1)
        left = alive(left)
    return left
