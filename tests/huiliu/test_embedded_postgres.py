"""The embedded server: begun, found again, killed, stopped with nothing left; run by root or another."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from huiliu import embedded_postgres, ports
from huiliu.database import advisory_lock, connect, connect_to
from huiliu.errors import ConfigError, TransientError
from huiliu.postgres_files import ServerFiles
from huiliu.settings import PROJECT_ROOT, forget_settings

pytestmark = pytest.mark.usefixtures("empty_home")
AS_ROOT = os.geteuid() == 0
ENDLESS = "do $$ begin loop end loop; end $$"


@pytest.fixture
def server() -> ServerFiles:
    return embedded_postgres.start()


@pytest.fixture
def busy_session(server: ServerFiles) -> Iterator[None]:
    """A session that computes for ever: it does not notice that its server was killed."""
    conn = connect("admin")
    thread = threading.Thread(target=run_until_cut, args=(conn,))
    thread.start()
    wait_for(lambda: b"DO" in b"".join(command_lines(server)))
    yield
    thread.join(30)
    assert not thread.is_alive()


def run_until_cut(conn: psycopg.Connection) -> None:
    with suppress(TransientError), conn:
        conn.execute(ENDLESS)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def postmaster(server: ServerFiles) -> int:
    return int((server.data / "postmaster.pid").read_text().split("\n")[0])


def shared_memory_ids() -> set[str]:
    return {line.split()[1] for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]}


def processes_of(server: ServerFiles) -> list[int]:
    """The server's processes, found by the folder they work in."""
    found = server.run("/bin/sh", "-c", "ls -ld /proc/[0-9]*/cwd 2>/dev/null").stdout.splitlines()
    return [int(line.split("/proc/")[1].split("/")[0]) for line in found if line.endswith(f" {server.data}")]


def command_lines(server: ServerFiles) -> list[bytes]:
    return [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in processes_of(server)]


def write_a_row() -> None:
    with connect("admin") as conn:
        conn.execute("create table if not exists kept (value int)")
        conn.execute("insert into kept values (1)")


def kept_rows() -> int:
    with connect("admin") as conn:
        row = conn.execute("select count(*) from kept").fetchone()
    assert row is not None
    return int(row[0])


def show(name: str) -> str:
    with connect("admin") as conn:
        row = conn.execute("select current_setting(%s)", [name]).fetchone()
    assert row is not None
    return str(row[0])


def test_a_started_server_listens_on_loopback_with_checksums_and_never_as_root(server: ServerFiles) -> None:
    assert embedded_postgres.is_running()
    assert show("listen_addresses") == "127.0.0.1"
    assert show("unix_socket_directories") == ""
    assert show("data_checksums") == "on"
    assert show("fsync") == "on"
    owners = {Path(f"/proc/{pid}").stat().st_uid for pid in processes_of(server)}
    assert owners == {server.data.stat().st_uid}
    assert 0 not in owners
    assert server.data.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("password", ["", ":wrong"])
def test_nobody_enters_without_the_password(server: ServerFiles, password: str) -> None:
    conninfo = f"postgresql://postgres{password}@127.0.0.1:{ports.port('postgres')}/postgres"
    with pytest.raises((ConfigError, TransientError), match="password"):
        connect_to(conninfo, "admin")


def test_stop_leaves_nothing_and_a_new_start_finds_the_data(server: ServerFiles) -> None:
    write_a_row()
    memory = (server.data / "postmaster.pid").read_text().split("\n")[6].split()[1]
    assert memory in shared_memory_ids()
    port = ports.port("postgres")
    embedded_postgres.stop()
    assert not embedded_postgres.is_running()
    assert processes_of(server) == []
    assert memory not in shared_memory_ids()
    assert ports.is_free(port)
    assert not (server.data / "postmaster.pid").exists()
    embedded_postgres.stop()
    embedded_postgres.start()
    assert kept_rows() == 1
    assert ports.port("postgres") == port


def test_a_second_start_changes_nothing(server: ServerFiles) -> None:
    before = postmaster(server)
    assert embedded_postgres.start() == server
    assert postmaster(server) == before


def test_a_killed_server_with_a_busy_session_starts_again_and_keeps_what_was_committed(
    server: ServerFiles, busy_session: None
) -> None:
    write_a_row()
    os.kill(postmaster(server), signal.SIGKILL)
    wait_for(lambda: not embedded_postgres.is_running())
    wait_for(lambda: len(processes_of(server)) == 1)
    embedded_postgres.start()
    assert kept_rows() == 1


