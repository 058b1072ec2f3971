"""The production files, as far as they can be checked without a container engine."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from huiliu.cli import app
from huiliu.programs import AIRFLOW
from huiliu.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return loaded


def test_each_command_is_a_verb_of_the_command_line(compose: dict[str, Any]) -> None:
    verbs = set(get_command(app).commands)  # type: ignore[attr-defined]  # a Typer app with verbs is a Group
    ours = {name: service for name, service in compose["services"].items() if name != "postgres"}
    assert len(ours) == 5
    for name, service in ours.items():
        verb, *arguments = service["command"]
        assert verb in verbs, name
        if verb == "exec":
            assert arguments == [name]
            assert name in AIRFLOW


def test_all_four_parts_of_airflow_run_from_one_image(compose: dict[str, Any]) -> None:
    parts = [name for name in compose["services"] if name.startswith("airflow-")]
    assert sorted(parts) == [
        "airflow-api-server",
        "airflow-dag-processor",
        "airflow-scheduler",
        "airflow-triggerer",
    ]
    assert {compose["services"][part]["image"] for part in parts} == {"huiliu:0.1.0"}


def test_no_password_is_written_and_every_variable_is_documented(compose: dict[str, Any]) -> None:
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    documented = (ROOT / ".env.example").read_text("utf-8")
    for variable in re.findall(r"\$\{(\w+)", text):
        assert variable in documented, variable
    fields = {f"HUILIU_{field.upper()}" for field in Settings.model_fields}
    for name in compose["x-huiliu"]["environment"]:
        assert name in fields or name.startswith("HUILIU_DSN_"), name
    assert compose["services"]["postgres"]["environment"]["POSTGRES_PASSWORD"].startswith("${HUILIU_SECRET_")


def test_published_ports_are_on_loopback(compose: dict[str, Any]) -> None:
    published = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_the_image_copies_every_package_that_the_project_installs() -> None:
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
    copied = re.findall(r"^COPY --chown=huiliu (\S+) \S+$", (ROOT / "Dockerfile").read_text("utf-8"), re.M)
    assert set(packages) <= set(copied)
    for folder in ("dags", "dbt_project", "reference", "scripts"):
        assert folder in copied
        assert (ROOT / folder).is_dir()
