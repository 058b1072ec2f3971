"""dbt's own tests: unit tests hold, and fail when a condition is flipped; data tests hold on a city."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from huiliu.settings import get_settings
from tests.models.conftest import project
from transformation.checks import test as run_data_tests
from transformation.checks import unit_test
from transformation.dbt_runner import DbtProject

# The model that decides a condition, or the verdict on all six, and how many unit tests it has at least.
DECIDING = {
    "int_age_judged": 2,
    "int_hukou_judged": 3,
    "int_enlistment_judged": 5,
    "int_pension_judged": 4,
    "int_benefit_judged": 4,
    "int_life_judged": 5,
    "special_veterans__subsidy": 1,
}
# What a verdict is turned into when it is flipped: each must be noticed.
FLIPS = [("met", "not_met"), ("not_met", "met"), ("unknown", "met"), ("met", "unknown")]


@pytest.mark.usefixtures("built_city")
def test_every_unit_test_passes() -> None:
    runs = unit_test(project=project())
    assert len(runs) >= 55
    assert [(run.name, run.message) for run in runs if run.status != "pass"] == []


@pytest.mark.usefixtures("built_city")
def test_every_data_test_passes_on_a_built_city() -> None:
    layers = ("base", "theme", "special", "return", "metrics")
    runs = run_data_tests(select=" ".join(f"path:models/{layer}" for layer in layers), project=project())
    assert len(runs) >= 40
    assert [(run.name, run.message) for run in runs if run.status != "pass"] == []


def _flipped(sql: str, verdict: str, other: str) -> str:
    """Return a model with the outcome `then 'verdict'` or `else 'verdict'` turned into another."""
    changed, count = re.subn(rf"\b(then|else) '{verdict}'", rf"\1 '{other}'", sql)
    assert count > 0
    return changed


@pytest.mark.parametrize(("verdict", "other"), FLIPS)
@pytest.mark.usefixtures("built_city")
def test_flipping_a_condition_fails_a_unit_test_of_its_model(
    verdict: str, other: str, tmp_path: Path
) -> None:
    copy = tmp_path / "flipped"
    shutil.copytree(get_settings().project_root / "dbt_project", copy)
    for model in DECIDING:
        path = copy / "models" / "special" / f"{model}.sql"
        path.write_text(_flipped(path.read_text(), verdict, other))
    flipped = DbtProject(copy)
    tests_of = {test.name: test.model for test in flipped.manifest.unit_tests.values()}
    runs = unit_test(select="path:models/special", project=flipped)
    assert all(run.status in {"pass", "fail"} for run in runs)
    failed = {tests_of[run.name] for run in runs if run.status == "fail"}
    assert failed >= set(DECIDING)


@pytest.mark.parametrize("model", DECIDING)
def test_every_deciding_model_has_unit_tests_enough(model: str) -> None:
    path = get_settings().project_root / "dbt_project" / "models" / "special" / f"{model}.yml"
    assert path.read_text().count(f"    model: {model}\n") >= DECIDING[model]
