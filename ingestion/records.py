"""What an extractor is asked for, and what it hands over beside the rows it staged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from huiliu.errors import ConfigError
from ingestion.errors import RefusedBatchError, Rejected
from ingestion.manifests import Manifest
from ingestion.spec import TableSpec

MOST_KEPT = 50_000
MOST_CHARACTERS = 32 * 1024 * 1024


@dataclass(frozen=True)
class Days:
    """A range of days to read again, both ends included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ConfigError(
                f"the range of days ends ({self.last}) before it begins ({self.first})",
                fix="give the earlier day first",
            )


@dataclass(frozen=True)
class Wanted:
    """What of a table is to be read: everything, or what came `since`, or the rows of some `days`.

    `keys`: also every key the source has, so that deletes, and rows that `since` cannot see, are found.
    """

    since: str | None = None
    days: Days | None = None
    keys: bool = False

    @property
    def everything(self) -> bool:
        return self.since is None and self.days is None


@dataclass
class Rejects:
    """The records refused so far; more than MOST_KEPT refuse the batch, so that memory stays flat."""

    where: str
    kept: list[Rejected] = field(default_factory=list)
    characters: int = 0

    def add(self, position: str, raw_text: str, reason: str) -> None:
        self.kept.append(Rejected(position, raw_text.replace("\0", "\\x00"), reason))
        self.characters += len(raw_text)
        if len(self.kept) > MOST_KEPT or self.characters > MOST_CHARACTERS:
            raise self.refusal(f"{len(self.kept)} records are broken, more than can be kept apart")

    def check_share(self, table: TableSpec, rows: int) -> None:
        """Refuse the batch if more than the table's `max_reject_share` of its records are broken."""
        total = rows + len(self.kept)
        if len(self.kept) > table.max_reject_share * total:
            raise self.refusal(
                f"{len(self.kept)} of {total} records are broken, more than the allowed"
                f" {table.max_reject_share:.1%}"
            )

    def refusal(self, why: str) -> RefusedBatchError:
        first = self.kept[0]
        return RefusedBatchError(
            f"{self.where}: {why}; the first: {first.position}: {first.reason}",
            fix="mend the records of ops.rejected_row at the source, or raise max_reject_share in the spec",
            rejected=self.kept[:1000],
        )


@dataclass(frozen=True)
class ReadFile:
    """A file that was read to its end, as the ledger of files (append) remembers it."""

    path: str
    size: int
    modified_at: datetime | None
    checksum: str


@dataclass(frozen=True)
class Extracted:
    """The outcome of reading one table. `rows` were staged, or compared by fingerprint; `complete`: they are
    the whole table; `keys_read`: keys or fingerprints of every row of the source were staged; `keys_unique`:
    the source guarantees that no key stands twice; `watermark`: the greatest value of the mode's column, if
    the source itself said it.
    """

    rows: int
    complete: bool
    rejected: tuple[Rejected, ...] = ()
    keys_read: bool = False
    keys_unique: bool = False
    notices: Sequence[str] = ()
    watermark: str | None = None
    manifest: Manifest | None = None
    files: tuple[ReadFile, ...] = ()
