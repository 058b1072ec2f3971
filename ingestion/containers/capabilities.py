"""What a kind of container can be asked for; a spec that asks for more is wrong before any work starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from ingestion.strict import Strict


@dataclass(frozen=True)
class Capabilities:
    """The questions a container can answer beside "give me everything"."""

    changes: bool = False  # only rows changed since a watermark
    days: bool = False  # only rows of a range of days (back-fill)
    reconciles: bool = False  # every key, or everything, so that deletes are found beside a watermark
    new_files: bool = False  # each file once (append)
    newest: bool = False  # whether anything changed since a watermark, at little cost
    fixed_widths: bool = False  # columns are places in a line
    repeats: bool = True  # a row may be met more than once in one reading: pages move, files overlap
    manifest: Literal["file", "table", "api"] | None = None  # where it can say how much there should be


class ContainerModel(Strict):
    """A kind of container, told from the others by its `type`."""

    can: ClassVar[Capabilities]

    def fault(self, at_source: str | None) -> str | None:
        """Say what a table with this `at_source` lacks to be read from here; None if nothing."""
        del at_source
        return None
