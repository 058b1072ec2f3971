"""Contracts: which rule holds for which column of which table (`contracts/<layer>/<model>.yml`).

A contract is a Soda contract with one block of our own, `huiliu`, and with rule attributes instead of warning
levels: `verify.py` completes it in memory. Everything is checked here before any table is read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from huiliu.errors import ConfigError
from huiliu.settings import get_settings
from soda_checks.rules import Dimension, catalogue

CONTRACTS = Path(__file__).with_name("contracts")
LAYERS = ("staging", "base", "theme", "special", "return")
ROWS = "${var.rows}"
BUSINESS_DATE = "${var.business_date}"
USABLE = "usable"
"""Qualifier of the check of every staging table that counts the rows which cannot be used at all."""
_HAN = re.compile(r"[\u4e00-\u9fff]")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Attributes(_Strict):
    """The rule a check applies, how much it weighs, whether it blocks, and whether the gate runs it."""

    rule_id: str
    weight: Decimal = Field(default=Decimal(1), gt=0)
    blocking: bool = False
    gate: bool = True

    @field_validator("rule_id")
    @classmethod
    def known_rule(cls, rule_id: str) -> str:
        if rule_id not in catalogue().rules:
            raise ValueError(f"rule {rule_id} is not in rules.yml")
        return rule_id

    @property
    def dimension(self) -> Dimension:
        """The class of the rule, from the catalogue."""
        return catalogue().rules[self.rule_id].dimension


class Threshold(_Strict):
    """How many rows in a hundred may fail a blocking rule."""

    metric: Literal["percent"]
    must_be_less_than_or_equal: float = Field(ge=0, lt=100)


class Pattern(_Strict):
    """A POSIX regular expression and what it is called."""

    regex: str
    name: str


class _Check(_Strict):
    name: str
    qualifier: str
    attributes: Attributes
    filter: str | None = None
    threshold: Threshold | None = None

    @field_validator("name")
    @classmethod
    def chinese_name(cls, name: str) -> str:
        if not _HAN.search(name):
            raise ValueError("a check has a Chinese name")
        return name

    @model_validator(mode="after")
    def threshold_only_if_blocking(self) -> _Check:
        if self.threshold and not self.attributes.blocking:
            raise ValueError("only a blocking check has a threshold; others count and never stop a batch")
        return self


class Missing(_Check):
    """Fails where the column is null."""

    type: Literal["missing"]


class Invalid(_Check):
    """Fails where a value that is there is not one of the allowed, or not of the agreed form."""

    type: Literal["invalid"]
    valid_values: list[str] | None = None
    invalid_values: list[str] | None = None
    valid_format: Pattern | None = None
    invalid_format: Pattern | None = None
    valid_min: float | None = None
    valid_max: float | None = None

    @model_validator(mode="after")
    def says_what_is_valid(self) -> Invalid:
        if not self.model_fields_set & {
            "valid_values", "invalid_values", "valid_format", "invalid_format", "valid_min", "valid_max",
        }:  # fmt: skip
            raise ValueError("an invalid check says which values are valid or invalid")
        return self


class Duplicate(_Check):
    """Fails at every row but the first of those with an equal value."""

    type: Literal["duplicate"]


class FailedRows(_Check):
    """Fails where an SQL expression is true, or at the keys an SQL query over `${var.rows}` returns."""

    type: Literal["failed_rows"]
    expression: str | None = None
    query: str | None = None

    @model_validator(mode="after")
    def one_form(self) -> FailedRows:
        if (self.expression is None) == (self.query is None):
            raise ValueError("give either expression or query")
        if self.query is not None and ROWS not in self.query:
            raise ValueError(f"a query reads the table under test as {ROWS}")
        return self


Check = Annotated[Missing | Invalid | Duplicate | FailedRows, Field(discriminator="type")]


def _typed(checks: object) -> object:
    """Turn Soda's `- missing: {…}` into `{type: missing, …}` so that the kinds can be told apart."""
    if not isinstance(checks, list):
        return checks
    return [_typed_check(check) for check in checks]


def _typed_check(check: object) -> dict[str, object]:
    if not isinstance(check, dict) or len(check) != 1:
        raise ValueError("a check is one key, its type, with a mapping below it")
    ((kind, body),) = check.items()
    if not isinstance(body, dict):
        raise ValueError(f"{kind} needs a mapping with name, qualifier and attributes")
    return {"type": kind, **body}


class Column(_Strict):
    """A column and its checks."""

    name: str
    checks: list[Check] = Field(default_factory=list)

    _typed_checks = field_validator("checks", mode="before")(_typed)


