"""The simulated sources' HTTP APIs, in a thread of the test's own process."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from huiliu import ports
from simulator.source_api import create_app

_SECONDS = 30.0


@contextmanager
def source_apis() -> Iterator[None]:
    """Serve them on the port that this home prefers, as long as it lasts."""
    config = uvicorn.Config(create_app(), port=ports.claim("source_api"), log_level="error", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="source-api")
    thread.start()
    try:
        _wait(server, thread)
        yield
    finally:
        server.should_exit = True
        thread.join(_SECONDS)


def _wait(server: uvicorn.Server, thread: threading.Thread) -> None:
    end = time.monotonic() + _SECONDS
    while not server.started:
        assert thread.is_alive(), "the source APIs' server has ended"
        assert time.monotonic() < end, f"the source APIs' server did not start within {_SECONDS} s"
        time.sleep(0.02)
