"""What an ingestion raises after it has tried everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from huiliu.errors import DataError, HuiliuError, TransientError
from ingestion.manifests import Manifest


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that could not be read: where it stands, as it came, and why. Holds personal data."""

    position: str
    raw_text: str
    reason: str


_QUOTING = ("22", "23", "38", "39", "P0")  # classes of SQLSTATE whose messages may quote values


def safe_text(error: psycopg.Error) -> str:
    """Return what PostgreSQL said: no details, which quote values, and no message that does."""
    state = error.sqlstate or ""
    if state.startswith(_QUOTING):
        return f"{type(error).__name__} ({state})"
    return error.diag.message_primary or type(error).__name__


class IngestError(HuiliuError):
    """Some tables failed to load; the others landed. `failures` holds each table's own error."""

    def __init__(self, message: str, *, fix: str, failures: Sequence[HuiliuError] = ()) -> None:
        super().__init__(message, fix=fix)
        self.failures = tuple(failures)


class RetryableIngestError(IngestError, TransientError):
    """At least one failure is passing: trying again is worth it (what landed changes nothing)."""


class FatalIngestError(IngestError, DataError):
    """No failure is passing: someone must mend something first."""


class ServerBusyError(TransientError):
    """Another source of the same server is being read; nothing was begun and nothing is in the ledger."""


class RefusedBatchError(DataError):
    """Too many broken records: nothing of the batch landed. The records are kept for the ledger."""

    def __init__(self, message: str, *, fix: str, rejected: Sequence[Rejected] = ()) -> None:
        super().__init__(message, fix=fix)
        self.rejected = tuple(rejected)


class ManifestError(DataError):
    """What was read is not what the source's manifest says: nothing of the batch landed."""

    def __init__(self, message: str, *, fix: str, manifest: Manifest, rows: int | None) -> None:
        super().__init__(message, fix=fix)
        self.manifest = manifest
        self.rows = rows


def summary(failures: Sequence[tuple[str, HuiliuError]]) -> IngestError:
    """Make one error of the failed tables, retryable if any failure is passing."""
    passing = any(isinstance(error, TransientError) for _, error in failures)
    kind = RetryableIngestError if passing else FatalIngestError
    if len(failures) == 1:
        ((name, error),) = failures
        message = error.message if error.message.startswith(name) else f"{name}: {error.message}"
        return kind(message, fix=error.fix, failures=[error])
    names = ", ".join(name for name, _ in failures)
    details = " | ".join(
        str(error) if str(error).startswith(name) else f"{name}: {error}" for name, error in failures
    )
    return kind(
        f"{len(failures)} of the loads failed ({names}): {details}",
        fix="see ops.load_run.error, mend it, then load the source again; what landed stays",
        failures=[error for _, error in failures],
    )
