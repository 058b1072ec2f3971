"""A real SFTP server on loopback, in a process of its own, that can be told to fail as servers do."""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import paramiko

USER, PASSWORD = "huiliu", "letters and 数字"
FAULT_AFTER = 200_000  # bytes of a file


class _Logins(paramiko.ServerInterface):
    def __init__(self, authorized: paramiko.PKey | None) -> None:
        self.authorized = authorized

    def check_auth_password(self, username: str, password: str) -> int:
        fits = (username, password) == (USER, PASSWORD)
        return int(paramiko.AUTH_SUCCESSFUL if fits else paramiko.AUTH_FAILED)

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        fits = username == USER and key == self.authorized
        return int(paramiko.AUTH_SUCCESSFUL if fits else paramiko.AUTH_FAILED)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return int(paramiko.OPEN_SUCCEEDED)

    def get_allowed_auths(self, username: str) -> str:
        return "password,publickey"


class _Handle(paramiko.SFTPHandle):
    def __init__(self, path: Path, fault: str) -> None:
        super().__init__(os.O_RDONLY)
        self.path = path
        self.fault = fault
        self.readfile = path.open("rb")

    def stat(self) -> paramiko.SFTPAttributes:
        return paramiko.SFTPAttributes.from_stat(os.fstat(self.readfile.fileno()))

    def read(self, offset: int, length: int) -> bytes | int:
        if offset > FAULT_AFTER:
            self._fail()
        return super().read(offset, length)

    def _fail(self) -> None:
        if self.fault == "die":
            os._exit(1)
        if self.fault == "stall":
            time.sleep(3600)
        if self.fault == "grow":
            with self.path.open("ab") as file:
                file.write(b"one more\n")


class _Files(paramiko.SFTPServerInterface):
    def __init__(self, server: paramiko.ServerInterface, *, root: Path, fault: str) -> None:
        super().__init__(server)
        self.root = root
        self.fault = fault

    def _at(self, path: str) -> Path:
        return self.root / self.canonicalize(path).lstrip("/")

    def list_folder(self, path: str) -> list[paramiko.SFTPAttributes] | int:
        try:
            return [
                paramiko.SFTPAttributes.from_stat(one.lstat(), one.name) for one in self._at(path).iterdir()
            ]
        except OSError as error:
            return int(paramiko.SFTPServer.convert_errno(error.errno))

    def stat(self, path: str) -> paramiko.SFTPAttributes | int:
        try:
            return paramiko.SFTPAttributes.from_stat(self._at(path).stat())
        except OSError as error:
            return int(paramiko.SFTPServer.convert_errno(error.errno))

    lstat = stat

    def open(self, path: str, flags: int, attr: object) -> paramiko.SFTPHandle | int:
        del flags, attr
        if self.fault == "deny":
            return int(paramiko.SFTP_PERMISSION_DENIED)
        if self.fault == "vanish":
            self._at(path).unlink()
        try:
            return _Handle(self._at(path), self.fault)
        except OSError as error:
            return int(paramiko.SFTPServer.convert_errno(error.errno))


def _serve(root: Path, host_key: Path, authorized: Path | None, fault: str) -> None:
    key = paramiko.Ed25519Key.from_private_key_file(str(host_key))
    known = paramiko.Ed25519Key.from_private_key_file(str(authorized)) if authorized else None
    listening = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    while True:
        connection, _ = listening.accept()
        transport = paramiko.Transport(connection)
        transport.add_server_key(key)
        transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Files, root=root, fault=fault)
        logins = _Logins(known)
        threading.Thread(target=transport.start_server, kwargs={"server": logins}, daemon=True).start()


@dataclass(frozen=True)
class Server:
    """A running server: what it serves, and how it is known."""

    root: Path
    port: int
    host_key: Path

    @property
    def address(self) -> str:
        return f"sftp://{USER}@127.0.0.1:{self.port}/out"

    @property
    def known_host(self) -> str:
        """The line of a known_hosts file, as ssh-keyscan writes it."""
        key = paramiko.Ed25519Key.from_private_key_file(str(self.host_key))
        return f"[127.0.0.1]:{self.port} {key.get_name()} {key.get_base64()}\n"


@contextmanager
def serving(root: Path, fault: str = "none", authorized: Path | None = None) -> Iterator[Server]:
    """Serve a folder until the block ends; `fault` is what happens to whoever reads files."""
    host_key = new_key(root.parent / "host_key")
    (root / "out").mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        __file__,
        str(root),
        str(host_key),
        fault,
        *([str(authorized)] if authorized else []),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Server(root, int(process.stdout.readline()), host_key)
        finally:
            process.kill()


def new_key(path: Path) -> Path:
    """Write a new private key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = Ed25519PrivateKey.generate()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    return path


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("host_key", type=Path)
    parser.add_argument("fault")
    parser.add_argument("authorized", type=Path, nargs="?")
    given = parser.parse_args()
    _serve(given.root, given.host_key, given.authorized, given.fault)
