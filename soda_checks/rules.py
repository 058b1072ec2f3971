"""The library of rules (`library/`): six classes, 37 rules, each with its SQL."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, Literal

import psycopg
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from huiliu.errors import ConfigError

Dimension = Literal["completeness", "accuracy", "conformity", "consistency", "association", "uniqueness"]
Kind = Literal["column", "columns", "raw", "table", "values", "number", "text", "date", "sql"]
OVERALL = "overall"
ROWS = "${var.rows}"
BUSINESS_DATE = "${var.business_date}"
THESE_BATCHES = "${var.these_batches}"
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
PLACE = frozenset({"column", "raw", "key", "own_key", "given", "own_name", "own_table", "raw_table", "loads"})
"""Placeholders that a binding's place fills in; all others are parameters."""
_FOLDER = Path(__file__).with_name("library")


class Strict(BaseModel):
    """What YAML of this package is read into: a key that is not known is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Parameter(Strict):
    """What a form wants to be told. `of` names the parameter with the table whose column this is."""

    kind: Kind = Field(alias="is")
    of: str | None = None
    default: str | None = None
    optional: bool = False

    @property
    def required(self) -> bool:
        """Whether every binding gives it; a default that is the bound column needs a column to be bound."""
        return self.default is None and not self.optional


class Form(Strict):
    """One way to test a rule, in SQL with placeholders; `title` only where the rule's does not say it.

    `groups` counts rows that the table under test may not have: row_key, batch_id, failed, shown, row_count;
    of rows that fail, and of those with a row_key, one each.
    """

    title: str | None = None
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    given: str | None = None
    fails: list[str] | None = None
    query: str | None = None
    groups: str | None = None

    @field_validator("parameters", mode="before")
    @classmethod
    def short_parameters(cls, parameters: dict[str, object]) -> dict[str, object]:
        return {name: {"is": it} if isinstance(it, str) else it for name, it in parameters.items()}

    @field_validator("fails", mode="before")
    @classmethod
    def one_line(cls, fails: object) -> object:
        return [fails] if isinstance(fails, str) else fails

    @model_validator(mode="after")
    def says_what_fails(self) -> Form:
        if [self.fails, self.query, self.groups].count(None) != 2:
            raise ValueError("a form has either fails, query or groups")
        if self.query is not None and ROWS not in self.query:
            raise ValueError(f"a query reads the table under test as {ROWS}")
        unlike = (self.placeholders - PLACE) ^ set(self.parameters)
        if unlike:
            raise ValueError(f"declared and used parameters differ: {', '.join(sorted(unlike))}")
        return self

    @property
    def placeholders(self) -> set[str]:
        """Every placeholder of the form's SQL and of its defaults."""
        defaults = [it.default or "" for it in self.parameters.values()]
        texts = [self.given or "", *(self.fails or []), self.query or "", self.groups or "", *defaults]
        return {name for text in texts for name in PLACEHOLDER.findall(text)}

    def lines(self, given: set[str]) -> list[str]:
        """The lines of `fails` that hold when these parameters are given."""
        absent = {name for name, it in self.parameters.items() if it.optional} - given
        return [line for line in self.fails or [] if not absent & set(PLACEHOLDER.findall(line))]


class Rule(Strict):
    """A rule of the library: its class, its Chinese title, its forms by name, its part of GB/T 36344."""

    dimension: Dimension
    title: str
    forms: dict[str, Form] = Field(min_length=1)
    gb_36344: str


class DimensionInfo(Strict):
    """A class of rules: its Chinese title and its weight in an overall score."""

    title: str
    weight: int = Field(gt=0)


class StandardPart(Strict):
    """A part of an indicator of GB/T 36344-2018, as the standard calls both."""

    indicator: str
    part: str


class Catalogue(Strict):
    """All rules by id, all classes by name, and the parts of GB/T 36344 by their numbers there."""

    dimensions: dict[Dimension, DimensionInfo]
    rules: dict[str, Rule]
    gb_36344: dict[str, StandardPart]

    @model_validator(mode="after")
    def known_parts(self) -> Catalogue:
        unknown = sorted({rule.gb_36344 for rule in self.rules.values()} - set(self.gb_36344))
        if unknown:
            raise ValueError(f"GB/T 36344 has no part {', '.join(unknown)}")
        return self


def read_catalogue(folder: Path) -> Catalogue:
    """Read a library of rules, `classes.yml` and a file a class; ConfigError names what is wrong in it."""
    document = _yaml(folder / "classes.yml")
    document["rules"] = {
        rule_id: rule | {"dimension": name}
        for name in document["dimensions"]
        for rule_id, rule in _yaml(folder / f"{name}.yml").items()
    }
    try:
        return Catalogue.model_validate(document)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, fault["loc"]))
        raise ConfigError(f"{folder.name}: {where}: {fault['msg']}", fix="see docs/quality.md") from error


def _yaml(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return document


@cache
def catalogue() -> Catalogue:
    """Return the library of the project."""
    return read_catalogue(_FOLDER)


def write_catalogue(connection: psycopg.Connection[Any]) -> None:
    """Make `quality.gb_36344` and `quality.rule` equal to the catalogue."""
    rules, parts = catalogue().rules, catalogue().gb_36344
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            insert into quality.gb_36344 (code, indicator, part) values (%s, %s, %s)
            on conflict (code) do update set indicator = excluded.indicator, part = excluded.part
            where (gb_36344.indicator, gb_36344.part) is distinct from (excluded.indicator, excluded.part)
            """,
            [(code, it.indicator, it.part) for code, it in parts.items()],
        )
        cursor.executemany(
            """
            insert into quality.rule (rule_id, dimension, title, gb_36344) values (%s, %s, %s, %s)
            on conflict (rule_id) do update
            set dimension = excluded.dimension, title = excluded.title, gb_36344 = excluded.gb_36344
            where (rule.dimension, rule.title, rule.gb_36344)
                is distinct from (excluded.dimension, excluded.title, excluded.gb_36344)
            """,
            [(rule_id, rule.dimension, rule.title, rule.gb_36344) for rule_id, rule in rules.items()],
        )
        cursor.execute("delete from quality.rule where not rule_id = any(%s)", (list(rules),))
        cursor.execute("delete from quality.gb_36344 where not code = any(%s)", (list(parts),))
