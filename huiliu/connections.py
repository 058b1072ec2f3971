"""Where each named database and service is, and with which role: the one place that knows.

A name's own ``HUILIU_DSN_<NAME>`` wins (``:`` is written ``__``). Without it, the name lives on the server
of its family's chief connection if that one is set (`warehouse` for `warehouse:build`,
`front_writer:370602` for `front:370602001`), else on that of HUILIU_DSN_ADMIN, else on the embedded server;
role and password are Huiliu's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from huiliu import ports
from huiliu.errors import ConfigError
from huiliu.secret_store import secret, variable_name
from huiliu.settings import variable

__all__ = [
    "API_SOURCES",
    "Target",
    "dsn",
    "dsn_variable",
    "foreign_dsn",
    "overridden",
    "secret",
    "target",
    "url",
]

API_SOURCES = ("marriage_registry", "disabled_federation", "licence_register")
_SERVICES = ("source_api", "airflow")
_NAMES = (
    "admin, warehouse, warehouse:ingest|build|score|return|watch|collide|decide, airflow, source:<name>, "
    "source_owner:<name>, front:<9-, 6- or 4-digit code>, front_writer:<6- or 4-digit code>, "
    "department:<4-digit code>:<department>"
)


@dataclass(frozen=True)
class Target:
    """What a connection name means: a role in a database, and the connection whose server it shares."""

    role: str
    database: str
    chief: str


def target(name: str) -> Target:
    """Return role, database and chief of a connection name; ConfigError if there is no such name."""
    for pattern, make in _PATTERNS:
        match = re.fullmatch(pattern, name)
        if match:
            return make(*match.groups())
    raise ConfigError(f'There is no connection named "{name}"', fix=f"use one of: {_NAMES}")


def _front(code: str) -> Target:
    database = code if len(code) == 4 else code[:6]
    return Target(f"reader_{code}", f"front_{database}", f"front_writer:{database}")


_PATTERNS = (
    (r"admin", lambda: Target("postgres", "postgres", "admin")),
    (r"warehouse", lambda: Target("huiliu_owner", "warehouse", "warehouse")),
    (
        r"warehouse:(ingest|build|score|return|watch|collide|decide)",
        lambda part: Target(f"huiliu_{part}", "warehouse", "warehouse"),
    ),
    (r"airflow", lambda: Target("airflow", "airflow", "airflow")),
    (
        r"source:([a-z][a-z0-9_]*)",
        lambda it: Target(f"source_{it}_reader", f"source_{it}", f"source_owner:{it}"),
    ),
    (
        r"source_owner:([a-z][a-z0-9_]*)",
        lambda it: Target(f"source_{it}_owner", f"source_{it}", f"source_owner:{it}"),
    ),
    (r"front:(\d{9}|\d{6}|\d{4})", _front),
    (
        r"front_writer:(\d{6}|\d{4})",
        lambda code: Target(f"front_{code}_writer", f"front_{code}", f"front_writer:{code}"),
    ),
    (
        r"department:(\d{4}):([a-z][a-z0-9_]*)",
        lambda city, it: Target(f"department_{city}_{it}", f"front_{city}", f"front_writer:{city}"),
    ),
)


def dsn_variable(name: str) -> str:
    """Return the variable that overrides a connection: source:police -> HUILIU_DSN_SOURCE__POLICE."""
    return variable_name("DSN", name)


def overridden(name: str) -> str | None:
    """Return the connection string set for exactly this name, checked for form; None if there is none."""
    value = variable(dsn_variable(name))
    if value is None:
        return None
    try:
        parts = conninfo_to_dict(value)
    except ProgrammingError:
        parts = {}
    if not value.startswith(("postgresql://", "postgres://")) or not parts.get("host"):
        # The value is not shown: it holds a password.
        raise ConfigError(
            f"{dsn_variable(name)} is not a connection string",
            fix=f"write {dsn_variable(name)}=postgresql://user:password@host:port/database",
        )
    return value


def foreign_dsn(name: str, example: str) -> str:
    """Return the connection string of a database that is not PostgreSQL, password included: never log it.

    There is none but the one that is set: ConfigError, showing the example, if none is.
    """
    value = variable(dsn_variable(name))
    if value is None:
        raise ConfigError(f"{dsn_variable(name)} is not set", fix=f"write {example}")
    return value


def dsn(name: str) -> str:
    """Return the connection string of a name, password included: never log it."""
    meant = target(name)
    own = overridden(name)
    if own is not None:
        return own
    address = _address_of_server(meant)
    return f"postgresql://{meant.role}:{quote(secret(meant.role), safe='')}@{address}"


def _address_of_server(meant: Target) -> str:
    """Return what follows the @: hosts and ports, database, and parameters such as sslmode."""
    for name in dict.fromkeys((meant.chief, "admin")):
        value = overridden(name)
        if value is not None:
            # Not urlsplit: PostgreSQL allows several hosts, which it refuses if one is an IPv6 address.
            place, question_mark, parameters = value.partition("://")[2].partition("?")
            server, _, database = place.partition("/")
            database = database if name == meant.chief and database else meant.database
            return f"{server.rpartition('@')[2]}/{database}{question_mark}{parameters}"
    return f"127.0.0.1:{ports.port('postgres')}/{meant.database}"


def url(name: str) -> str:
    """Return the base address of an HTTP service (``marriage_registry``, ``airflow``), no trailing slash.

    The simulated sources answer on one server (``source_api``), each below a path of its own.
    """
    override = variable(variable_name("URL", name))
    if override is not None:
        return override.rstrip("/")
    if name in API_SOURCES:
        return f"{url('source_api')}/{name}"
    if name not in _SERVICES:
        known = ", ".join((*API_SOURCES, *_SERVICES))
        raise ConfigError(f'There is no service named "{name}"', fix=f"use one of: {known}")
    return f"http://127.0.0.1:{ports.port(name)}"