class Meta(_Strict):
    """What Soda does not know: whose data these are, what names a row, and whose territory it belongs to."""

    department: str
    source: str | None = None
    key: list[str] = Field(min_length=1)
    region: str | None = None


class Contract(_Strict):
    """The rules of one table. `dataset` is `huiliu/<layer>/<model>`, as the file's own place says."""

    dataset: str
    huiliu: Meta
    columns: list[Column]
    checks: list[Check] = Field(default_factory=list)

    _typed_checks = field_validator("checks", mode="before")(_typed)

    @model_validator(mode="after")
    def each_rule_once_a_column(self) -> Contract:
        counts = Counter((bound.column, bound.check.attributes.rule_id) for bound in self.bound())
        twice = [f"{rule} on {column or 'the table'}" for (column, rule), n in counts.items() if n > 1]
        if twice:
            raise ValueError(f"bound twice: {', '.join(twice)}")
        if not counts:
            raise ValueError("no check at all")
        return self

    @model_validator(mode="after")
    def staging_names_its_source(self) -> Contract:
        if (self.layer == "staging") != (self.huiliu.source is not None):
            raise ValueError("huiliu.source is given for staging tables, and only for them")
        return self

    @model_validator(mode="after")
    def staging_holds_what_cannot_be_used(self) -> Contract:
        named = [check.attributes for check in self.checks if check.qualifier == USABLE]
        if self.layer == "staging" and not any(it.blocking and it.gate for it in named):
            raise ValueError(f"a staging table has a blocking check `{USABLE}`: not is_usable")
        return self

    @property
    def layer(self) -> str:
        """Layer and database schema."""
        return self.dataset.split("/")[-2]

    @property
    def model(self) -> str:
        """Name of the dbt model."""
        return self.dataset.split("/")[-1]

    @property
    def table_name(self) -> str:
        """`<layer>.<model>`, as `quality` names tables."""
        return f"{self.layer}.{self.model}"

    @property
    def raw_table(self) -> str:
        """The raw table behind a staging model: `stg_<source>__<entity>` reads `<source>__<entity>`."""
        return self.model.removeprefix("stg_")

    def bound(self) -> Iterator[BoundCheck]:
        """Every check with the column it stands under; '' for the table itself."""
        for column in self.columns:
            for check in column.checks:
                yield BoundCheck(column.name, check)
        for check in self.checks:
            yield BoundCheck("", check)


@dataclass(frozen=True)
class BoundCheck:
    """A check and the column it belongs to ('' for the whole table)."""

    column: str
    check: Missing | Invalid | Duplicate | FailedRows


def load_contract(path: Path) -> Contract:
    """Read and check one contract; ConfigError names the file and the key at fault."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        contract = Contract.model_validate(document)
    except yaml.YAMLError as error:
        raise ConfigError(f"{_short(path)} is not YAML: {error}", fix="mend the file") from error
    except ValidationError as error:
        raise ConfigError(f"{_short(path)}: {_first_fault(error)}", fix="see docs/quality.md") from error
    expected = f"huiliu/{path.parent.name}/{path.stem}"
    if contract.dataset != expected:
        raise ConfigError(
            f"{_short(path)}: dataset is {contract.dataset}",
            fix=f"write {expected}, as the file's place says",
        )
    return contract


def load_contracts(folder: Path = CONTRACTS) -> dict[str, Contract]:
    """Read every contract, by table name; ConfigError for the first that is wrong or has no dbt model."""
    models = _dbt_models()
    contracts: dict[str, Contract] = {}
    for path in sorted(folder.glob("*/*.yml")):
        if path.parent.name not in LAYERS:
            raise ConfigError(f"{_short(path)}: no layer {path.parent.name}", fix=f"use one of {LAYERS}")
        contract = load_contract(path)
        if contract.model not in models:
            raise ConfigError(
                f"{_short(path)}: {contract.model} is not a dbt model",
                fix="rename the contract or add the model",
            )
        contracts[contract.table_name] = contract
    if not contracts:
        raise ConfigError(f"no contracts under {folder.name}/", fix="restore soda_checks/contracts")
    return contracts


def _dbt_models() -> set[str]:
    return {path.stem for path in (get_settings().project_root / "dbt_project" / "models").rglob("*.sql")}


def _short(path: Path) -> str:
    return "/".join(path.parts[-2:])


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in fault["loc"]) or "contract"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{where}: {fault['msg']}{more}"
