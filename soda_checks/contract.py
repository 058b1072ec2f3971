"""Contracts: which rule holds for which column of which table, compiled to SQL over the table's rows.

`contracts/<layer>/<model>.yml` binds rules of `library/`; the tests in a built model's own YAML bind more.
All of it is checked here before any table is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from huiliu.errors import ConfigError
from soda_checks.bindings import Binding, ContractFile, Rules, read_file, short
from soda_checks.dbt_models import BUILT, Model, project_models
from soda_checks.forms import Place, fill, known_column, known_department
from soda_checks.rules import Dimension, Strict, catalogue

CONTRACTS = Path(__file__).with_name("contracts")
LAYERS = ("staging", *BUILT)
USABLE = "usable"
"""Form and qualifier of the check of every staging table that counts the rows which cannot be used."""


class Attributes(Strict):
    """The rule a check applies, how much it weighs, whether it blocks, whether the gate runs it, whose it is.

    It holds between the two days, both included; without them always.
    """

    rule_id: str
    department: str
    weight: Decimal = Field(default=Decimal(1), gt=0)
    blocking: bool = False
    gate: bool = True
    effective_from: date | None = None
    effective_until: date | None = None

    @property
    def dimension(self) -> Dimension:
        """The class of the rule, from the catalogue."""
        return catalogue().rules[self.rule_id].dimension

    def holds_on(self, day: date) -> bool:
        """Whether the rule holds on a day."""
        return (self.effective_from or day) <= day <= (self.effective_until or day)


class Threshold(Strict):
    """How many rows in a hundred may fail a blocking rule."""

    metric: Literal["percent"] = "percent"
    must_be_less_than_or_equal: float = Field(ge=0, lt=100)


class Check(Strict):
    """A rule at its place: `filter` says which rows are tested, `expression` or `query` which of them fail.

    An expression is SQL over a row; a query over `${var.rows}` returns the keys of failing rows. `groups`
    counts rows that the table may not have, in place of both (rules.Form).
    """

    type: Literal["failed_rows"] = "failed_rows"
    name: str
    qualifier: str
    attributes: Attributes
    filter: str | None = None
    expression: str | None = None
    query: str | None = None
    groups: str | None = None
    threshold: Threshold | None = None


class Column(Strict):
    """A column and its checks."""

    name: str
    checks: list[Check]


class Meta(Strict):
    """What Soda does not know: whose data these are, what names a row, and whose territory it belongs to."""

    department: str
    source: str | None = None
    key: list[str] = Field(min_length=1)
    region: str | None = None


class Contract(Strict):
    """The rules of one table. `dataset` is `huiliu/<layer>/<model>`, as the file's own place says."""

    dataset: str
    huiliu: Meta
    columns: list[Column]
    checks: list[Check]

    @model_validator(mode="after")
    def staging_holds_what_cannot_be_used(self) -> Contract:
        named = [check.attributes for check in self.checks if check.qualifier == USABLE]
        if self.layer == "staging" and not any(it.blocking and it.gate for it in named):
            raise ValueError(f"a staging table binds C01 as {USABLE}, blocking: not is_usable")
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
    check: Check


def load_contracts(
    folder: Path = CONTRACTS, models: Mapping[str, Model] | None = None
) -> dict[str, Contract]:
    """Read every contract, by table name, and derive those of built tables that have no file.

    ConfigError for the first that is wrong, has no dbt model, or does not say what names a row.
    """
    known = project_models() if models is None else models
    contracts: dict[str, Contract] = {}
    for path in sorted(folder.glob("*/*.yml")):
        if path.parent.name not in LAYERS:
            raise ConfigError(f"{short(path)}: no layer {path.parent.name}", fix=f"use one of {LAYERS}")
        contract = load_contract(path, known)
        contracts[contract.table_name] = contract
    if not contracts:
        raise ConfigError(f"no contracts under {folder.name}/", fix="restore soda_checks/contracts")
    for model in known.values():
        if model.is_built and f"{model.layer}.{model.name}" not in contracts:
            contract = _compiled(f"{model.layer}/{model.name}.yml", ContractFile(), model, known)
            contracts[contract.table_name] = contract
    return contracts


def load_contract(path: Path, models: Mapping[str, Model] | None = None) -> Contract:
    """Read and check one contract; ConfigError names the file and the key at fault."""
    known = project_models() if models is None else models
    file = read_file(path)
    model = known.get(path.stem)
    if model is None or model.layer != path.parent.name:
        raise ConfigError(
            f"{short(path)}: {path.stem} is not a dbt model of {path.parent.name}",
            fix="rename the contract or add the model",
        )
    return _compiled(short(path), file, model, known)


def _compiled(name: str, file: ContractFile, model: Model, models: Mapping[str, Model]) -> Contract:
    """Make a contract of its file and its model's YAML."""
    whole = file.with_derived(model)
    try:
        meta = _meta(file, model)
        columns = [
            Column(name=column, checks=_checks(rules, Place(model, models, meta.key, column), meta))
            for column, rules in whole.columns.items()
        ]
        return Contract(
            dataset=f"huiliu/{model.layer}/{model.name}",
            huiliu=meta,
            columns=columns,
            checks=_checks(whole.rules, Place(model, models, meta.key, ""), meta),
        )
    except ValidationError as error:
        raise ConfigError(
            f"{name}: {error.errors(include_url=False)[0]['msg']}", fix="see docs/quality.md"
        ) from error
    except ValueError as error:
        raise ConfigError(f"{name}: {error}", fix="see docs/quality.md") from error


def _meta(file: ContractFile, model: Model) -> Meta:
    key, region = file.key or model.key, file.region or (model.region if model.is_built else None)
    if key is None:
        raise ValueError(
            f"what names a row of {model.name}? test its key in the model's YAML, or name it here as key"
        )
    department = model.department if file.department is None else file.department
    if department is None:
        raise ValueError(f"whose data are these? {model.name} names no department in its YAML")
    known_department(department)
    for name in [*key, *([region] if region else [])]:
        known_column(name, model)
    source = model.name.removeprefix("stg_").split("__")[0] if model.layer == "staging" else None
    return Meta(department=department, source=source, key=key, region=region)


def _checks(rules: Rules, place: Place, meta: Meta) -> list[Check]:
    if place.column:
        known_column(place.column, place.model)
    return [_check(rule_id, binding, place, meta) for rule_id, binding in rules.items()]


def _check(rule_id: str, binding: Binding, place: Place, meta: Meta) -> Check:
    where = f"{place.column}.{rule_id}" if place.column else f"rules.{rule_id}"
    department = meta.department if binding.department is None else binding.department
    try:
        known_department(department)
        filled = fill(rule_id, binding, place)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    label = place.model.columns[place.column].label if place.column else ""
    share = binding.percent
    return Check(
        name=binding.name or (f"{label}：{filled.title}" if label else filled.title),
        qualifier=USABLE if filled.form == USABLE else rule_id.lower(),
        attributes=Attributes(
            rule_id=rule_id,
            department=department,
            weight=binding.weight,
            blocking=binding.blocking,
            gate=binding.gate,
            effective_from=binding.effective_from,
            effective_until=binding.effective_until,
        ),
        filter=filled.given,
        expression=filled.fails,
        query=filled.query,
        groups=filled.groups,
        threshold=None if share is None else Threshold(must_be_less_than_or_equal=share),
    )
