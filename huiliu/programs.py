"""The long-running programs of one installation: what each runs, where it answers, how it is stopped."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from huiliu import airflow_config, connections, embedded_postgres, ports
from huiliu.errors import ConfigError, TransientError
from huiliu.settings import get_settings

POSTGRES = "postgres"
SOURCE_API = "source-api"
AIRFLOW = ("airflow-api-server", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer")
_HEALTH_NAME = {
    "airflow-api-server": "metadatabase",
    "airflow-scheduler": "scheduler",
    "airflow-dag-processor": "dag_processor",
    "airflow-triggerer": "triggerer",
}


@dataclass(frozen=True)
class Launch:
    """How to start a program: argument list and additions to the environment, in the project's folder."""

    command: list[str]
    environment: dict[str, str]


@dataclass(frozen=True)
class Program:
    """A program under the supervisor; those with a lower priority number start first and stop last."""

    name: str
    priority: int
    launch: Callable[[], Launch]
    address: Callable[[], str]
    healthy: Callable[[], bool]
    stop_signal: str = "TERM"
    stop_seconds: int = 15


def embedded_postgres_is_used() -> bool:
    """Whether some databases are on our own server: only an administrator elsewhere moves them all.

    HUILIU_DSN_WAREHOUSE moves the warehouse alone; Airflow's, the sources and the front ends stay.
    """
    return connections.overridden("admin") is None


def _postgres_answers() -> bool:
    try:
        embedded_postgres.wait_until_ready(timeout=0)
    except TransientError:
        return False
    return True


def _source_api() -> Launch:
    command = ["-m", "uvicorn", "--factory", "simulator.source_api:create_app", "--no-access-log"]
    place = ["--host", get_settings().bind, "--port", str(ports.port("source_api"))]
    return Launch([sys.executable, *command, *place], {})


def _airflow(*arguments: str) -> Callable[[], Launch]:
    def launch() -> Launch:
        return Launch([sys.executable, "-m", "airflow", *arguments], airflow_config.environment())

    return launch


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _airflow_part_is_healthy(name: str) -> Callable[[], bool]:
    def healthy() -> bool:
        try:
            answer = httpx.get(
                f"{connections.url('airflow')}/api/v2/monitor/health", timeout=10, trust_env=False
            )
        except httpx.TransportError:
            return False
        parts = answer.json() if answer.status_code == httpx.codes.OK else {}
        return bool((parts.get(_HEALTH_NAME[name]) or {}).get("status") == "healthy")

    return healthy


def _airflow_program(name: str, priority: int, *arguments: str) -> Program:
    return Program(
        name,
        priority,
        launch=_airflow(*arguments),
        address=lambda: connections.url("airflow") if name == "airflow-api-server" else "",
        healthy=_airflow_part_is_healthy(name),
    )


def programs() -> dict[str, Program]:
    """Return every program in starting order; PostgreSQL only if it is the embedded one."""
    found = [
        Program(
            SOURCE_API,
            20,
            launch=_source_api,
            address=lambda: connections.url("source_api"),
            healthy=lambda: _answers(f"{connections.url('source_api')}/health"),
            stop_seconds=5,
        ),
        _airflow_program("airflow-api-server", 30, "api-server"),
        # Logs are read from the common folder, so nobody needs to serve them over another port.
        _airflow_program("airflow-scheduler", 31, "scheduler", "--skip-serve-logs"),
        _airflow_program("airflow-dag-processor", 32, "dag-processor"),
        _airflow_program("airflow-triggerer", 33, "triggerer", "--skip-serve-logs"),
    ]
    if embedded_postgres_is_used():
        found.insert(
            0,
            Program(
                POSTGRES,
                10,
                launch=lambda: Launch(embedded_postgres.command(), {}),
                address=lambda: f"127.0.0.1:{ports.port('postgres')}",
                healthy=_postgres_answers,
                # INT is PostgreSQL's fast shutdown: sessions end, nothing is lost.
                stop_signal="INT",
                # A kill in the last checkpoint would cost a recovery, which takes longer.
                stop_seconds=embedded_postgres.STOP_SECONDS,
            ),
        )
    return {program.name: program for program in found}


def select(only: list[str] | None) -> list[str]:
    """Names asked for, in starting order; `airflow` means its four parts. ConfigError for an unknown one."""
    known = programs()
    if only is None:
        return list(known)
    wanted = {part for name in only for part in (AIRFLOW if name == "airflow" else (name,))}
    unknown = sorted(wanted - set(known) - {POSTGRES})
    if unknown:
        raise ConfigError(
            f"there is no service {', '.join(unknown)}", fix=f"use airflow or one of {', '.join(known)}"
        )
    return [name for name in known if name in wanted]


def log_file(name: str) -> Path:
    """Where the supervisor writes what a program prints."""
    return get_settings().home / "logs" / f"{name}.log"


def log_tail(name: str, lines: int = 15) -> str:
    """The last lines a program printed."""
    path = log_file(name)
    if not path.exists():
        return "(no log yet)"
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 20_000))
        text = file.read().decode("utf-8", errors="replace")
    return "\n".join(text.splitlines()[-lines:])
