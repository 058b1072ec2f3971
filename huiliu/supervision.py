"""supervisord for one HUILIU_HOME: its configuration, its start, and the connection that controls it.

It is controlled over loopback HTTP with a password made for each start: a Unix socket's path is limited to
about 100 characters, and HUILIU_HOME may lie anywhere.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import xmlrpc.client
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from huiliu import processes
from huiliu.errors import HuiliuError
from huiliu.programs import log_file, programs
from huiliu.secret_store import secret
from huiliu.settings import get_settings

START_SECONDS = 20
UNREACHABLE = (OSError, HTTPException, xmlrpc.client.ProtocolError)


@dataclass(frozen=True)
class Supervisor:
    """A supervisord that runs for this home."""

    process: processes.Process
    rpc: Any

    def states(self) -> dict[str, dict[str, Any]]:
        """What supervisord knows of each program, by name."""
        return {info["name"]: info for info in self.rpc.getAllProcessInfo()}


def run_folder() -> Path:
    """Folder (mode 0700) of what belongs to the running services; emptied by `down`."""
    folder = get_settings().home / "run"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def token() -> str:
    """The mark every process of this home carries."""
    return secret("services_instance")


def running() -> Supervisor | None:
    """The supervisord of this home, if it lives and answers."""
    path = run_folder() / "supervisord.json"
    if not path.exists():
        return None
    known = json.loads(path.read_text(encoding="utf-8"))
    process = processes.Process(known["pid"], known["started"])
    if not processes.alive([process]):
        return None
    # Kept short: supervisord answers from memory, and a call never waits for a program.
    rpc = xmlrpc.client.ServerProxy(
        f"http://huiliu:{known['password']}@127.0.0.1:{known['port']}/RPC2"
    ).supervisor
    try:
        rpc.getState()
    except UNREACHABLE:
        return None
    return Supervisor(process, rpc)


def start() -> Supervisor:
    """Start supervisord with no program started yet; HuiliuError with its log if it does not answer."""
    password, port = secrets.token_urlsafe(24), _free_port()
    folder = run_folder()
    configuration = folder / "supervisord.conf"
    _write_private(configuration, _configuration(port, password))
    log = log_file("supervisord")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", "supervisor.supervisord", "--nodaemon", "-c", str(configuration)],
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd="/",
        )
    process = processes.Process(child.pid, processes.start_time(child.pid) or 0)
    known = {"pid": process.pid, "started": process.started, "port": port, "password": password}
    _write_private(folder / "supervisord.json", json.dumps(known))
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and child.poll() is None:
        found = running()
        if found is not None:
            return found
        time.sleep(0.1)
    processes.end([process])
    tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-10:])
    raise HuiliuError(f"the supervisor of the services does not start:\n{tail}", fix=f"see {log}")


def write_environment() -> bool:
    """Keep the HUILIU_ variables in force now for services started later; True if they changed since."""
    # An empty HUILIU_ENV_FILE means "read no .env"; any other empty value means "not set".
    chosen = {
        name: value
        for name, value in os.environ.items()
        if name.startswith("HUILIU_") and (value or name == "HUILIU_ENV_FILE")
    }
    chosen.pop(processes.INSTANCE, None)
    chosen.pop(processes.SERVICE, None)
    text = json.dumps({**chosen, **get_settings().as_environment()}, sort_keys=True)
    path = run_folder() / "environment.json"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    _write_private(path, text)
    return True


def _environment() -> dict[str, str]:
    """supervisord's own environment: the caller's, without HUILIU_ variables, which the guard adds afresh."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HUILIU_")}
    loopback = "127.0.0.1,localhost"
    # Services speak to each other on this machine; a proxy meant for the outside must not come between.
    for name in ("NO_PROXY", "no_proxy"):
        kept[name] = f"{kept[name]},{loopback}" if kept.get(name) else loopback
    return {
        **kept,
        "HUILIU_HOME": str(get_settings().home),
        processes.INSTANCE: token(),
        # Without it, renaming a process overwrites the environment that /proc shows, and with it our mark.
        "SPT_NOENV": "1",
        "PYTHONUNBUFFERED": "1",
    }


def _configuration(port: int, password: str) -> str:
    """supervisord's configuration; `%` is doubled, as it expands variables."""
    lines = [
        "[supervisord]",
        f"logfile={_text(log_file('supervisord'))}",
        f"pidfile={_text(run_folder() / 'supervisord.pid')}",
        f"childlogdir={_text(run_folder())}",
        "nodaemon=true",
        "silent=true",
        "logfile_maxbytes=5MB",
        "logfile_backups=1",
        *(["user=root"] if os.geteuid() == 0 else []),
        "[inet_http_server]",
        f"port=127.0.0.1:{port}",
        "username=huiliu",
        f"password={_text(password)}",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
    ]
    for program in programs().values():
        command = f'"{_text(sys.executable)}" -m huiliu.service_guard {program.name}'
        lines += [
            f"[program:{program.name}]",
            f"command={command}",
            f"directory={_text(get_settings().project_root)}",
            f"priority={program.priority}",
            "autostart=false",
            "autorestart=true",
            "startsecs=2",
            "startretries=20",
            f"stopsignal={program.stop_signal}",
            f"stopwaitsecs={program.stop_seconds}",
            # The stop signal goes to the service's own process; the kill after the deadline to its group.
            "stopasgroup=false",
            "killasgroup=true",
            "redirect_stderr=true",
            f"stdout_logfile={_text(log_file(program.name))}",
            "stdout_logfile_maxbytes=10MB",
            "stdout_logfile_backups=2",
        ]
    return "\n".join(lines) + "\n"


def _text(value: object) -> str:
    return str(value).replace("%", "%%")


def _write_private(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(text)
    draft.replace(path)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
