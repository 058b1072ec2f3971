"""How far the landed loads of a table have come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ingestion.shape import Shape


@dataclass(frozen=True)
class LastLoad:
    """What landed last, the watermark reached, the shape all rows have been read by, and the business date on
    which every key was last read. A failed load never moves any of it."""

    batch_id: int | None = None
    watermark: str | None = None
    shape: Shape | None = None
    reconciled_on: date | None = None
