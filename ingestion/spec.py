"""Source specs: `sources/<name>.yml` as strict, frozen models. Pure YAML and pydantic, cheap to import.

A spec that is wrong is a ConfigError before any work, naming the file, the path in it and what to write.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from huiliu.errors import ConfigError
from ingestion.cadence import Cadence
from ingestion.containers import Container
from ingestion.manifests import ManifestSpec
from ingestion.modes import Append, Mode, Snapshot, Watermark
from ingestion.spec_reading import explain, read_yaml
from ingestion.strict import Name, Share, Strict

LONGEST_NAME = 63  # PostgreSQL cuts longer ones off
SOURCES = Path(__file__).parent / "sources"
_SYSTEM_COLUMNS = {"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"}


class Column(Strict):
    """A column of the raw table; `source_name` is what the source calls it (default: the same).

    `type` is what the source's values are. It need not be written: a database tells, and other sources are
    texts. Where it is written, a source that comes with another type fails its table.
    """

    name: Name
    label: str
    source_name: str | None = None
    type: Literal["text", "number", "date", "timestamp", "boolean"] | None = None
    width: int | None = Field(default=None, ge=1)  # bytes, in fixed-width files
    start: int | None = Field(default=None, ge=1)  # first byte, from 1; default: after the column before

    @property
    def at_source(self) -> str:
        return self.source_name or self.name

    @field_validator("name")
    @classmethod
    def _free_to_use(cls, name: str) -> str:
        if name in _SYSTEM_COLUMNS:
            raise ValueError(
                f"{name} is a name that PostgreSQL keeps for itself; choose another, with source_name"
            )
        return name


class Resource(Strict):
    """The table's entry in the resource catalogue 资源目录."""

    share_type: Literal["无条件共享", "有条件共享", "不予共享"]
    published: bool


class Stream(Strict):
    """The table is also read between loads: looked at this often, and read if anything changed."""

    every_seconds: int = Field(default=30, ge=5, le=3600)


class TableSpec(Strict):
    """One table of a source. Without `key` a row is known by its whole content and occurrence number."""

    name: Name
    title: str
    key: tuple[str, ...] = ()
    columns: tuple[Column, ...] = Field(min_length=1)
    mode: Mode = Snapshot(type="snapshot")
    resource: Resource
    at_source: str | None = None  # relation or file of another name; for an API the path of the list
    max_delete_share: Share = 0.2
    max_reject_share: Share = 0.05
    may_be_empty: bool = False
    backfill_column: Name | None = None  # what a range of days means; default: a watermark's time
    manifest: ManifestSpec | None = None
    stream: Stream | None = None

    @property
    def relation(self) -> str:
        return self.at_source or self.name

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @field_validator("columns")
    @classmethod
    def _columns_once(cls, columns: tuple[Column, ...]) -> tuple[Column, ...]:
        names = [column.name for column in columns]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"column {', '.join(repeated)} is listed more than once")
        return columns

    @property
    def cursor(self) -> Watermark | Append | None:
        """The mode, if it reads only what came after a column's last value."""
        if isinstance(self.mode, Watermark) or (isinstance(self.mode, Append) and self.mode.column):
            return self.mode
        return None

    @property
    def days_column(self) -> str | None:
        """The column by which a range of days can be read again."""
        if self.backfill_column or self.cursor is None or self.cursor.kind != "time":
            return self.backfill_column
        return self.cursor.column

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        cursor = (self.cursor.column,) if self.cursor and self.cursor.column else ()
        backfill = (self.backfill_column,) if self.backfill_column else ()
        asked = {"key": self.key, f"mode {self.mode.type}": cursor, "backfill_column": backfill}
        unknown = [
            f"{name} of {what}"
            for what, names in asked.items()
            for name in names
            if name not in self.column_names
        ]
        if unknown:
            raise ValueError(f"{', '.join(unknown)} is not among the columns")
        if not isinstance(self.mode, Snapshot) and not self.key:
            raise ValueError(f"mode {self.mode.type} needs a key; list the key columns or use mode snapshot")
        if self.stream and not (isinstance(self.mode, Watermark) and self.mode.kind == "time"):
            raise ValueError("stream needs mode watermark by a time; leave stream out, or change the mode")
        return self


