"""Source specs: `sources/<name>.yml` as strict, frozen models. Pure YAML and pydantic, cheap to import.

A spec that is wrong is a ConfigError before any work, naming the file, the path in it and what to write.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from huiliu.errors import ConfigError
from ingestion.spec_reading import explain, read_yaml

LONGEST_NAME = 63  # PostgreSQL cuts longer ones off
SOURCES = Path(__file__).parent / "sources"

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Share = Annotated[float, Field(ge=0, le=1)]


class Strict(BaseModel):
    """Unknown keys are errors and values never change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PostgresContainer(Strict):
    """A PostgreSQL database, read through the connection `source:<source name>`."""

    type: Literal["postgres"]
    db_schema: str = Field(default="public", alias="schema")


class TokenGrant(Strict):
    """Client credentials exchanged for a bearer token; `client_secret` names a secret."""

    path: str
    client_id: str
    client_secret: str


class HttpApiContainer(Strict):
    """A JSON API that lists rows in numbered pages and says their total."""

    type: Literal["http_api"]
    url: str  # name for huiliu.connections.url
    token: TokenGrant
    page_size: int = Field(default=500, ge=1, le=10_000)
    rows_field: str = "rows"
    total_field: str = "total"
    attempts: int = Field(default=6, ge=1, le=20)
    timeout_seconds: float = Field(default=30, gt=0)


class ExcelContainer(Strict):
    """An .xlsx ledger: title rows above, one or two header rows (merged cells), a sheet per office.

    `path` may name {home}; the name part may be a glob. `note_rows` are first words of rows that are
    remarks, totals or signatures and not records.
    """

    type: Literal["excel"]
    path: str
    header_rows: Literal[1, 2] = 2
    header_within: int = Field(default=20, ge=1, le=200)
    note_rows: tuple[str, ...] = ()


class CsvContainer(Strict):
    """A CSV file in a declared encoding, with a header row. `path` may name {home}, {registry} and others."""

    type: Literal["csv"]
    path: str | None = None  # given by each table when the source has several files
    encoding: Literal["utf-8", "utf-8-sig", "gb18030", "gbk"] = "utf-8"
    delimiter: str = Field(default=",", min_length=1, max_length=1)


Container = Annotated[
    PostgresContainer | HttpApiContainer | ExcelContainer | CsvContainer, Field(discriminator="type")
]


class Column(Strict):
    """A column of the raw table; `source_name` is what the source calls it (default: the same)."""

    name: Name
    label: str
    source_name: str | None = None

    @property
    def at_source(self) -> str:
        return self.source_name or self.name


class Snapshot(Strict):
    """Read everything and compare with the last state: inserts, updates and deletes."""

    type: Literal["snapshot"]


class Watermark(Strict):
    """Read rows changed since the last load, less an overlap for late commits.

    `reconcile_keys` also reads every key, so that deletes (and rows older than the watermark) are found.
    """

    type: Literal["watermark"]
    column: Name
    overlap_days: float = Field(default=2, ge=0, le=400)
    reconcile_keys: bool = False

    @property
    def overlap(self) -> timedelta:
        return timedelta(days=self.overlap_days)


Mode = Annotated[Snapshot | Watermark, Field(discriminator="type")]


class Resource(Strict):
    """The table's entry in the resource catalogue 资源目录."""

    share_type: Literal["无条件共享", "有条件共享", "不予共享"]
    published: bool


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

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        wanted = [*self.key, *([self.mode.column] if isinstance(self.mode, Watermark) else [])]
        unknown = [name for name in wanted if name not in self.column_names]
        if unknown:
            raise ValueError(f"key or watermark column {', '.join(unknown)} is not among the columns")
        if isinstance(self.mode, Watermark) and not self.key:
            raise ValueError("mode watermark needs a key; list the key columns or use mode snapshot")
        return self


class SourceSpec(Strict):
    """A vertical system: who owns it, how it is reached, what it holds and how often it is read."""

    name: Name
    title: str
    department: str
    level: Literal["nation", "province", "city", "reference"]
    cadence: str = Field(pattern=r"^(\S+\s+){4}\S+$")  # cron, five fields
    container: Container
    tables: tuple[TableSpec, ...] = Field(min_length=1)

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
        if len(f"_current__{self.name}__{table.name}") > LONGEST_NAME:
            raise ValueError(f"table {table.name}: the names of source and table are too long together")
        kind = self.container.type
        if isinstance(table.mode, Watermark):
            if kind not in ("postgres", "http_api"):
                raise ValueError(f"table {table.name}: a {kind} source is read whole; use mode snapshot")
            if table.mode.reconcile_keys and kind != "postgres":
                raise ValueError(f"table {table.name}: reconcile_keys needs a postgres source")
        if isinstance(self.container, CsvContainer) and not (self.container.path or table.at_source):
            raise ValueError(f"table {table.name}: say its file in at_source, or a path in container")


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
