"""Requests as files: put into an outbox under their key, answers picked up from an inbox."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

from huiliu.errors import DataError, TransientError
from huiliu.settings import get_settings
from ingestion.containers.exchange import Folders
from ingestion.exchange.book import Json, SentRequest
from ingestion.exchange.transports import Delivery
from ingestion.http.answers import BrokenBodyError, as_text, at, parse

SETTLED = 60  # seconds after which a file that cannot be read is no longer being written
MOST_KEPT = 10_000  # characters of an answer that is none
_REQUEST_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class FolderTransport:
    """A pair of folders shared with the source. Only files that stand there under their final name count.

    A request is made ready in `.prepared` before the ledger knows it, and moved from there in one step: if
    the ledger says prepared and `.prepared` is empty, it was sent, even if it was taken away since.
    """

    def __init__(self, where: str, folders: Folders, name: str) -> None:
        self.where = where
        self.folders = folders
        self.outbox = self._folder(folders.outbox, name)
        self.inbox = self._folder(folders.inbox, name)
        self.prepared = self.outbox / ".prepared"
        self.taken = self.inbox / ".taken"

    def _folder(self, template: str, name: str) -> Path:
        root = Path(template.replace("{home}", str(get_settings().home)))
        # Made here, it would hide that the share is not mounted.
        if not root.is_dir():
            raise TransientError(f"{self.where}: there is no folder {root}", fix="see that it is mounted")
        return root / name.strip("/")

    def __enter__(self) -> Self:
        try:
            for folder in (self.prepared, self.taken):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._broken(error) from error
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def _broken(self, error: OSError) -> TransientError:
        return TransientError(
            f"{self.where}: {error.filename} cannot be used: {error.strerror}",
            fix="see that the folder is mounted and may be written to",
        )

    def reach(self) -> None:
        for folder in (self.outbox, self.inbox):
            if not os.access(folder, os.R_OK | os.W_OK):
                raise TransientError(f"{self.where}: {folder} cannot be written to", fix="correct its rights")

    def forget(self, taken: Collection[tuple[str, str]], keys: Collection[str]) -> None:
        try:
            for path in self.prepared.iterdir():
                if path.stem not in keys:
                    path.unlink()
            for path in self._waiting():
                checksum = _checksum(path)
                if (path.name, checksum) in taken:
                    path.replace(self.taken / f"{checksum[:8]}-{path.name}")
        except OSError as error:
            raise self._broken(error) from error

    def prepare(self, key: str, content: Mapping[str, Json]) -> None:
        try:
            with (self.prepared / f"{key}.json").open("w", encoding="utf-8") as file:
                json.dump(content, file, ensure_ascii=False)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise self._broken(error) from error

    def send(self, key: str, content: Mapping[str, Json]) -> str:
        del content
        name = f"{key}.json"
        try:
            if (self.prepared / name).exists():
                (self.prepared / name).replace(self.outbox / name)
        except OSError as error:
            raise self._broken(error) from error
        return key

    def answers(self, requests: Sequence[SentRequest]) -> Iterator[Delivery]:
        del requests  # whichever they answer: the ledger knows
        for path in self._waiting():
            try:
                body, age = path.read_bytes(), time.time() - path.stat().st_mtime
            except OSError as error:
                raise self._broken(error) from error
            yield from self._answer(path, body, age)

    def _waiting(self) -> list[Path]:
        most = self.folders.max_answer_mb
        try:
            files = sorted(path for path in self.inbox.glob("*.json") if not path.name.startswith("."))
            large = [path.name for path in files if path.stat().st_size > most * 2**20]
        except OSError as error:
            raise self._broken(error) from error
        if large:
            raise DataError(
                f"{self.where}: {', '.join(large)} is larger than {most} MB",
                fix="have the answer sent in parts, or raise max_answer_mb in the spec",
            )
        return files

    def _answer(self, path: Path, body: bytes, age: float) -> Iterator[Delivery]:
        checksum = hashlib.sha256(body).hexdigest()
        try:
            content = parse(body, None)
            rows = at(content, self.folders.rows_field)
            reason = "" if isinstance(rows, list) else f"the answer has no list {self.folders.rows_field!r}"
        except BrokenBodyError as error:
            if age < SETTLED:
                return
            content, rows, reason = None, None, str(error)
        named = as_text(at(content, self.folders.request_field)) or path.name
        found = _REQUEST_ID.match(named)
        request_id = found.group() if found else None
        if isinstance(rows, list) and request_id:
            yield Delivery(request_id, "rows", path.name, checksum, rows)
            return
        text = body.decode("utf-8", "backslashreplace")[:MOST_KEPT]
        reason = reason or "the answer names no request"
        yield Delivery(request_id, "garbage", path.name, checksum, text=text, reason=reason)


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