class SourceSpec(Strict):
    """A vertical system: who owns it, how it is reached, what it holds and how often it is read."""

    name: Name
    title: str
    department: str
    level: Literal["nation", "province", "city", "reference"]
    cadence: Cadence
    server: Name | None = None  # sources that share a server are never read at the same time
    longest_hours: float = Field(default=24, gt=0, le=24)  # after that Airflow ends the load
    container: Container
    tables: tuple[TableSpec, ...] = Field(min_length=1)

    @property
    def streamed(self) -> tuple[TableSpec, ...]:
        """The tables that are also read between loads."""
        return tuple(table for table in self.tables if table.stream is not None)

    @property
    def shared_server(self) -> str | None:
        """The server that sources take turns at: the one that is named, or the file server they lie on."""
        return self.server or getattr(self.container, "server", None)

    def table(self, name: str) -> TableSpec:
        return next(table for table in self.tables if table.name == name)

    @model_validator(mode="after")
    def _fits_container(self) -> Self:
        names = [table.name for table in self.tables]
        if len(set(names)) != len(names):
            raise ValueError("a table is listed more than once")
        for table in self.tables:
            self._check_table(table)
        return self

    def _check_table(self, table: TableSpec) -> None:
        where = f"table {table.name}"
        if len(f"_current__{self.name}__{table.name}") > LONGEST_NAME:
            raise ValueError(f"{where}: the names of source and table are too long together")
        for asked in _asks(table):
            if not getattr(self.container.can, asked):
                raise ValueError(f"{where}: a {self.container.type} source {_CANNOT[asked]}")
        widths = [column.width is not None for column in table.columns]
        if any(widths) != self.container.can.fixed_widths or any(widths) != all(widths):
            raise ValueError(
                f"{where}: width belongs to each column of a fixed_width source, and to no other"
            )
        if table.manifest and table.manifest.type != self.container.can.manifest:
            raise ValueError(
                f"{where}: a {self.container.type} source has no manifest of type {table.manifest.type}"
            )
        fault = self.container.fault(table.at_source)
        if fault:
            raise ValueError(f"{where}: {fault}")


_CANNOT = {
    "changes": "is read whole; use mode snapshot",
    "days": "cannot be asked for a range of days; leave out backfill_column",
    "reconciles": "cannot be asked for its keys; leave out reconcile_every_days",
    "new_files": "needs a column to append by",
    "newest": "cannot say cheaply what is new; leave out stream",
}


def _asks(table: TableSpec) -> list[str]:
    """What a table asks of its container beside everything: names of `Capabilities`."""
    asked = ["changes"] if table.cursor else []
    if isinstance(table.mode, Append) and not table.mode.column:
        asked.append("new_files")
    if table.cursor is not None and table.cursor.reconcile_every_days is not None:
        asked.append("reconciles")
    if table.backfill_column:
        asked.append("days")
    if table.stream:
        asked.append("newest")
    return asked


def load_spec(path: Path) -> SourceSpec:
    """Read one spec file. Raises ConfigError naming every fault in it."""
    content = read_yaml(path)
    try:
        spec = SourceSpec.model_validate(content)
    except ValidationError as error:
        raise explain(path, error, SourceSpec) from error
    if spec.name != path.stem:
        raise explain(path, f"name is {spec.name!r} but the file is called {path.name}", SourceSpec)
    return spec


def read_specs(folder: Path | None = None) -> tuple[dict[str, SourceSpec], dict[str, ConfigError]]:
    """Read every spec; return the good ones and, by file name, what is wrong with the others."""
    folder = folder or SOURCES
    specs: dict[str, SourceSpec] = {}
    broken: dict[str, ConfigError] = {}
    for path in sorted(folder.glob("*.yml")):
        try:
            specs[path.stem] = load_spec(path)
        except ConfigError as error:
            broken[path.stem] = error
    if not specs and not broken:
        raise ConfigError(
            f"There are no source specs in {folder}", fix="put one <source>.yml for each source there"
        )
    return specs, broken


def load_specs(folder: Path | None = None) -> dict[str, SourceSpec]:
    """Read every spec, by name in alphabetical order. Raises ConfigError if any is wrong."""
    specs, broken = read_specs(folder)
    if broken:
        raise ConfigError(
            "; ".join(error.message for error in broken.values()),
            fix="correct these specs in ingestion/sources",
        )
    return specs
