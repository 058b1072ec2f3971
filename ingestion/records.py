"""What an extractor hands over beside the rows it staged."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

from huiliu.errors import DataError
from ingestion.errors import RefusedBatchError, Rejected
from ingestion.spec import TableSpec

MOST_KEPT = 50_000


@dataclass
class Rejects:
    """The records refused so far; more than MOST_KEPT refuse the batch, so that memory stays flat."""

    where: str
    kept: list[Rejected] = field(default_factory=list)

    def add(self, position: str, raw_text: str, reason: str) -> None:
        self.kept.append(Rejected(position, raw_text.replace("\0", "\\x00"), reason))
        if len(self.kept) > MOST_KEPT:
            raise self.refusal(f"more than {MOST_KEPT} records are broken")

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
class Extracted:
    """The outcome of reading one table. `rows` were staged; `complete` = they are the whole table."""

    rows: int
    complete: bool
    rejected: tuple[Rejected, ...] = ()
    keys_read: bool = False
    notice: str | None = None


def check_columns(where: str, table: TableSpec, present: Iterable[str]) -> str | None:
    """Compare what a source has with its spec; DataError for a missing column, a notice for unknown ones."""
    found = list(present)
    missing = [column.at_source for column in table.columns if column.at_source not in found]
    unknown = [name for name in found if name not in {column.at_source for column in table.columns}]
    if missing:
        raise DataError(f"{where}: {_missing(missing, unknown)}", fix=_fix(missing, unknown))
    if unknown:
        return f"columns the spec does not know were left out: {', '.join(unknown)}"
    return None


def _missing(missing: list[str], unknown: list[str]) -> str:
    text = f"column {', '.join(missing)} is missing"
    return f"{text}; the source has {', '.join(unknown)}, which the spec does not know" if unknown else text


def _fix(missing: list[str], unknown: list[str]) -> str:
    for name in missing:
        close = difflib.get_close_matches(name, unknown, n=1, cutoff=0.5) or (
            unknown if len(unknown) == 1 else []
        )
        if close:
            return f"if {name} was renamed, write source_name: {close[0]} for it in the spec"
    return "ask the department for the column, or take it out of the spec"
