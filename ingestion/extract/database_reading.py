"""How the modes read a table of a database, whatever the database: what is staged, in which order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from huiliu.errors import DataError
from ingestion.manifests import Manifest, TableManifest
from ingestion.modes import Append
from ingestion.records import Days, Extracted, Rejects, Wanted
from ingestion.spec import TableSpec
from ingestion.stage import Stage


class DatabaseReading(ABC):
    """One table read from one snapshot of its database, or as near to that as the database comes."""

    keys_unique = False  # the database guarantees that no key stands twice

    def __init__(self, where: str, table: TableSpec, stage: Stage) -> None:
        self.where = where
        self.table = table
        self.stage = stage
        self.rejects = Rejects(where)
        self._refused: set[str] = set()

    @abstractmethod
    def stage_rows(
        self, *, since: str | None = None, days: Days | None = None, keys: Sequence[str] | None = None
    ) -> int:
        """Stage every row, or those since a value, of some days, or of some keys; return their number."""

    @abstractmethod
    def stage_keys(self) -> int:
        """Stage the key of every row."""

    def stage_fingerprints(self) -> int | None:
        """Stage the key and hash of every row, so that only rows that differ need to travel; None if the
        database cannot make hashes.
        """
        return None

    def greatest(self) -> str | None:
        """Return the greatest value of the mode's column up to the business date, as it lands. It is asked
        for only where fingerprints were compared: elsewhere every row is staged.
        """
        return None

    @abstractmethod
    def count_rows(self) -> int:
        """Count the rows of the whole table at the source."""

    @abstractmethod
    def control_values(self, said: TableManifest) -> list[object]:
        """Return what the rows of the source's control table say of the number of rows; two are enough."""

    def read(self, wanted: Wanted) -> Extracted:
        """Stage what is wanted."""
        if wanted.days is not None:
            return self._extracted(self.stage_rows(days=wanted.days), complete=False)
        if wanted.since is not None:
            return self._read_changes(wanted.since, keys=wanted.keys)
        rows = None if self.stage.direct else self.stage_fingerprints()
        if rows is None:
            return self._extracted(self.stage_rows(), complete=True)
        differing = self.stage.differing(keys_unique=self.keys_unique)
        if differing is None:
            return self._read_again()
        if differing:
            self.stage_rows(keys=differing)
        # The stage holds some rows only, and the greatest value may stand in another.
        greatest = self.greatest() if self.table.cursor else None
        return self._extracted(
            rows - len(self.rejects.kept), complete=True, keys_read=True, watermark=greatest
        )

    def _read_changes(self, since: str, *, keys: bool) -> Extracted:
        rows = self.stage_rows(since=since)
        if not keys:
            return self._extracted(rows, complete=False)
        self.stage_keys()
        unseen = self.stage.unseen()
        if unseen is None:
            return self._read_again("too many rows older than the watermark: the table was read whole")
        if not unseen:
            return self._extracted(rows, complete=False, keys_read=True)
        rows += self.stage_rows(keys=unseen)
        found = f"{len(unseen)} rows older than the watermark were found by their keys"
        return self._extracted(rows, complete=False, keys_read=True, notice=found)

    def _read_again(self, notice: str | None = None) -> Extracted:
        self.stage.clear()
        self.rejects = Rejects(self.where)
        self._refused.clear()
        return self._extracted(self.stage_rows(), complete=True, notice=notice)

    def reject(self, key: str | None, place: int, raw_text: str, reason: str) -> None:
        """Note a row that cannot be held, once, by its key's digest (by its place if it has none)."""
        position = f"key {key}" if key else f"row {place}"
        if position not in self._refused:
            self._refused.add(position)
            self.rejects.add(position, raw_text, reason)

    def _extracted(
        self,
        rows: int,
        *,
        complete: bool,
        keys_read: bool = False,
        notice: str | None = None,
        watermark: str | None = None,
    ) -> Extracted:
        self.rejects.check_share(self.table, rows)
        return Extracted(
            rows,
            complete,
            rejected=tuple(self.rejects.kept),
            keys_read=keys_read,
            keys_unique=self.keys_unique,
            notices=[notice] if notice else [],
            watermark=watermark,
            manifest=self._manifest(whole=complete or keys_read),
        )

    def _manifest(self, *, whole: bool) -> Manifest | None:
        said = self.table.manifest
        if not isinstance(said, TableManifest):
            return None
        # What was not read whole, or never loses a row, is not what the source now has: it must count itself.
        as_landed = whole and (self.stage.direct or not isinstance(self.table.mode, Append))
        return Manifest(
            said.relation,
            rows=self._rows_said(said),
            of_batch=False,
            counted=None if as_landed else self.count_rows(),
        )

    def _rows_said(self, said: TableManifest) -> int:
        values = self.control_values(said)
        if not values or values == [None]:
            raise DataError(
                f"{self.where}: {said.relation} says nothing of {self.table.relation}",
                fix="ask the department to fill its manifest, or take manifest out of the spec",
            )
        if len(values) > 1:
            raise DataError(
                f"{self.where}: {said.relation} has more than one row for {self.table.relation}",
                fix="name a relation (a view, say) that has only the row of the last batch in the spec's"
                " manifest",
            )
        rows = _as_count(values[0])
        if rows is None:
            raise DataError(
                f"{self.where}: {said.relation} has no number in {said.rows_column} for"
                f" {self.table.relation}",
                fix="ask the department to mend its manifest, or correct rows_column in the spec",
            )
        return rows


def _as_count(value: object) -> int | None:
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return int(number) if number.is_finite() and number == number.to_integral_value() else None
