"""The files of a table: which are to be read, their bytes, and what the ledger and the manifest say of them.

An extractor reads streams of bytes and needs to know neither where a file lies nor how it is packed:

    with source_files.reading(spec, container, table, wanted, stage) as files:
        for source in files.sources():
            ... source.stream ...
        return files.extracted(rows, rejects, notices)
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

from huiliu.errors import DataError, HuiliuError, TransientError
from ingestion import file_choice, file_manifest, file_streams
from ingestion.containers.files import FileContainer
from ingestion.file_order import Inbox
from ingestion.file_servers import FileServer, FoundFile, file_server
from ingestion.file_streams import CheckedStream
from ingestion.manifests import FileManifest, Manifest
from ingestion.modes import Append
from ingestion.read_files import readings
from ingestion.records import Extracted, ReadFile, Rejects, Wanted
from ingestion.shape import Shape
from ingestion.spec import SourceSpec, TableSpec
from ingestion.stage import Stage

_LEDGER_HASH = "sha256"


@dataclass(frozen=True)
class Source:
    """A stream of bytes to be read: a file, or a member of a packed one. `name` is for positions, `where` for
    errors; `local` is the file itself if it lies here unpacked, for readers that want a path.
    """

    name: str
    where: str
    stream: BinaryIO
    local: Path | None


class FileBatch:
    """The files of one load of a table."""

    def __init__(self, server: FileServer, container: FileContainer, table: TableSpec) -> None:
        self.server = server
        self.where = server.where
        self.container = container
        self.table = table
        self.pattern = file_choice.pattern(server, container, table)
        self.found: Sequence[FoundFile] = ()
        self.notices: list[str] = []
        self.appends = isinstance(table.mode, Append)
        self.manifest = table.manifest if isinstance(table.manifest, FileManifest) else None
        self._open: FoundFile | None = None
        self._read: list[ReadFile] = []
        self._manifests: list[Manifest] = []

    def sources(self, count: Callable[[], int], *, seekable: bool = False) -> Iterator[Source]:
        """Yield what is to be read, one open at a time; `seekable` streams can be read in any order. `count`
        says how many records have been read so far.

        Raises TransientError if a file changes or its server dies meanwhile, or if its manifest is not there.
        """
        for found in self.found:
            yield from self._sources_of(found, count, seekable=seekable)

    def extracted(self, rows: int, rejects: Rejects, notices: Sequence[str] = ()) -> Extracted:
        """Return the outcome of reading all sources. Raises RefusedBatchError for too many broken records."""
        rejects.check_share(self.table, rows)
        return Extracted(
            rows,
            complete=not self.appends,
            rejected=tuple(rejects.kept),
            notices=(*self.notices, *notices),
            manifest=file_manifest.together(self._manifests),
            files=tuple(self._read) if self.appends else (),
        )

    def _put_in_order(self, spec: SourceSpec, wanted: Wanted, stage: Stage) -> None:
        past = readings(stage.conn, spec.name, self.table.name, Shape.of(self.table).text())
        inbox = Inbox(self.where, self.pattern, self.found, past, self._checksum)
        order = inbox.order(wanted.days, anew=stage.direct)
        self.found = order.files
        self.notices += order.notices
        self._read += order.touched

    def _checksum(self, found: FoundFile) -> str:
        hashes = file_streams.new_hashes({_LEDGER_HASH})
        with self._opened(found, hashes) as raw:
            file_streams.drain(file_streams.buffered(raw))
        return str(hashes[_LEDGER_HASH].hexdigest())

    def _sources_of(self, found: FoundFile, count: Callable[[], int], *, seekable: bool) -> Iterator[Source]:
        before = count()
        said = file_manifest.read(self.server, self.manifest, found) if self.manifest else None
        algorithm = file_manifest.wanted_hash(self.manifest)
        wanted = {algorithm} if algorithm else set()
        hashes = file_streams.new_hashes(wanted | ({_LEDGER_HASH} if self.appends else set()))
        with self._opened(found, hashes) as raw:
            stream = file_streams.buffered(raw)
            yield from self._unpacked(found, raw, stream, seekable=seekable)
            if hashes:
                file_streams.drain(stream)
        if self.appends:
            checksum = str(hashes[_LEDGER_HASH].hexdigest())
            self._read.append(ReadFile(found.path, found.size, found.modified, checksum))
        if said:
            computed = hashes[algorithm].hexdigest() if algorithm else None
            self._manifests.append(replace(said, computed=computed, counted=count() - before))

    @contextmanager
    def _opened(self, found: FoundFile, hashes: dict[str, Any]) -> Iterator[CheckedStream]:
        def explain(error: Exception) -> HuiliuError:
            return self.server.failed(f"read {found.path}", error)

        self._open = found
        with self.server.open(found) as inner:
            yield CheckedStream(inner, explain, hashes)
        self.check_unchanged()
        self._open = None

    def check_unchanged(self) -> None:
        """Raise TransientError if the file being read is no longer what was found: it is still written."""
        if self._open and self.server.look(self._open.path) != self._open:
            raise TransientError(
                f"{self.where}: {self._open.name} changed while it was read",
                fix="load it when it is complete",
            )

    def _unpacked(
        self, found: FoundFile, raw: CheckedStream, stream: BinaryIO, *, seekable: bool
    ) -> Generator[Source]:
        where = f"{self.where}: {found.name}"
        zipped = self.container.zipped
        if zipped is None:
            zipped = found.name.lower().endswith(".zip")
        with ExitStack() as stack:
            if zipped:
                archive = stack.enter_context(self._seekable(found, stream))
                members = file_streams.unzipped(archive, where, self.container.member, several=self.appends)
                for member, content in members:
                    with _any_order(content, seekable) as ready:
                        yield Source(f"{found.name}/{member}", f"{where}/{member}", ready, None)
            elif found.name.lower().endswith(".gz"):
                content = file_streams.gunzipped(stream, where, lambda: raw.passed)
                yield Source(found.name, where, stack.enter_context(_any_order(content, seekable)), None)
            else:
                ready = stack.enter_context(self._seekable(found, stream)) if seekable else stream
                local = Path(found.path) if self.server.is_local else None
                yield Source(found.name, where, ready, local)

    @contextmanager
    def _seekable(self, found: FoundFile, stream: BinaryIO) -> Iterator[BinaryIO]:
        if not self.server.is_local:
            with file_streams.on_disk(stream) as copy:
                yield copy
            return
        with self.server.open(found) as inner:
            yield cast("BinaryIO", inner)


@contextmanager
def _any_order(content: BinaryIO, seekable: bool) -> Iterator[BinaryIO]:
    if not seekable:
        yield content
        return
    with file_streams.on_disk(content) as copy:
        yield copy


@contextmanager
def reading(
    spec: SourceSpec, container: FileContainer, table: TableSpec, wanted: Wanted, stage: Stage
) -> Iterator[FileBatch]:
    """Find the files that a load reads: in append mode those that are new or changed (or whose names hold a
    wanted day), in the order of `file_order`; else the one file that is the whole table.
    """
    with _finding(spec, container, table) as batch:
        if batch.appends:
            batch._put_in_order(spec, wanted, stage)
        else:
            batch.found = [file_choice.only(batch.found, batch.where, batch.pattern)]
            file_choice.check_filled(batch.found[0], batch.where)
        try:
            yield batch
        except DataError:
            batch.check_unchanged()  # half a file looks like a broken one
            raise


@contextmanager
def probing(
    spec: SourceSpec, container: FileContainer, table: TableSpec, *, seekable: bool = False
) -> Iterator[Source]:
    """Open the file that a load would read last, to look at its beginning."""
    with _finding(spec, container, table) as batch:
        several = [one for one in batch.found if one.size] if batch.appends else []
        found = several[-1] if several else file_choice.only(batch.found, batch.where, batch.pattern)
        file_choice.check_filled(found, batch.where)
        with batch.server.open(found) as inner:
            raw = CheckedStream(inner, lambda error: batch.server.failed(f"read {found.path}", error))
            stream = file_streams.buffered(raw)
            with closing(batch._unpacked(found, raw, stream, seekable=seekable)) as sources:
                yield next(sources)


@contextmanager
def _finding(spec: SourceSpec, container: FileContainer, table: TableSpec) -> Iterator[FileBatch]:
    where = f"{spec.name}.{table.name}"
    with file_server(container.server, where, container.timeout_seconds) as server:
        batch = FileBatch(server, container, table)
        found = server.matching(batch.pattern)
        if batch.manifest:
            beside = {file_manifest.path_of(batch.manifest, one.path) for one in found}
            found = [one for one in found if one.path not in beside]
        batch.found = found
        yield batch
