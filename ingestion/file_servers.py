"""Where files lie: this machine or a file server, through fsspec, with every fault explained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from importlib import import_module
from pathlib import PurePosixPath
from typing import Any, Protocol, cast
from urllib.parse import unquote, urlsplit

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from huiliu.connections import url
from huiliu.errors import ConfigError, HuiliuError, TransientError
from huiliu.secret_store import variable_name
from ingestion.file_streams import ByteStream

# What programs leave beside a file while they write it, or have it open.
_NOT_YET = ("~$*", ".*", "*.part", "*.partial", "*.filepart", "*.tmp", "*.crdownload")


@dataclass(frozen=True)
class FoundFile:
    """A file as its server shows it."""

    path: str
    size: int
    modified: datetime | None
    inode: int | None = None

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name


class FileServer:
    """A file system whose errors are explained: what is missing, refused, or passing."""

    def __init__(self, files: AbstractFileSystem, where: str, title: str, base: str = "") -> None:
        self.files = files
        self.where = where
        self.title = title  # "" on this machine
        self.base = base

    @property
    def is_local(self) -> bool:
        return isinstance(self.files, LocalFileSystem)

    def at(self, path: str) -> str:
        """Return the full path of one below the base folder."""
        return str(PurePosixPath(self.base) / path.lstrip("/")) if self.base else path

    def matching(self, pattern: str) -> list[FoundFile]:
        """Return the files a path means (its last part may be a glob), in the order of their names.

        Raises TransientError if their folder is not there: a share that is not mounted is no empty one.
        """
        place = PurePosixPath(pattern)
        if not {"*", "?"} & set(place.name):
            found = self.look(pattern)
            if found is None:
                self._check_folder(place.parent)
            return [found] if found else []
        with self.explained(f"list {place.parent}"):
            try:
                listed = self.files.ls(str(place.parent), detail=True)
            except (FileNotFoundError, NotADirectoryError) as error:
                raise self._no_folder(place.parent) from error
        matching: list[FoundFile | None] = []
        named = {PurePosixPath(one["name"]).name: one for one in listed}
        for name, info in sorted(named.items()):
            if means(place, place.parent / name):
                path = str(place.parent / name)
                # One more question for a link only: a folder may hold thousands of files.
                linked = info["type"] == "link" or info.get("islink")
                matching.append(self.look(path) if linked else _found(path, info))
        return [one for one in matching if one]

    def _check_folder(self, folder: PurePosixPath) -> None:
        with self.explained(f"look at {folder}"):
            try:
                self.files.info(str(folder))
            except (FileNotFoundError, NotADirectoryError) as error:
                raise self._no_folder(folder) from error

    def _no_folder(self, folder: PurePosixPath) -> TransientError:
        return TransientError(
            f"{self.where}: the folder {folder} is not there{f' on {self.title}' if self.title else ''}",
            fix="see that it is mounted or made, or correct the path in the spec",
        )

    def look(self, path: str) -> FoundFile | None:
        """Return how a file looks now; None if there is none."""
        with self.explained(f"look at {path}"):
            try:
                info = self.files.info(path)
            except (FileNotFoundError, NotADirectoryError):
                return None
        return _found(path, info)

    def open(self, file: FoundFile) -> ByteStream:
        """Open a file for reading from its beginning."""
        with self.explained(f"open {file.path}"):
            try:
                return cast("ByteStream", self.files.open(file.path, "rb", block_size=0, size=file.size))
            except FileNotFoundError as error:
                raise TransientError(
                    f"{self.where}: {file.path} went away before it was read", fix="load the source again"
                ) from error

    @contextmanager
    def explained(self, what: str) -> Iterator[None]:
        """Turn the errors of the file system into one that says what could not be done, and where."""
        try:
            yield
        except (HuiliuError, FileNotFoundError, NotADirectoryError):
            raise
        except Exception as error:
            raise self.failed(what, error) from error

    def failed(self, what: str, error: Exception) -> HuiliuError:
        """Return the error that says what could not be done, and where."""
        if isinstance(error, PermissionError):
            return ConfigError(
                f"{self.where}: {self.title or 'this machine'} refuses to {what}",
                fix="have reading granted to the user who loads",
            )
        return TransientError(
            f"{self.where}: could not {what}{f' on {self.title}' if self.title else ''}"
            f" ({type(error).__name__})",
            fix="see that the file server answers, then load the source again",
        )


def means(pattern: PurePosixPath, path: PurePosixPath) -> bool:
    """Whether a pattern means a path, and the file there is not one still being written."""
    fits = path.parent == pattern.parent and fnmatchcase(path.name, pattern.name)
    return fits and not any(fnmatchcase(path.name, sign) for sign in _NOT_YET)


class _OpensServer(Protocol):
    def __call__(self, address: Address, name: str, where: str, timeout: float) -> AbstractFileSystem: ...


@dataclass(frozen=True)
class Address:
    """The parts of a file server's address."""

    scheme: str
    user: str
    host: str
    port: int | None
    base: str


_SCHEMES = {"sftp": "ingestion.sftp"}  # drivers are imported when one is needed


@contextmanager
def file_server(name: str | None, where: str, timeout: float) -> Iterator[FileServer]:
    """Reach a named file server, or this machine if no name is given."""
    if name is None:
        yield FileServer(LocalFileSystem(), where, "")
        return
    address = _address(name)
    connect: _OpensServer = import_module(_SCHEMES[address.scheme]).connect
    files: Any = connect(address, name, where, timeout)
    try:
        yield FileServer(files, where, f"file server {name}", address.base)
    finally:
        files.close()


def _address(name: str) -> Address:
    variable = variable_name("URL", name)
    # The address is never shown: one with a password in it is the very fault.
    parts = urlsplit(url(name))
    if parts.scheme not in _SCHEMES or not parts.hostname or not parts.username or parts.password:
        raise ConfigError(
            f"{variable} is not the address of a file server",
            fix=f"write {variable}=sftp://user@host:port/folder, and the password as"
            f" {variable_name('SECRET', name)}",
        )
    return Address(
        parts.scheme, unquote(parts.username), parts.hostname, parts.port, unquote(parts.path) or "/"
    )


def _found(path: str, info: dict[str, Any]) -> FoundFile | None:
    if info["type"] == "directory":
        return None
    return FoundFile(path, int(info["size"]), _moment(info.get("mtime")), info.get("ino"))


def _moment(value: object) -> datetime | None:
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, tz=UTC)
    return value if isinstance(value, datetime) else None
