"""Return packages: the contract of what leaves for whom (`packages/*.yml`), read strictly.

Cheap to import and to call: no database, so that DAG files may parse it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from pydantic_core import ErrorDetails

from huiliu.errors import ConfigError

PACKAGES_FOLDER = Path(__file__).with_name("packages")

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,49}$")]
TableName = Annotated[str, StringConstraints(pattern=r"^[a-z]+\.[a-z][a-z0-9_]+$")]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
# Types whose text form is one and the same on every system, as receipts compare it (docs/return_flow.md).
ColumnType = Annotated[
    str, StringConstraints(pattern=r"^(text|integer|bigint|boolean|date|uuid|numeric\([1-9]\d?,\d{1,2}\))$")
]


class Column(BaseModel):
    """A column that leaves: its name in the model and at the consumer, its type, and its Chinese label."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: Name
    type: ColumnType
    label: Text
    # The model's values must be masked already; an unmasked one stops the delivery.
    mask: Literal["resident_id"] | None = None


class Package(BaseModel):
    """A return package: rows of one `return` model for every consumer of its levels, under a contract."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: Name
    title: Text
    model: Name
    consumers: tuple[Literal["township", "district", "city"], ...] = Field(min_length=1)
    key: tuple[Name, ...] = Field(min_length=1)
    columns: tuple[Column, ...] = Field(min_length=2)
    purpose: Text
    legal_basis: Text
    valid_until: date
    # Overall scores (0 to 1) that every table of `scored_by` must reach; 0 asks for no score.
    quality_floor: float = Field(ge=0, le=1)
    scored_by: tuple[TableName, ...] = ()
    # A consumer is held if more than this share, and more than `delete_allowance`, of its rows would vanish.
    max_delete_share: float = Field(gt=0, le=1)
    delete_allowance: int = Field(default=20, ge=0)
    due_hours: int = Field(gt=0)
    # The step after which it goes out: service_report carries what metrics say of the other packages.
    after: Literal["score", "metrics"] = "score"
    # Also goes out between days, to consumers that a micro-batch changed (docs/streaming.md).
    streamed: bool = False
    # Held unless the model's last completed build is of the batch's day. False only for a model that says
    # what was, whatever the day, and keeps no row in ops.model_state.
    dated: bool = True

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        names = [column.name for column in self.columns]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"columns: {', '.join(repeated)} stands more than once")
        missing = [name for name in self.key if name not in names]
        if missing:
            raise ValueError(f"key: {', '.join(missing)} is not among the columns")
        if any(name not in self.key for name in names) is False:
            raise ValueError("columns: at least one must not belong to the key")
        self._refuse_plain_identifiers()
        if self.quality_floor > 0 and not self.scored_by:
            raise ValueError("scored_by: a quality floor needs the tables whose scores it is compared with")
        return self

    def _refuse_plain_identifiers(self) -> None:
        for column in self.columns:
            identifies = re.search(r"(^|_)pid(_|$)", column.name) or "身份证" in column.label
            if identifies and column.mask is None:
                raise ValueError(f"columns.{column.name}: an ID number leaves only with `mask: resident_id`")
            if column.mask is not None and (column.name in self.key or column.type != "text"):
                raise ValueError(f"columns.{column.name}: a masked column is text and never a key")

    @property
    def has_persons(self) -> bool:
        """Whether its rows are persons, so that their moves between consumers are logged in pairs."""
        return self.key == ("person_key",) and self.column("person_key").type == "uuid"

    def column(self, name: str) -> Column:
        """Return a column by name."""
        return next(column for column in self.columns if column.name == name)


def load_packages(folder: Path | None = None) -> dict[str, Package]:
    """Read every package of a folder by name; ConfigError names file, key and fix of what is wrong."""
    return dict(_load_folder(folder or PACKAGES_FOLDER))


@cache
def _load_folder(folder: Path) -> dict[str, Package]:
    packages = {path.stem: _load(path) for path in sorted(folder.glob("*.yml"))}
    if not packages:
        raise ConfigError(
            f"{folder} holds no package (*.yml)", fix="restore it: docs/add_a_return_package.md"
        )
    return packages


def choose(packages: dict[str, Package], names: Sequence[str] | None) -> list[Package]:
    """Return the named packages, all of them if none is named; ConfigError for an unknown name."""
    unknown = [name for name in names or () if name not in packages]
    if unknown:
        raise ConfigError(
            f'There is no package "{unknown[0]}"',
            fix=f"use one of: {', '.join(packages)}{_nearest(unknown[0], packages)}",
        )
    return [package for name, package in packages.items() if not names or name in names]


def _load(path: Path) -> Package:
    try:
        document: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8", fix="save it as UTF-8") from None
    except yaml.YAMLError as error:
        raise ConfigError(
            f"{path} is not YAML: {' '.join(str(error).split())}", fix="correct the file"
        ) from None
    try:
        package = Package.model_validate(document)
    except ValidationError as error:
        # A misspelt key is unknown and missed at once: the misspelling is the one to name.
        found = sorted(error.errors(), key=lambda it: it["type"] != "extra_forbidden")
        raise _explained(path, found[0]) from None
    if package.name != path.stem:
        raise ConfigError(
            f'{path}: name is "{package.name}", the file says "{path.stem}"', fix="give both the same name"
        )
    return package


def _explained(path: Path, found: ErrorDetails) -> ConfigError:
    key = ".".join(str(part) for part in found["loc"])
    if found["type"] == "extra_forbidden":
        model = Column if found["loc"][0] == "columns" else Package
        near = _nearest(str(found["loc"][-1]), model.model_fields)
        return ConfigError(f"{path}: key {key} is unknown", fix=f"remove it or correct its spelling{near}")
    if found["type"] == "missing":
        return ConfigError(f"{path}: key {key} is missing", fix=f"add {key} (docs/add_a_return_package.md)")
    if found["loc"] and found["loc"][-1] == "type":
        kinds = "text, integer, bigint, boolean, date, uuid, numeric(p,s)"
        return ConfigError(f'{path}: key {key}: unknown type "{found["input"]}"', fix=f"use one of: {kinds}")
    where = f"key {key}: " if key else ""
    message = found["msg"].removeprefix("Value error, ")
    return ConfigError(f"{path}: {where}{message}", fix="correct it (docs/add_a_return_package.md)")


def _nearest(word: str, known: Iterable[object]) -> str:
    near = difflib.get_close_matches(word, [str(name) for name in known], n=1)
    return f" (did you mean {near[0]}?)" if near else ""
