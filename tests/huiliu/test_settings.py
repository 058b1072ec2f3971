"""Settings: read once, explained when wrong, and documented in .env.example."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from huiliu.errors import ConfigError
from huiliu.settings import (
    NO_CHANGES,
    PROJECT_ROOT,
    Settings,
    environment_name,
    forget_settings,
    get_settings,
    variable,
)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith("HUILIU_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HUILIU_ENV_FILE", "")
    forget_settings()
    yield
    monkeypatch.undo()
    forget_settings()


def test_the_example_names_every_setting_with_its_description_and_default() -> None:
    text = (PROJECT_ROOT / ".env.example").read_text(encoding="utf-8").partition("# --- ")[0]
    documented = {
        name: (description, default)
        for description, name, default in re.findall(r"^# (.+)\n# (HUILIU_\w+)=(.*)$", text, re.M)
    }
    expected = {}
    for field, info in Settings.model_fields.items():
        default = "" if info.default is None else str(info.default).removeprefix(f"{PROJECT_ROOT}/")
        expected[environment_name(field)] = (info.description, default)
    assert documented == expected


def test_the_environment_wins_over_the_env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "settings.env"
    file.write_text("HUILIU_AIRFLOW_PORT=1111\nHUILIU_POSTGRES_PORT=2222\nHUILIU_DSN_AIRFLOW=x\n")
    monkeypatch.setenv("HUILIU_ENV_FILE", str(file))
    monkeypatch.setenv("HUILIU_AIRFLOW_PORT", "3333")
    forget_settings()
    assert get_settings().airflow_port == 3333
    assert get_settings().postgres_port == 2222
    assert variable("HUILIU_DSN_AIRFLOW") == "x"


@pytest.mark.parametrize(
    ("name", "value"),
    [("HUILIU_AIRFLOW_PORT", "http"), ("HUILIU_POSTGRES_PORT", "70000"), ("HUILIU_CITY", "37")],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=f"Setting {name} is wrong: .* Fix: correct {name}"):
        get_settings()


def test_an_empty_setting_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUILIU_REGISTRY", "")
    assert get_settings().registry_file is None


def test_relative_paths_mean_the_callers_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HUILIU_REGISTRY", "register.csv")
    monkeypatch.chdir(tmp_path)
    assert get_settings().registry_file == tmp_path / "register.csv"


def test_settings_pass_to_another_process_unchanged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HUILIU_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HUILIU_CITY", "3301")
    monkeypatch.setenv("HUILIU_REGION_CHANGES", str(tmp_path / "changes.csv"))
    mine = get_settings()
    for name, value in mine.as_environment().items():
        monkeypatch.setenv(name, value)
    forget_settings()
    assert get_settings() == mine


def test_changes_of_regions_lie_beside_the_codes_or_there_are_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert get_settings().region_changes.name == "yantai_changes.csv"
    monkeypatch.setenv("HUILIU_REGIONS", str(tmp_path / "city.csv"))
    forget_settings()
    assert get_settings().region_changes == NO_CHANGES
    (tmp_path / "city_changes.csv").touch()
    assert get_settings().region_changes == tmp_path / "city_changes.csv"
