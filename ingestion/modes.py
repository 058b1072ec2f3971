"""How changes of a table are found."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ingestion.strict import Name, Strict


class Snapshot(Strict):
    """Read everything and compare with the last state: inserts, updates and deletes."""

    type: Literal["snapshot"]


class Watermark(Strict):
    """Read rows changed since the last load, less an overlap for late commits and ties.

    `kind` says what the column holds: times (the overlap is in days) or numbers that only grow (in units).
    Every `reconcile_every_days` of the business date (0: with every load) every key is read too, so that
    deletes, and rows older than the watermark, are found.
    """

    type: Literal["watermark"]
    column: Name
    kind: Literal["time", "number"] = "time"
    overlap: float = Field(default=2, ge=0)
    reconcile_every_days: int | None = Field(default=None, ge=0, le=400)


class Append(Strict):
    """Rows that are only ever added. Databases and APIs: those past the last `column` (with an overlap and
    reconciliation, as above); files: each file once, new ones in the order of their names. A row that comes
    again changes nothing; a key that comes again with other content is a correction, landed as an update.
    Nothing is ever deleted.
    """

    type: Literal["append"]
    column: Name | None = None
    kind: Literal["time", "number"] = "number"
    overlap: float = Field(default=0, ge=0)
    reconcile_every_days: int | None = Field(default=None, ge=0, le=400)

    @model_validator(mode="after")
    def _needs_a_column(self) -> Self:
        if self.column is None and (self.overlap or self.reconcile_every_days is not None):
            raise ValueError("overlap and reconcile_every_days need a column")
        return self


Mode = Annotated[Snapshot | Watermark | Append, Field(discriminator="type")]
