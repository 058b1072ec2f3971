"""Passwords and keys, made once by chance and kept in ``$HUILIU_HOME/secrets.json`` (0600). Never logged."""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets as chance
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from huiliu.errors import ConfigError
from huiliu.settings import get_settings, variable


def variable_name(kind: str, name: str) -> str:
    """Return the overriding variable: ('SECRET', 'huiliu_owner') -> HUILIU_SECRET_HUILIU_OWNER."""
    return f"HUILIU_{kind}_" + re.sub(r"[^A-Z0-9]", "_", name.upper().replace(":", "__"))


def secret(name: str) -> str:
    """Return a secret: the environment's, else the kept one, else a new one that is kept from now on."""
    return ensure([name])[name]


def ensure(names: Iterable[str]) -> dict[str, str]:
    """Return many secrets at once, making those that do not exist yet; one write in all."""
    wanted = list(names)
    found = {name: value for name in wanted if (value := variable(variable_name("SECRET", name)))}
    others = [name for name in wanted if name not in found]
    if not others:
        return found
    kept = _read()
    if any(name not in kept for name in others):
        kept = _make(others)
    return found | {name: kept[name] for name in others}


def _path() -> Path:
    return get_settings().home / "secrets.json"


def _read() -> dict[str, str]:
    path = _path()
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except PermissionError as error:
        raise ConfigError(
            f"The secrets in {path} may not be read by this user",
            fix="run as the user who made HUILIU_HOME, or set another HUILIU_HOME",
        ) from error
    try:
        kept: dict[str, str] = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"The secrets in {path} are not valid JSON", fix="restore the file from a backup"
        ) from error
    return kept


def _make(names: list[str]) -> dict[str, str]:
    with home_lock("secrets"):
        kept = _read()
        for name in names:
            kept.setdefault(name, chance.token_urlsafe(24))
        path = _path()
        partial = path.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(kept, file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    return kept


@contextmanager
def home_lock(name: str) -> Iterator[None]:
    """Hold a lock among the processes of one HUILIU_HOME; it ends with the process that holds it."""
    home = make_home()
    with (home / f".{name}.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make_home() -> Path:
    """Return HUILIU_HOME, made if missing; root's can be passed through, as its server runs as nobody."""
    home = get_settings().home
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        home.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, exist_ok=True)
    return home
