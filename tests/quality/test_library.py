"""The library of rules: its 37 rules, each bound, each documented; a fault in it is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from huiliu.errors import ConfigError
from huiliu.settings import get_settings
from soda_checks.bindings import Binding
from soda_checks.contract import Contract, load_contracts
from soda_checks.dbt_models import project_models
from soda_checks.rules import Rule, catalogue, read_catalogue


@pytest.fixture(scope="module")
def contracts() -> dict[str, Contract]:
    """The project's contracts."""
    return load_contracts()


def test_the_catalogue_has_six_classes_and_37_rules() -> None:
    rules = catalogue().rules
    assert len(rules) == 37
    letters = {"completeness": "C", "accuracy": "A", "conformity": "N",
               "consistency": "S", "association": "R", "uniqueness": "U"}  # fmt: skip
    assert set(letters) == set(catalogue().dimensions)
    assert all(rule_id[0] == letters[rule.dimension] for rule_id, rule in rules.items())


def test_every_rule_is_bound(contracts: dict[str, Contract]) -> None:
    bound = {it.check.attributes.rule_id for contract in contracts.values() for it in contract.bound()}
    assert bound == set(catalogue().rules)


def test_every_table_of_the_five_layers_has_a_contract(contracts: dict[str, Contract]) -> None:
    models = project_models().values()
    built = {f"{it.layer}.{it.name}" for it in models if it.is_built}
    staged = {f"staging.{it.name}" for it in models if it.raw and not it.name.endswith("_typed")}
    assert set(contracts) == built | staged


@pytest.mark.parametrize(("rule", "is_at_the_gate"), [("C04", True), ("S06", False)])
def test_each_staging_table_is_held_against_its_loads(
    contracts: dict[str, Contract], rule: str, *, is_at_the_gate: bool
) -> None:
    tables = {it.table_name for it in contracts.values() if it.layer == "staging"}
    held = {
        contract.table_name
        for contract in contracts.values()
        for check in contract.checks
        if check.attributes.rule_id == rule
        and check.groups
        and (check.attributes.gate, check.attributes.blocking) == (is_at_the_gate, is_at_the_gate)
    }
    assert held == tables


def test_the_page_says_which_rules_answer_to_each_part_of_the_national_standard() -> None:
    page = (get_settings().project_root / "docs" / "quality.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:-1] for line in page.splitlines() if line.startswith("| 0")]
    said = {code.strip(): (name.strip(), part.strip(), rules) for code, name, part, rules, _ in rows}
    for code, it in catalogue().gb_36344.items():
        bound = [rule_id for rule_id, rule in catalogue().rules.items() if rule.gb_36344 == code]
        indicator, part, rules = said.pop(code)
        assert (indicator, part) == (it.indicator, it.part)
        assert re.findall(r"[A-Z][0-9]{2}", rules) == bound, code
    assert said == {}


def test_no_parameter_is_called_as_a_key_of_a_binding() -> None:
    keys = {field.alias or name for name, field in Binding.model_fields.items()}
    forms = [form for rule in catalogue().rules.values() for form in rule.forms.values()]
    assert [name for form in forms for name in form.parameters if name in keys] == []


def _row(rule_id: str, rule: Rule) -> str:
    """A rule as the table of docs/quality.md says it: its forms with their parameters."""
    forms = [
        " ".join([f"`{name}`", *(it if spec.required else f"{it}?" for it, spec in form.parameters.items())])
        for name, form in rule.forms.items()
    ]
    dimension = catalogue().dimensions[rule.dimension].title
    return f"| {rule_id} | {dimension} | {rule.title} | {'; '.join(forms)} |"


def test_the_page_lists_every_rule() -> None:
    page = (get_settings().project_root / "docs" / "quality.md").read_text(encoding="utf-8").splitlines()
    assert [row for row in (_row(*it) for it in catalogue().rules.items()) if row not in page] == []


@pytest.mark.parametrize(
    ("form", "named"),
    [
        ("{fails: 'true', query: 'select 1 from ${var.rows}'}", "either fails, query or groups"),
        ("{given: 'true'}", "either fails, query or groups"),
        ("{query: 'select 1'}", "var.rows"),
        ("{fails: '{column} < {start}'}", "declared and used parameters differ: start"),
        ("{parameters: {start: column}, fails: 'true'}", "declared and used parameters differ: start"),
        ("{parameters: {start: colum}, fails: '{start} is null'}", "rules.C01.forms.one.parameters.start"),
        ("{fail: 'true'}", "rules.C01.forms.one"),
    ],
)
def test_a_faulty_form_is_named(tmp_path: Path, form: str, named: str) -> None:
    (tmp_path / "classes.yml").write_text(
        "dimensions: {completeness: {title: 完整性, weight: 1}}\n"
        "gb_36344: {'0201': {indicator: 完整性, part: 数据元素完整性}}\n",
        encoding="utf-8",
    )
    (tmp_path / "completeness.yml").write_text(
        f"C01: {{title: 空, gb_36344: '0201', forms: {{one: {form}}}}}\n", encoding="utf-8"
    )
    with pytest.raises(ConfigError) as caught:
        read_catalogue(tmp_path)
    assert named in str(caught.value)
