"""SFTP servers, through fsspec: only one whose host key is known is spoken to, and reads are pipelined."""

from __future__ import annotations

import io
import socket
from pathlib import Path
from typing import Any

import paramiko
from fsspec.implementations.sftp import SFTPFileSystem
from paramiko.hostkeys import InvalidHostKey
from paramiko.ssh_exception import AuthenticationException, BadHostKeyException, SSHException

from huiliu.connections import secret
from huiliu.errors import ConfigError, TransientError
from huiliu.secret_store import variable_name
from huiliu.settings import get_settings
from ingestion.file_servers import Address

PORT = 22
Login = dict[str, Any]  # what paramiko needs to know who we are


class _UnknownHostError(Exception):
    """The server's host key is in no list of known ones."""

    def __init__(self, key: paramiko.PKey) -> None:
        super().__init__()
        self.key = key


class _Refuse(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]  # paramiko has no types
    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        del client, hostname
        raise _UnknownHostError(key)


class _Files(SFTPFileSystem):  # type: ignore[misc]  # fsspec has no types
    """fsspec's SFTP with known host keys only (its own loads none), time-outs, and reads of many requests."""

    cachable = False  # a connection belongs to one load

    def __init__(self, host: str, known_hosts: Path, timeout: float, login: Login) -> None:
        self._known_hosts = known_hosts
        self._timeout = timeout
        super().__init__(host, host_key_policy=_Refuse(), **login)

    def _connect(self) -> None:
        self.client = paramiko.SSHClient()
        _load_known(self.client, self._known_hosts)
        self.client.set_missing_host_key_policy(self.host_key_policy)
        try:
            self.client.connect(
                self.host,
                timeout=self._timeout,
                banner_timeout=self._timeout,
                auth_timeout=self._timeout,
                channel_timeout=self._timeout,
                # Only what the settings name: neither an agent nor a key that lies about.
                allow_agent=False,
                look_for_keys=False,
                **self.ssh_kwargs,
            )
            self.ftp = self.client.open_sftp()
        except BaseException:
            self.client.close()
            raise
        self.ftp.get_channel().settimeout(self._timeout)

    def _open(self, path: str, mode: str = "rb", *, size: int, **_: object) -> _Reading:
        return _Reading(self.ftp.open(path, mode), size)

    def close(self) -> None:
        self.client.close()


def _load_known(client: paramiko.SSHClient, known_hosts: Path) -> None:
    try:
        if known_hosts.is_file():
            client.load_host_keys(str(known_hosts))
    except (OSError, InvalidHostKey, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the known hosts in {known_hosts} cannot be read ({type(error).__name__})",
            fix="make the file readable, each line as ssh-keyscan writes it",
        ) from error


class _Reading:
    """A file being read with many requests at once: one by one, each 32 KiB would cost a round trip."""

    def __init__(self, file: paramiko.SFTPFile, size: int) -> None:
        self.file = file
        self.size = size
        self.position = 0

    def __enter__(self) -> _Reading:
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()

    def read(self, size: int, /) -> bytes:
        size = min(size, self.size - self.position)
        if size <= 0:
            return b""
        data = b"".join(self.file.readv([(self.position, size)]))
        self.position += len(data)
        return data


def connect(address: Address, name: str, where: str, timeout: float) -> _Files:
    """Log in to a server. Raises ConfigError for a host key that is not the known one, and for a refused
    login; TransientError if the server cannot be reached.
    """
    known_hosts = get_settings().known_hosts
    login = {"port": address.port or PORT, "username": address.user, **_proof(name, where)}
    try:
        return _Files(address.host, known_hosts, timeout, login)
    except _UnknownHostError as error:
        raise ConfigError(
            f"{where}: the host key of file server {name} is unknown ({error.key.fingerprint})",
            fix=f"compare this fingerprint with the one the server's owner states, then add the key:"
            f" ssh-keyscan -p {address.port or PORT} {address.host} >> {known_hosts}",
        ) from error
    except BadHostKeyException as error:
        raise ConfigError(
            f"{where}: file server {name} shows another host key ({error.key.fingerprint}) than the known one"
            f" ({error.expected_key.fingerprint})",
            fix="someone may be posing as the server: ask its owner; if the key was renewed, replace its line"
            f" in {known_hosts}",
        ) from error
    except AuthenticationException as error:
        raise ConfigError(
            f"{where}: file server {name} refuses user {address.user}",
            fix=f"correct {variable_name('SECRET', name)} (a password, or a private key in PEM form), or the"
            f" user in {variable_name('URL', name)}",
        ) from error
    except (SSHException, OSError, EOFError) as error:
        text = "its name is unknown" if isinstance(error, socket.gaierror) else type(error).__name__
        raise TransientError(
            f"{where}: file server {name} cannot be reached ({text})",
            fix=f"see that it answers at the address in {variable_name('URL', name)}, then load again",
        ) from error


def _proof(name: str, where: str) -> Login:
    """Return the password or, if the secret is one, the private key."""
    value = secret(name)
    if "-----BEGIN" not in value:
        return {"password": value}
    try:
        # A variable often holds the line breaks of a key as \n.
        return {"pkey": _key(value.replace("\\n", "\n").strip() + "\n")}
    except (SSHException, ValueError) as error:
        raise ConfigError(
            f"{where}: {variable_name('SECRET', name)} is no private key that can be read",
            fix="write it in PEM form, without a passphrase",
        ) from error


def _key(text: str) -> paramiko.PKey:
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(text))
        except SSHException:
            continue
    raise ValueError("no kind of key fits")
