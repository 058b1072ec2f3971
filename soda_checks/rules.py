"""The catalogue of rules (`rules.yml`): six classes, 37 rules."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal

import psycopg
import yaml
from pydantic import BaseModel, ConfigDict, Field

Dimension = Literal["completeness", "accuracy", "conformity", "consistency", "association", "uniqueness"]
OVERALL = "overall"
_FILE = Path(__file__).with_name("rules.yml")


class Rule(BaseModel):
    """A rule of the catalogue: its class and its Chinese title."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    dimension: Dimension
    title: str


class DimensionInfo(BaseModel):
    """A class of rules: its Chinese title and its weight in an overall score."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: str
    weight: int = Field(gt=0)


class Catalogue(BaseModel):
    """All rules by id and all classes by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    dimensions: dict[Dimension, DimensionInfo]
    rules: dict[str, Rule]


@cache
def catalogue() -> Catalogue:
    """Return the catalogue of `rules.yml`."""
    document: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return Catalogue.model_validate(document)


def write_catalogue(connection: psycopg.Connection[Any]) -> None:
    """Make `quality.rule` equal to the catalogue."""
    rules = catalogue().rules
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            insert into quality.rule (rule_id, dimension, title) values (%s, %s, %s)
            on conflict (rule_id) do update set dimension = excluded.dimension, title = excluded.title
            where (rule.dimension, rule.title) is distinct from (excluded.dimension, excluded.title)
            """,
            [(rule_id, rule.dimension, rule.title) for rule_id, rule in rules.items()],
        )
        cursor.execute("delete from quality.rule where not rule_id = any(%s)", (list(rules),))
