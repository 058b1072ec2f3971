"""A MariaDB server of the tests' own: in a temporary folder, on a free loopback port, stopped by its id.

def test_something(mariadb):
    mariadb.create_database("clinic")
    with mariadb.admin("clinic") as conn, conn.cursor() as cursor:
        cursor.execute("create table patient (id int primary key)")
    monkeypatch.setenv("HUILIU_DSN_SOURCE__CLINIC", mariadb.url("clinic"))
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pymysql
import pytest

_START_SECONDS = 60
_STOP_SECONDS = 30
_PLACES = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"
# Small, and not durable: nobody needs the data after the test. The time zone is one that texts must not
# depend on.
_SETTINGS = (
    "--skip-log-bin",
    "--innodb-buffer-pool-size=256M",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--performance-schema=0",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_general_ci",
    "--default-time-zone=+03:00",
    "--sql-mode=",
    "--max-allowed-packet=64M",
)


def program(name: str) -> str | None:
    """Return where one of the server's programs is; None if it is not installed."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_PLACES}")


class MariadbServer:
    """A running server. `admin()` may do everything, `url()` names a role that may only read."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="huiliu-mariadb-"))
        self.password = secrets.token_hex(12)
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._user = _server_user()
        try:
            self._initialise()
            self.start()
        except BaseException:
            self.remove()
            raise

    @property
    def pid(self) -> int:
        """The server's process."""
        assert self._process is not None
        return self._process.pid

    def url(self, database: str, *, user: str = "reader", password: str | None = None) -> str:
        """Return the connection string that a source would be given."""
        return f"mysql://{user}:{password or self.password}@127.0.0.1:{self.port}/{database}"

    def admin(self, database: str | None = None) -> pymysql.Connection:
        """Connect as a user with every right, each statement committed at once."""
        return pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user="admin",
            password=self.password,
            database=database,
            charset="utf8mb4",
            autocommit=True,
        )

    def run(self, database: str, *statements: str) -> None:
        """Run statements as admin."""
        with self.admin(database) as conn, conn.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def create_database(self, name: str) -> None:
        """Make a database, empty even if there was one of that name."""
        with self.admin() as conn, conn.cursor() as cursor:
            cursor.execute(f"drop database if exists `{name}`")
            cursor.execute(f"create database `{name}` character set utf8mb4")

    def connections(self) -> int:
        """Count the connections of the reading role."""
        with self.admin() as conn, conn.cursor() as cursor:
            cursor.execute("select count(*) from information_schema.processlist where user = 'reader'")
            row = cursor.fetchone()
        assert row is not None
        return int(row[0])

    def kill(self) -> None:
        """End the server as a power cut would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(_STOP_SECONDS)

    def restart(self) -> None:
        """Start the server again on the same port and data, after `kill` or while it runs."""
        self._stop()
        self.start()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    str(program("mariadbd")),
                    "--no-defaults",
                    *self._as_user(),
                    f"--datadir={self.folder / 'data'}",
                    f"--tmpdir={self.folder}",
                    f"--socket={self.folder / 'socket'}",
                    f"--pid-file={self.folder / 'pid'}",
                    "--bind-address=127.0.0.1",
                    f"--port={self.port}",
                    *_SETTINGS,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
            )
        self._wait_until_ready()

    def remove(self) -> None:
        """Stop the server and delete its data."""
        self._stop()
        shutil.rmtree(self.folder)

    def _initialise(self) -> None:
        # The data's owner is another user when root runs the tests: let it pass through the folder.
        self.folder.chmod(0o755)
        if self._user:
            shutil.chown(self.folder, self._user)
        subprocess.run(
            [
                str(program("mariadb-install-db")),
                "--no-defaults",
                *self._as_user(),
                f"--datadir={self.folder / 'data'}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ],
            check=True,
            capture_output=True,
            cwd="/",
        )
        first = self.folder / "first.sql"
        first.write_text(
            "flush privileges;\n"
            f"create user admin@'127.0.0.1' identified by '{self.password}';\n"
            "grant all on *.* to admin@'127.0.0.1' with grant option;\n"
            f"create user reader@'127.0.0.1' identified by '{self.password}';\n"
            "grant select, show view on *.* to reader@'127.0.0.1';\n"
            "drop user root@localhost;\n",
            encoding="utf-8",
        )
        with first.open("rb") as statements:
            subprocess.run(
                [
                    str(program("mariadbd")),
                    "--no-defaults",
                    *self._as_user(),
                    "--bootstrap",
                    f"--datadir={self.folder / 'data'}",
                ],
                check=True,
                capture_output=True,
                stdin=statements,
                cwd="/",
            )
        first.unlink()

    def _as_user(self) -> list[str]:
        return [f"--user={self._user}"] if self._user else []

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.admin().close()
                return
            except pymysql.err.OperationalError:
                ended = self._process is None or self._process.poll() is not None
                if ended or time.monotonic() > deadline:
                    text = (self.folder / "log").read_text(errors="replace")
                    raise AssertionError(f"mariadbd did not start:\n{text[-3000:]}") from None
            time.sleep(0.05)

    def _stop(self) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(_STOP_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _server_user() -> str | None:
    """The user mariadbd gives root up for; None if the tests don't run as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "mysql" if "mysql" in names else "nobody"


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariadbServer]:
    """The session's MariaDB server."""
    if program("mariadbd") is None:
        reason = "mariadbd is not installed: run scripts/install_test_servers.sh as root"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    server = MariadbServer()
    yield server
    server.remove()
