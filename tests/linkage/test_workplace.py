"""What a step copies out of the warehouse is nobody else's to read, and does not outlive the next step."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from linkage.workplace import private_folder
from tests.homes import use_home


def test_the_folder_is_private_and_gone_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_home(monkeypatch, tmp_path)
    with private_folder("step") as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert folder.is_relative_to(tmp_path)
    assert not folder.exists()


def test_what_a_killed_step_left_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_home(monkeypatch, tmp_path)
    left = tmp_path / "linkage" / "step"
    left.mkdir(parents=True)
    (left / "person.csv").write_text("a number")
    with private_folder("step") as folder:
        assert list(folder.iterdir()) == []
