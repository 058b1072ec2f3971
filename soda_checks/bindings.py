"""A contract as it is written: which rules hold for a table and its columns, with their parameters."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from huiliu.errors import ConfigError
from soda_checks.dbt_models import Model
from soda_checks.rules import ROWS, Strict, catalogue

Rules = dict[str, "Binding"]


class Binding(Strict):
    """One rule at one place. `percent`: how many rows in a hundred may fail if it blocks.

    It holds from `from` until `until`, both days included. What is no key of a binding is a parameter of the
    rule's form. `fails` or `query` stand in place of a form, where a rule means something of this table only.
    """

    name: str | None = None
    form: str | None = None
    weight: Decimal = Field(default=Decimal(1), gt=0)
    blocking: bool = False
    gate: bool = True
    percent: float | None = Field(default=None, ge=0, lt=100)
    department: str | None = None
    effective_from: date | None = Field(default=None, alias="from")
    effective_until: date | None = Field(default=None, alias="until")
    given: str | None = None
    fails: str | None = None
    query: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def parameters_beside_keys(cls, document: object) -> object:
        if not isinstance(document, dict):
            raise ValueError("a rule is bound with a mapping; {} if there is nothing to say")
        keys = {it.alias or name for name, it in cls.model_fields.items()} - {"parameters"}
        own = {name: value for name, value in document.items() if name in keys}
        return own | {"parameters": {name: it for name, it in document.items() if name not in keys}}

    @field_validator("name")
    @classmethod
    def chinese_name(cls, name: str | None) -> str | None:
        if name is not None and not any("\u4e00" <= letter <= "\u9fff" for letter in name):
            raise ValueError("a check has a Chinese name")
        return name

    @model_validator(mode="after")
    def agrees_with_itself(self) -> Binding:
        if self.percent is not None and not self.blocking:
            raise ValueError("only a blocking rule has a percent; others count and never stop a batch")
        if self.effective_from and self.effective_until and self.effective_from > self.effective_until:
            raise ValueError("until is before from")
        if self.fails is not None and self.query is not None:
            raise ValueError("give either fails or query")
        if self.is_own and (self.form or self.parameters):
            also = ", ".join(["form"] * bool(self.form) + list(self.parameters))
            raise ValueError(f"its own fails or query leaves no use for {also}")
        if self.query is not None and ROWS not in self.query:
            raise ValueError(f"a query reads the table under test as {ROWS}")
        return self

    @property
    def is_own(self) -> bool:
        """Whether the binding brings its own SQL."""
        return self.fails is not None or self.query is not None


class ContractFile(Strict):
    """A contract's file, `contracts/<layer>/<model>.yml`; what it leaves out is the model's YAML's."""

    department: str | None = None
    key: list[str] | None = Field(default=None, min_length=1)
    region: str | None = None
    rules: Rules = Field(default_factory=dict)
    columns: dict[str, Rules] = Field(default_factory=dict)

    @model_validator(mode="after")
    def known_rules(self) -> ContractFile:
        bound = [*self.rules, *(rule for rules in self.columns.values() for rule in rules)]
        unknown = [rule for rule in bound if rule not in catalogue().rules]
        if unknown:
            raise ValueError(f"not in the library: {', '.join(unknown)}")
        return self

    def with_derived(self, model: Model) -> ContractFile:
        """Add what holds for every staging table, or what the tests in a built model's YAML promise.

        A rule stated by hand at the same place wins.
        """
        derived = ContractFile(rules=_LANDED if model.lands else {})
        if model.is_built:
            derived = derived_rules(model)
        columns = {
            name: derived.columns.get(name, {}) | self.columns.get(name, {})
            for name in model.columns
            if name in derived.columns or name in self.columns
        }
        unknown = {name: rules for name, rules in self.columns.items() if name not in columns}
        return self.model_copy(update={"rules": derived.rules | self.rules, "columns": columns | unknown})


_LANDED = {
    "C04": Binding(blocking=True),
    # What was lost between landing and staging is ours to find, not the source's to send again.
    "S06": Binding(form="landed", gate=False, department="市大数据局"),
}
"""The rules of every table that a source lands in: its loads against their manifests and against staging."""


def derived_rules(model: Model) -> ContractFile:
    """Bind not_null as C01, unique as U01, accepted_values as N02, relationships as R01; the key's block."""
    columns: dict[str, Rules] = {}
    for name, column in model.columns.items():
        rules: Rules = {}
        if column.not_null:
            rules["C01"] = Binding(blocking=name in (model.key or ()))
        if column.unique:
            rules["U01"] = Binding(blocking=True)
        if column.codes:
            rules["N02"] = Binding.model_validate({"codes": list(column.codes)})
        if column.refers_to:
            other, target = column.refers_to
            rules["R01"] = Binding.model_validate({"table": other, "target": target})
        if rules:
            columns[name] = rules
    together = [Binding.model_validate({"columns": list(it), "blocking": True}) for it in model.together]
    return ContractFile(rules={"U01": together[0]} if together else {}, columns=columns)


def read_file(path: Path) -> ContractFile:
    """Read one contract's file; ConfigError names the file and the key at fault."""
    try:
        return ContractFile.model_validate(
            yaml.load(path.read_text(encoding="utf-8"), Loader=_EachKeyOnce)  # noqa: S506 - a safe loader
        )
    except yaml.YAMLError as error:
        raise ConfigError(f"{short(path)} is not YAML: {error}", fix="mend the file") from error
    except ValidationError as error:
        raise ConfigError(f"{short(path)}: {_first_fault(error)}", fix="see docs/quality.md") from error


def short(path: Path) -> str:
    """A contract's path as messages name it."""
    return "/".join(path.parts[-2:])


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in fault["loc"]) or "contract"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{where}: {fault['msg']}{more}"


class _EachKeyOnce(yaml.CSafeLoader):
    """YAML lets a later key replace an earlier one: a rule bound twice would pass unseen."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: Mapping[Hashable, Any] = {}
        for key_node, _ in node.value:
            key = self.construct_object(key_node)
            if not isinstance(key, str | int):
                raise yaml.MarkedYAMLError(problem="a key is a name", problem_mark=key_node.start_mark)
            if key in seen:
                raise yaml.MarkedYAMLError(problem=f"{key} stands twice", problem_mark=key_node.start_mark)
            seen = {**seen, key: None}
        return super().construct_mapping(node, deep)
