"""Only processes that carry this home's token are found, and they end even if they do not want to."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from huiliu import processes

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('up', flush=True); time.sleep(60)"
)
# Leaves its parent and its process group at once, as an orphaned worker does.
ORPHAN = (
    "import os, time; os.fork() and os._exit(0); os.setsid(); print(os.getpid(), flush=True); time.sleep(60)"
)


@pytest.fixture
def token() -> Iterator[str]:
    value = secrets.token_hex(8)
    yield value
    processes.end(processes.of_instance(value), deadline=0.1)


def start(code: str, token: str, service: str = "toy") -> subprocess.Popen[str]:
    environment = {**os.environ, processes.INSTANCE: token, processes.SERVICE: service}
    child = subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline()
    return child


def test_an_orphan_in_a_group_of_its_own_is_found_with_its_service(token: str) -> None:
    parent = start(ORPHAN, token)
    parent.wait()
    (found,) = processes.of_instance(token)
    assert found.service == "toy"
    assert found.pid != parent.pid
    assert processes.end([found]) == []
    assert processes.of_instance(token) == []


def test_another_homes_processes_are_not_found(token: str) -> None:
    start(STUBBORN, token)
    assert processes.of_instance(token + "0") == []
    assert processes.of_instance(token[:-1]) == []


def test_a_process_that_ignores_the_stop_signal_is_killed_after_the_deadline(token: str) -> None:
    child = start(STUBBORN, token)
    assert processes.end(processes.of_instance(token), deadline=0.3) == []
    assert child.wait(timeout=5) == -9


def test_a_reused_process_id_is_not_taken_for_the_old_process() -> None:
    me = processes.start_time(os.getpid())
    assert me is not None
    assert processes.alive([processes.Process(os.getpid(), me)])
    assert not processes.alive([processes.Process(os.getpid(), me - 1)])


def test_an_ended_process_is_waited_for_until_it_is_off_the_list(token: str) -> None:
    child = start(STUBBORN, token)
    found = processes.of_instance(token)
    processes.end(found, deadline=0.1)
    begun = time.monotonic()
    processes.wait_reaped(found, 0.3)
    assert time.monotonic() - begun >= 0.3, "ended, but its parent (this test) has not taken note"
    child.wait()
    begun = time.monotonic()
    processes.wait_reaped(found, 5)
    assert time.monotonic() - begun < 1
