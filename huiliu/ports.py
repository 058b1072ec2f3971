"""Which local port each service has: the preferred one if free, else a free one, kept in ``ports.json``."""

from __future__ import annotations

import json
import socket

from huiliu.secret_store import home_lock
from huiliu.settings import get_settings


def port(service: str) -> int:
    """Return a service's port: the one last claimed, else the preferred one."""
    return _claimed().get(service) or _preferred(service)


def claim(service: str) -> int:
    """Return a free port for a service about to start, and keep it; the last one if that is still free."""
    with home_lock("ports"):
        kept = _claimed()
        others = {number for name, number in kept.items() if name != service}
        wanted = [kept[service]] if service in kept else []
        wanted.append(_preferred(service))
        chosen = next((number for number in wanted if number not in others and is_free(number)), None)
        if chosen is None:
            chosen = _any_free(others)
        if kept.get(service) != chosen:
            path = get_settings().home / "ports.json"
            partial = path.with_suffix(".partial")
            partial.write_text(json.dumps(kept | {service: chosen}, indent=1), encoding="utf-8")
            partial.replace(path)
        return chosen


def is_free(number: int, host: str = "127.0.0.1") -> bool:
    """Say whether a server could listen on the port now."""
    with socket.socket() as probe:
        # As servers do: a port is not taken because connections of its last user are still closing.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
        except OSError:
            return False
    return True


def _preferred(service: str) -> int:
    return int(getattr(get_settings(), f"{service}_port"))


def _claimed() -> dict[str, int]:
    path = get_settings().home / "ports.json"
    if not path.exists():
        return {}
    kept: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))
    return kept


def _any_free(others: set[int]) -> int:
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            number = int(probe.getsockname()[1])
        if number not in others:
            return number
