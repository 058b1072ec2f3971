"""Starts one service in place of itself: `python -m huiliu.service_guard NAME`, run by the supervisor.

Before that it ends what an earlier, killed run of the same service left behind: a scheduler that died by
kill -9 leaves workers waiting for ever and tasks still writing, which must not meet those of the next one.
"""

from __future__ import annotations

import json
import os
import sys

from huiliu import processes
from huiliu.programs import POSTGRES, programs
from huiliu.settings import forget_settings, get_settings


def main(name: str) -> None:
    """Replace this process with the service; its id stays, so that signals reach the service itself."""
    overlay = get_settings().home / "run" / "environment.json"
    os.environ.update(json.loads(overlay.read_text(encoding="utf-8")))
    forget_settings()
    if name != POSTGRES:  # its own start deals with what a killed server left
        marked = processes.of_instance(os.environ[processes.INSTANCE])
        processes.end([process for process in marked if process.service == name], deadline=5)
    launch = programs()[name].launch()
    environment = {**os.environ, **launch.environment, processes.SERVICE: name}
    os.execve(launch.command[0], launch.command, environment)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main(sys.argv[1])
