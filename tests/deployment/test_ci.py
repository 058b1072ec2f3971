"""In CI, what cannot be tested fails: a check that skips what is missing is green for nothing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def program(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)


def run(command: Path, programs: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(command)],
        env={"PATH": f"{programs}:{os.environ['PATH']}", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_check_of_ci_says_that_it_is_one(tmp_path: Path) -> None:
    program(tmp_path, "make", 'echo "CI=${CI:-} $*"')
    assert run(ROOT / ".ci" / "run", tmp_path).stdout == "CI=true test\n"


@pytest.mark.parametrize(("environment", "code"), [({}, 0), ({"CI": "true"}, 1)])
def test_a_server_that_cannot_be_installed_fails_ci_and_nobody_else(
    tmp_path: Path, environment: dict[str, str], code: int
) -> None:
    program(tmp_path, "id", "echo 1000")
    script = tmp_path / "install.sh"
    text = (ROOT / "scripts" / "install_test_servers.sh").read_text(encoding="utf-8")
    # A server of this name is on no machine.
    script.write_text(text.replace("command -v mariadbd", "command -v mariadbd-of-nobody"), encoding="utf-8")
    script.chmod(0o755)
    done = run(script, tmp_path, **environment)
    assert done.returncode == code
    assert "mariadb-server" in done.stderr
