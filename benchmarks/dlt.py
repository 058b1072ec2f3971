"""dlt, the peer of full loads: in an environment of its own, as it is no dependency of the project."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.finding import NotMeasuredError
from huiliu.database import connect

_ROOT = Path(__file__).resolve().parent.parent
_HOME = _ROOT / ".venv-bench"
_LOCK = Path(__file__).with_name("dlt_peer") / "requirements.lock"
_SCRIPT = Path(__file__).with_name("dlt_peer") / "load.py"
_PYTHON = _HOME / "bin" / "python"
_BACKENDS = ("connectorx", "pyarrow")  # its two fast ones


def load(source: str, native: str, target: str, rows: int) -> dict[str, float]:
    """Load the table `wide` of a source once with each backend; return the seconds. The URLs hold passwords.

    Raises NotMeasuredError if dlt cannot be installed, or fails.
    """
    _install()
    environment = {
        **os.environ,
        "BENCH_SOURCE": source,
        "BENCH_NATIVE": native,
        "BENCH_TARGET": target,
    }
    return {backend: _load(backend, environment, rows) for backend in _BACKENDS}


def _load(backend: str, environment: dict[str, str], rows: int) -> float:
    with connect("admin", autocommit=True) as conn:
        conn.execute("checkpoint")
    output = _run([str(_PYTHON), str(_SCRIPT), backend], environment, f"dlt with {backend} failed")
    landed, seconds = output.splitlines()[-1].split()
    if int(landed) != rows:
        raise NotMeasuredError(f"dlt with {backend} landed {landed} of {rows} rows")
    return float(seconds)


def _install() -> None:
    stamp = _HOME / ".installed"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == _LOCK.read_text(encoding="utf-8"):
        return
    uv = str(Path(sys.executable).with_name("uv"))
    index = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    environment = {**({"UV_DEFAULT_INDEX": index} if index else {}), **os.environ}
    failed = "dlt cannot be installed"
    _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(_HOME)], environment, failed)
    sync = [uv, "pip", "sync", "--quiet", "--python", str(_PYTHON), "--require-hashes", str(_LOCK)]
    _run(sync, environment, failed)
    stamp.write_text(_LOCK.read_text(encoding="utf-8"), encoding="utf-8")


def _run(command: list[str], environment: dict[str, str], failed: str) -> str:
    outcome = subprocess.run(  # noqa: S603 - uv and our own script, no shell
        command, env=environment, capture_output=True, text=True, check=False
    )
    if outcome.returncode != 0:
        sys.stderr.write(outcome.stderr[-2000:])  # not into the results: it may quote addresses
        raise NotMeasuredError(f"{failed} (it ended with {outcome.returncode})")
    return outcome.stdout