@pytest.mark.parametrize("in_time", [True, False])
def test_stopping_after_a_kill_gives_back_the_shared_memory(
    server: ServerFiles, in_time: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = embedded_postgres._start

    def start_slowly(files: ServerFiles) -> None:
        start(files)
        raise TransientError("It still recovers", fix="wait")

    if not in_time:
        monkeypatch.setattr(embedded_postgres, "_start", start_slowly)
    memory = (server.data / "postmaster.pid").read_text().split("\n")[6].split()[1]
    os.kill(postmaster(server), signal.SIGKILL)
    wait_for(lambda: not embedded_postgres.is_running())
    assert memory in shared_memory_ids()
    embedded_postgres.stop()
    assert memory not in shared_memory_ids()
    assert processes_of(server) == []


def test_a_killed_clients_lock_is_free_within_seconds(server: ServerFiles) -> None:
    script = (
        "from huiliu.database import advisory_lock, connect\n"
        "with connect('admin') as conn, advisory_lock(conn, 'step'):\n"
        f"    conn.execute({ENDLESS!r})\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=PROJECT_ROOT) as client:
        wait_for(lambda: b"DO" in b"".join(command_lines(server)))
        assert not lock_is_free()
        client.kill()
    wait_for(lock_is_free)


def lock_is_free() -> bool:
    try:
        with connect("admin") as conn, advisory_lock(conn, "step"):
            return True
    except TransientError:
        return False


def test_a_process_id_used_again_is_not_taken_for_the_server(server: ServerFiles) -> None:
    embedded_postgres.stop()
    identity = {"user": server.user.pw_uid, "group": server.user.pw_gid} if server.user else {}
    with subprocess.Popen(["/bin/sleep", "60"], cwd="/", **identity) as other:  # type: ignore[call-overload]  # user and group only as root
        (server.data / "postmaster.pid").write_text(f"{other.pid}\n{server.data}\n")
        assert not embedded_postgres.is_running()
        embedded_postgres.start()
        assert postmaster(server) != other.pid
        assert other.poll() is None
        other.kill()


def test_another_port_is_taken_if_the_preferred_one_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        taken = stranger.getsockname()[1]
        monkeypatch.setenv("HUILIU_POSTGRES_PORT", str(taken))
        forget_settings()
        embedded_postgres.start()
        mine = ports.port("postgres")
        assert mine != taken
        write_a_row()
    embedded_postgres.stop()
    with socket.create_server(("127.0.0.1", mine)):
        embedded_postgres.start()
        assert ports.port("postgres") != mine
        assert kept_rows() == 1


def test_a_killed_initialisation_is_begun_again(empty_home: Path) -> None:
    partial = empty_home / "postgres" / "data.partial"
    partial.mkdir(parents=True)
    empty_home.joinpath("postgres").chmod(0o711)
    (partial / "PG_VERSION").write_text("16\n")
    (empty_home / "postgres" / "password.partial").write_text("half")
    embedded_postgres.start()
    write_a_row()
    assert not partial.exists()
    assert not (empty_home / "postgres" / "password.partial").exists()


def start_by_command() -> subprocess.Popen[bytes]:
    process = subprocess.Popen(embedded_postgres.command(), cwd=PROJECT_ROOT, stderr=subprocess.DEVNULL)
    embedded_postgres.wait_until_ready(60)
    return process


def test_a_supervisor_runs_kills_and_stops_it_as_one_foreground_process() -> None:
    assert embedded_postgres.run_as() == {}
    first = start_by_command()
    write_a_row()
    assert postmaster(embedded_postgres.ensure_initialised()) == first.pid
    # Not reaped yet, as under a supervisor that looks away: the id still exists when the next one starts.
    first.kill()
    wait_for(lambda: not embedded_postgres.is_running())
    with start_by_command() as second:
        assert kept_rows() == 1
        second.send_signal(signal.SIGINT)
        assert second.wait(30) == 0
    assert first.wait(5) == -signal.SIGKILL
    embedded_postgres.stop()


def test_stopping_where_nothing_ever_started_makes_nothing(
    empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUILIU_HOME", str(empty_home / "never"))
    forget_settings()
    embedded_postgres.stop()
    assert not embedded_postgres.is_running()
    assert not (empty_home / "never").exists()


def test_waiting_for_a_server_that_does_not_run_ends(empty_home: Path) -> None:
    with pytest.raises(TransientError, match="does not run"):
        embedded_postgres.wait_until_ready(0.1)


def test_a_home_closed_to_the_servers_user_is_not_opened(
    empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = empty_home / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setenv("HUILIU_HOME", str(closed / "home"))
    forget_settings()
    try:
        server = embedded_postgres.start()
        inside = server.data.is_relative_to(closed)
        # An ordinary user runs the server himself, so his closed folder is open to it.
        assert inside is not AS_ROOT
        assert closed.stat().st_mode & 0o777 == 0o700
        embedded_postgres.stop()
        assert embedded_postgres.start() == server
    finally:
        embedded_postgres.remove()
    assert not server.folder.exists()


def test_programs_closed_to_the_servers_user_are_copied(
    empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = embedded_postgres.ensure_initialised().programs.parents[1]
    closed = empty_home / "venv"
    closed.mkdir(mode=0o700)
    shutil.copytree(original / "pginstall", closed / original.name / "pginstall")
    shutil.copytree(original.with_name(f"{original.name}.libs"), closed / f"{original.name}.libs")
    shutil.copy(original / "__init__.py", closed / original.name)
    monkeypatch.syspath_prepend(str(closed))
    server = embedded_postgres.start()
    assert server.programs.is_relative_to(server.folder if AS_ROOT else closed)
    assert closed.stat().st_mode & 0o777 == 0o700


def test_a_lost_data_folder_is_named(empty_home: Path) -> None:
    (empty_home / "postgres.json").write_text('{"folder": "/nowhere/huiliu"}')
    with pytest.raises(ConfigError, match=r"data folder /nowhere/huiliu, named in .*postgres\.json, is gone"):
        embedded_postgres.start()
    (empty_home / "postgres.json").unlink()
