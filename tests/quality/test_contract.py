"""Contracts are found wrong before any table is read, with the file and the key named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from toy_source import CONTRACTS

from huiliu.errors import ConfigError
from soda_checks.contract import load_contract, load_contracts
from soda_checks.rules import catalogue

TOY = CONTRACTS / "staging" / "stg_toy__person.yml"
Document = dict[str, Any]
SpoiledFile = Callable[[Callable[[Document], None]], Path]


@pytest.fixture
def spoiled(tmp_path: Path) -> SpoiledFile:
    """Write the toy contract after changing it."""

    def write(change: Callable[[Document], None]) -> Path:
        document = yaml.safe_load(TOY.read_text(encoding="utf-8"))
        change(document)
        path = tmp_path / "staging" / "stg_toy__person.yml"
        path.parent.mkdir()
        path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
        return path

    return write


def _first(document: Document) -> Document:
    body: Document = document["columns"][0]["checks"][0]["duplicate"]
    return body


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda d: _first(d)["attributes"].update(severity=1), "attributes.severity"),
        (lambda d: _first(d)["attributes"].pop("rule_id"), "attributes.rule_id"),
        (lambda d: _first(d)["attributes"].update(rule_id="Z99"), "Z99"),
        (lambda d: _first(d).update(qualifer="x"), "qualifer"),
        (lambda d: _first(d).pop("qualifier"), "qualifier"),
        (lambda d: _first(d).update(name="english"), "Chinese name"),
        (lambda d: _first(d)["attributes"].update(weight=0), "weight"),
        (lambda d: d["columns"][0]["checks"][0].update(missing={}), "one key"),
        (lambda d: d["columns"][0].update(checks=[{"unique": _first(d)}]), "unique"),
        (lambda d: d["columns"][1]["checks"][1]["failed_rows"].update(query="select 1"), "either expression"),
        (lambda d: d["checks"][1]["failed_rows"].update(query="select 1 as _row_key"), "var.rows"),
        (lambda d: d["columns"][2]["checks"][1]["invalid"].pop("invalid_values"), "valid or invalid"),
        (
            lambda d: d["columns"][2]["checks"][0]["missing"].update(
                threshold={"metric": "percent", "must_be_less_than_or_equal": 5}
            ),
            "only a blocking check",
        ),
        (lambda d: d["columns"][2]["checks"].append(d["columns"][2]["checks"][0]), "bound twice"),
        (lambda d: d.update(filters="x"), "filters"),
        (lambda d: d["huiliu"].pop("department"), "huiliu.department"),
        (lambda d: d["huiliu"].pop("source"), "source is given for staging"),
        (lambda d: d.update(dataset="huiliu/base/stg_toy__person"), "source is given for staging"),
        (lambda d: d.update(dataset="huiliu/staging/stg_toy__persons"), "dataset is"),
        (lambda d: d["checks"].pop(0), "blocking check `usable`"),
        (lambda d: d["checks"][0]["failed_rows"]["attributes"].update(gate=False), "blocking check `usable`"),
    ],
)
def test_a_fault_names_file_and_key(
    spoiled: SpoiledFile, change: Callable[[Document], None], named: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_contract(spoiled(change))
    assert "staging/stg_toy__person.yml" in str(caught.value)
    assert named in str(caught.value)


def test_a_contract_without_a_model_is_refused() -> None:
    with pytest.raises(ConfigError, match="stg_toy__person is not a dbt model"):
        load_contracts(CONTRACTS)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no contracts"):
        load_contracts(tmp_path)


def test_a_file_that_is_not_yaml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "staging" / "broken.yml"
    path.parent.mkdir()
    path.write_text("dataset: [", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"staging/broken\.yml is not YAML"):
        load_contract(path)


def test_the_catalogue_has_six_classes_and_37_rules() -> None:
    rules = catalogue().rules
    assert len(rules) == 37
    assert {rule.dimension for rule in rules.values()} == set(catalogue().dimensions)
    letters = {rule.dimension: {id_[0] for id_, rule_ in rules.items() if rule_.dimension == rule.dimension}
               for rule in rules.values()}  # fmt: skip
    assert letters == {
        "completeness": {"C"}, "accuracy": {"A"}, "conformity": {"N"},
        "consistency": {"S"}, "association": {"R"}, "uniqueness": {"U"},
    }  # fmt: skip
