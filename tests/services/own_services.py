"""What the services of this home do: which process, whether they answer, what they leave."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from huiliu import ports, processes, services, supervision
from huiliu.database import connect
from huiliu.errors import HuiliuError
from huiliu.settings import get_settings


def pid_of(name: str) -> int:
    pid = next(state.pid for state in services.status() if state.name == name)
    assert pid is not None
    return pid


def until(is_so: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.2)


def assert_nothing_left() -> None:
    assert processes.of_instance(supervision.token()) == []
    claimed = json.loads((get_settings().home / "ports.json").read_text(encoding="utf-8"))
    assert "postgres" in claimed
    assert [number for number in claimed.values() if not ports.is_free(number)] == []


def answers() -> bool:
    try:
        with connect("admin") as conn:
            return bool(conn.execute("select 1").fetchone())
    except HuiliuError:
        return False
