"""Streams of a file's bytes: hashed on the way, unpacked on the way, their faults explained."""

from __future__ import annotations

import gzip
import hashlib
import io
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, cast

from huiliu.errors import DataError, HuiliuError
from huiliu.secret_store import make_home

if TYPE_CHECKING:
    from typing_extensions import Buffer  # Python 3.12 has it in collections.abc

BLOCK = 1 << 20
# A table of texts packs 5 to 40 times; what packs better than this is made to fill memory and disks.
MOST_RATIO = 250
HARMLESS = 256 << 20  # bytes unpacked, below which no ratio harms
MOST_UNPACKED = 200 << 30  # bytes
_BROKEN = (zipfile.BadZipFile, zlib.error, gzip.BadGzipFile, EOFError, NotImplementedError)


class Readable(Protocol):
    """Anything bytes can be read from."""

    def read(self, size: int, /) -> bytes | None: ...


class ByteStream(Readable, Protocol):
    """An open file."""

    def __enter__(self) -> ByteStream: ...
    def __exit__(self, *error: object) -> None: ...


class CheckedStream(io.RawIOBase):
    """Reads another stream: explains its errors, adds what passes to the hashes, and bounds how much may."""

    def __init__(
        self,
        inner: Readable,
        explain: Callable[[Exception], HuiliuError],
        hashes: Mapping[str, Any] | None = None,
        bound: Callable[[int], None] | None = None,
    ) -> None:
        self.inner = inner
        self.explain = explain
        self.hashes = list((hashes or {}).values())
        self.bound = bound
        self.passed = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer).cast("B")
        try:
            data = self.inner.read(len(view)) or b""
        except HuiliuError:
            raise
        except Exception as error:
            raise self.explain(error) from error
        for one in self.hashes:
            one.update(data)
        self.passed += len(data)
        if self.bound:
            self.bound(self.passed)
        view[: len(data)] = data
        return len(data)


def buffered(raw: CheckedStream) -> BinaryIO:
    """Return a stream that reads in blocks; it can be peeked into, not rewound."""
    return cast("BinaryIO", io.BufferedReader(raw, BLOCK))


def drain(stream: BinaryIO) -> None:
    """Read to the end, so that the hashes are those of the whole file."""
    while stream.read(BLOCK):
        pass


@contextmanager
def on_disk(stream: BinaryIO) -> Iterator[BinaryIO]:
    """Give a copy that can be read in any order; it has no name, so nothing remains however we end."""
    with tempfile.TemporaryFile(dir=make_home()) as copy:
        while block := stream.read(BLOCK):
            copy.write(block)
        copy.seek(0)
        yield cast("BinaryIO", copy)


def new_hashes(algorithms: set[str]) -> dict[str, Any]:
    """Return a hash for each algorithm. Raises DataError if this machine's OpenSSL lacks one."""
    missing = algorithms - hashlib.algorithms_available
    if missing:
        raise DataError(
            f"this machine cannot compute {', '.join(sorted(missing))}", fix="ask for a sha256 manifest"
        )
    return {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}


# Unpacking ------------------------------------------------------------------------------------------------


def unzipped(
    archive: BinaryIO, where: str, wanted: str | None, *, several: bool
) -> Iterator[tuple[str, BinaryIO]]:
    """Yield name and content of the members wanted, in the order of their names.

    Raises DataError if the archive is broken or encrypted, unpacks to more than the bounds, or holds none, or
    several where one is meant.
    """
    with _broken_archive(where):
        packed = _open_zip(archive)
    with packed:
        members = _members(packed, where, wanted, several=several)
        for member in members:
            with _broken_archive(where):
                content = packed.open(member)
            with content:
                stream = buffered(CheckedStream(content, lambda error: _broken(where, error)))
                yield member.filename, stream


def check_bounds(archive: BinaryIO, where: str) -> None:
    """Raise DataError if any part of an archive (such as an .xlsx) unpacks to more than the bounds."""
    with zipfile.ZipFile(archive) as packed:
        for one in packed.infolist():
            _check_member(one, where)
    archive.seek(0)


def _open_zip(archive: BinaryIO) -> zipfile.ZipFile:
    # Names that don't say what they are: UTF-8 as macOS writes them, or GBK as Windows here does.
    for encoding in ("utf-8", "gb18030"):
        try:
            return zipfile.ZipFile(archive, metadata_encoding=encoding)
        except UnicodeDecodeError:
            archive.seek(0)
    return zipfile.ZipFile(archive)


def _members(
    packed: zipfile.ZipFile, where: str, wanted: str | None, *, several: bool
) -> list[zipfile.ZipInfo]:
    held = [one for one in packed.infolist() if not one.is_dir() and not _is_litter(one.filename)]
    found = sorted((one for one in held if _matches(one.filename, wanted)), key=lambda one: one.filename)
    if not found:
        raise DataError(
            f"{where}: no member matches {wanted or '*'}; it holds {_listed(held)}",
            fix="correct member in the spec, or ask the department for the file",
        )
    if len(found) > 1 and not several:
        raise DataError(
            f"{where}: several members match {wanted or '*'}: {_listed(found)}",
            fix="name the one to be read as member in the spec",
        )
    for one in found:
        _check_member(one, where)
    return found


def _check_member(member: zipfile.ZipInfo, where: str) -> None:
    if member.flag_bits & 1:
        raise DataError(
            f"{where}: {member.filename} is encrypted",
            fix="ask the department for an archive without a password; the way it comes must be safe instead",
        )
    # zipfile never unpacks more than is declared, so the declared size is the bound.
    _bounded(where, lambda: max(member.compress_size, 1))(member.file_size)


def _bounded(where: str, packed_size: Callable[[], int]) -> Callable[[int], None]:
    def check(unpacked: int) -> None:
        bombs = unpacked > HARMLESS and unpacked > MOST_RATIO * packed_size()
        if bombs or unpacked > MOST_UNPACKED:
            raise DataError(
                f"{where}: unpacks to more than {MOST_RATIO} times its size, or {MOST_UNPACKED >> 30} GiB",
                fix="ask the department what this file is; data do not pack like that",
            )

    return check


def gunzipped(packed: BinaryIO, where: str, passed: Callable[[], int]) -> BinaryIO:
    """Return the unpacked stream of a .gz; `passed` says how many packed bytes were read so far."""
    content = gzip.GzipFile(fileobj=packed, mode="rb")
    return buffered(
        CheckedStream(content, lambda error: _broken(where, error), bound=_bounded(where, passed))
    )


@contextmanager
def _broken_archive(where: str) -> Iterator[None]:
    try:
        yield
    except (*_BROKEN, RuntimeError, OSError) as error:
        raise _broken(where, error) from error


def _broken(where: str, error: Exception) -> HuiliuError:
    return DataError(
        f"{where}: the packed file is broken, or packed in a way that is not known ({type(error).__name__})",
        fix="ask the department to pack and send it again",
    )


def _matches(name: str, wanted: str | None) -> bool:
    return wanted is None or fnmatchcase(name, wanted) or fnmatchcase(PurePosixPath(name).name, wanted)


def _is_litter(name: str) -> bool:
    return name.startswith("__MACOSX/") or PurePosixPath(name).name.startswith((".", "~$"))


def _listed(members: list[zipfile.ZipInfo]) -> str:
    return ", ".join(one.filename for one in members[:10]) or "nothing"
