"""Requests as files: put into an outbox under their key, answers picked up from an inbox."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

from huiliu.errors import TransientError
from huiliu.settings import get_settings
from ingestion.containers.exchange import Folders
from ingestion.exchange.book import Json, SentRequest
from ingestion.exchange.transports import MOST_KEPT, Delivery, IsTaken, says_complete
from ingestion.http.answers import BrokenBodyError, at, parse, told

SETTLED = 60  # seconds after which a file that cannot be read is no longer being written
LONGEST_NAME = 240  # bytes; a little less than file systems allow
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
                folder.parent.mkdir(parents=True, exist_ok=True)
                folder.mkdir(mode=0o700, exist_ok=True)
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

    def forget(self, is_taken: IsTaken, keys: Collection[str]) -> None:
        try:
            for path in self.prepared.iterdir():
                if path.stem not in keys:
                    path.unlink()
            for path in self._waiting():
                self._put_away(path, is_taken)
        except OSError as error:
            raise self._broken(error) from error

    def _put_away(self, path: Path, is_taken: IsTaken) -> None:
        try:
            checksum = _checksum(path)
        except (FileNotFoundError, PermissionError):
            return  # `answers` says so
        if is_taken(_name(path), checksum):
            kept = os.fsdecode(os.fsencode(path.name)[-LONGEST_NAME:])
            path.replace(self.taken / f"{checksum[:8] or secrets.token_hex(4)}-{kept}")

    def prepare(self, key: str, content: Mapping[str, Json]) -> None:
        try:
            with open(self.prepared / f"{key}.json", "w", encoding="utf-8", opener=_private) as file:
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
            name = _name(path)
            try:
                yield from self._answer(path, name)
            except FileNotFoundError:
                continue  # taken away meanwhile
            except PermissionError:
                yield Delivery(None, "fault", name, reason=f"{self.where}: {name} may not be read")
            except OSError as error:
                raise self._broken(error) from error

    def _waiting(self) -> list[Path]:
        try:
            return sorted(path for path in self.inbox.glob("*.json") if not path.name.startswith("."))
        except OSError as error:
            raise self._broken(error) from error

    def _answer(self, path: Path, name: str) -> Iterator[Delivery]:
        if not path.is_file():
            yield Delivery(None, "garbage", name, _checksum(path), reason="it is no file")
            return
        most, state = self.folders.max_answer_mb, path.stat()
        is_settled = time.time() - state.st_mtime >= SETTLED
        if state.st_size > most * 2**20:
            if is_settled:
                yield Delivery(None, "garbage", name, _checksum(path), reason=f"it is larger than {most} MB")
            return
        body = path.read_bytes()
        try:
            content = parse(body, None)
        except BrokenBodyError as error:
            if is_settled:
                yield _garbage(name, body, str(error))
            return
        yield self._delivery(name, body, content)

    def _delivery(self, name: str, body: bytes, content: Json) -> Delivery:
        rows, field = at(content, self.folders.rows_field), self.folders.rows_field
        if not isinstance(rows, list):
            return _garbage(name, body, f"the answer has no list {field!r}")
        try:
            found = _REQUEST_ID.match(told(content, self.folders.request_field) or name)
        except BrokenBodyError as error:
            return _garbage(name, body, str(error))
        if found is None:
            return _garbage(name, body, "the answer names no request")
        complete = says_complete(self.folders, content)
        return Delivery(found.group(), "rows", name, _digest(body), rows, complete)


def _garbage(name: str, body: bytes, reason: str) -> Delivery:
    text = body.decode("utf-8", "backslashreplace")[:MOST_KEPT]
    return Delivery(None, "garbage", name, _digest(body), text=text, reason=reason)


def _name(path: Path) -> str:
    """Return a file's name as a text that can be stored."""
    return os.fsencode(path.name).decode("utf-8", "backslashreplace")


def _private(path: str, flags: int) -> int:
    """Open a file for ourselves and the group of the folder: a request holds personal data."""
    return os.open(path, flags, 0o640)


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _checksum(path: Path) -> str:
    """Return the checksum of a file; none of what is no file."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
