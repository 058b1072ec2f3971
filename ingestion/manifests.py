"""What a source says of a batch (its rows, its checksum), and the comparison with what was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from ingestion.strict import Strict


class FileManifest(Strict):
    """A file beside the data file. `path` may name {path} and {stem} (the data file with and without its
    extension), {folder} and {name}.

    `format` json: an object with the fields named here; checksum: lines of `<checksum>  <file name>`.
    """

    type: Literal["file"]
    path: str = "{path}.json"
    format: Literal["json", "checksum"] = "json"
    rows_field: str | None = "rows"
    checksum_field: str | None = None
    algorithm: Literal["md5", "sha256", "sm3"] = "sha256"


class TableManifest(Strict):
    """A control table in the same database: one row a table, with its number of rows."""

    type: Literal["table"]
    relation: str
    table_column: str = "table_name"
    rows_column: str = "row_count"


class ApiManifest(Strict):
    """A path of the same API that answers an object with the number of rows."""

    type: Literal["api"]
    path: str
    rows_field: str = "rows"


ManifestSpec = Annotated[FileManifest | TableManifest | ApiManifest, Field(discriminator="type")]


@dataclass(frozen=True)
class Manifest:
    """What the source said of what was read: its rows (of the batch if `of_batch`, else of the whole table)
    and, of a file, its checksum beside the one computed. `what` names file, relation or path. `counted`: rows
    of the whole table as counted at the source, when the load did not read it whole.
    """

    what: str
    rows: int | None = None
    of_batch: bool = True
    checksum: str | None = None
    computed: str | None = None
    counted: int | None = None
