"""What contracts take from the dbt models' own YAML: columns, labels, tests, departments.

The YAML is read as it is, without dbt: a contract is checked before anything else runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from huiliu.settings import get_settings

BUILT = ("base", "theme", "special", "return")
_DOCS = re.compile(r"\{%\s*docs (\w+)\s*%\}(.*?)\{%\s*enddocs\s*%\}", re.DOTALL)
_DOC = re.compile(r"\{\{\s*doc\(['\"](\w+)['\"]\)\s*\}\}")
_REF = re.compile(r"ref\(['\"](\w+)['\"]\)")


@dataclass(frozen=True)
class Column:
    """A column of a model: its Chinese label and what dbt's tests say of it.

    `refers_to` is the model and column that its values are found in.
    """

    label: str
    not_null: bool = False
    unique: bool = False
    codes: tuple[str, ...] = ()
    refers_to: tuple[str, str] | None = None


@dataclass(frozen=True)
class Model:
    """A model: its layer, columns in order, unique combinations; `raw`: columns its source sends.

    `lands`: batches of a source land for it.
    """

    name: str
    layer: str
    department: str | None
    columns: Mapping[str, Column]
    together: tuple[tuple[str, ...], ...] = ()
    raw: frozenset[str] = field(default_factory=frozenset)
    lands: bool = False

    @property
    def is_built(self) -> bool:
        """Whether it is a table of a layer above staging that others read, no helper within its layer."""
        return self.layer in BUILT and not self.name.startswith("int_")

    @property
    def key(self) -> list[str] | None:
        """What names a row: staging's row key, else the unique column or columns; None if no test says."""
        if self.layer == "staging" and "_row_key" in self.columns:
            return ["_row_key"]
        unique = [name for name, column in self.columns.items() if column.unique]
        whole = [name for name in unique if self.columns[name].not_null] or unique
        return whole[:1] or next((list(names) for names in self.together), None)

    @property
    def region(self) -> str | None:
        """The column that says whose territory a row belongs to."""
        wanted = ["consumer_code"] if self.layer == "return" else []
        wanted += ["township_code", "village_code", "district_code"]
        return next((name for name in wanted if name in self.columns), None)


@cache
def read_models(models: Path, sources: Path) -> Mapping[str, Model]:
    """Read every model's YAML under `models`, and under `sources` the columns as the sources send them."""
    documents = [(path, _yaml(path)) for path in sorted(models.rglob("*.yml"))]
    docs = {
        name: text
        for path in sorted(models.rglob("*.md"))
        for name, text in _DOCS.findall(path.read_text(encoding="utf-8"))
    }
    raw = dict(_raw_tables(sources))
    found = {}
    for path, document in documents:
        layer = path.relative_to(models).parts[0]
        for node in document.get("models", []):
            found[node["name"]] = _model(node, layer, docs, raw)
    return found


def project_models() -> Mapping[str, Model]:
    """The models of the project."""
    root = get_settings().project_root
    return read_models(root / "dbt_project" / "models", root / "ingestion" / "sources")


def _yaml(path: Path) -> dict[str, Any]:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) or {}


def _raw_tables(sources: Path) -> Iterator[tuple[str, frozenset[str]]]:
    for path in sorted(sources.glob("*.yml")):
        for table in _yaml(path).get("tables", []):
            yield f"{path.stem}__{table['name']}", frozenset(it["name"] for it in table["columns"])


def _model(
    node: dict[str, Any], layer: str, docs: Mapping[str, str], raw: Mapping[str, frozenset[str]]
) -> Model:
    tests = dict(_tests(node))
    return Model(
        name=node["name"],
        layer=layer,
        department=node["config"]["meta"].get("department"),
        columns={it["name"]: _column(it, docs) for it in node["columns"]},
        together=(tuple(tests["unique_together"]["columns"]),) if "unique_together" in tests else (),
        raw=raw.get(node["name"].removeprefix("stg_"), frozenset()),
        lands=layer == "staging" and node["name"].removeprefix("stg_") in raw,
    )


def _column(node: dict[str, Any], docs: Mapping[str, str]) -> Column:
    tests = dict(_tests(node))
    text = _DOC.sub(lambda found: docs[found[1]], node["description"])
    refers = tests.get("relationships")
    return Column(
        label=text.strip().partition("：")[0],
        not_null="not_null" in tests,
        unique="unique" in tests,
        codes=tuple(str(code) for code in tests.get("accepted_values", {}).get("values", ())),
        refers_to=(_REF.findall(refers["to"])[0], refers["field"]) if refers else None,
    )


def _tests(node: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The data tests of a model or column by name, with their arguments."""
    for test in node.get("data_tests", []):
        if isinstance(test, str):
            yield test, {}
        else:
            for name, body in test.items():
                yield name, (body or {}).get("arguments", {})
