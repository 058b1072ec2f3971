"""Every setting of Huiliu, read from the environment and from ``.env`` in the project folder.

No other module reads the environment. Connection strings and secrets have open-ended names, so they are not
fields: ``variable`` looks them up in the same two places (``HUILIU_DSN_…``, ``HUILIU_SECRET_…``,
``HUILIU_URL_…``).
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from dotenv import dotenv_values
from pydantic import AfterValidator, AliasChoices, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from huiliu.errors import ConfigError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
NO_CHANGES = PROJECT_ROOT / "reference" / "regions" / "no_changes.csv"

# Relative paths mean the caller's folder; services are started from other folders, so they are fixed here.
AnyPath = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]
Port = Annotated[int, Field(ge=1, le=65535)]


class Settings(BaseSettings):
    """What an operator may set; each field is ``HUILIU_<NAME>``, and an empty value means the default."""

    model_config = SettingsConfigDict(
        env_prefix="HUILIU_", env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True
    )

    home: AnyPath = Field(
        default=PROJECT_ROOT / ".huiliu",
        description="Folder of all state: database, secrets, logs, simulated sources",
    )
    regions: AnyPath = Field(
        default=PROJECT_ROOT / "reference" / "regions" / "yantai.csv",
        description="Region codes of the city: CSV of code,name,level,parent_code",
    )
    region_changes_file: AnyPath | None = Field(
        default=None,
        validation_alias=AliasChoices("HUILIU_REGION_CHANGES", "region_changes_file"),
        description="Abolished codes and their successors; by default <regions>_changes.csv beside the codes",
    )
    city: Annotated[str, Field(pattern=r"^\d{4}(\d{8})?$")] | None = Field(
        default=None, description="Which city, by its 4- or 12-digit code, if the region codes hold several"
    )
    registry_file: AnyPath | None = Field(
        default=None,
        validation_alias=AliasChoices("HUILIU_REGISTRY", "registry_file"),
        description="A real enterprise register (GB18030 CSV) to read instead of the synthetic one",
    )
    known_hosts_file: AnyPath | None = Field(
        default=None,
        validation_alias=AliasChoices("HUILIU_KNOWN_HOSTS", "known_hosts_file"),
        description="Host keys of the SFTP servers that may be read, as ssh-keyscan writes them; by default"
        " $HUILIU_HOME/known_hosts",
    )
    bind: str = Field(
        default="127.0.0.1", description="Address on which Airflow and the simulated APIs listen"
    )
    postgres_port: Port = Field(
        default=54320,
        description="Preferred port of the embedded PostgreSQL; a free one is chosen if it is taken",
    )
    airflow_port: Port = Field(
        default=8080, description="Preferred port of Airflow; a free one is chosen if it is taken"
    )
    source_api_port: Port = Field(
        default=8090,
        description="Preferred port of the simulated sources' HTTP APIs; a free one is chosen if it is taken",
    )
    results_kept_days: Annotated[int, Field(ge=400)] = Field(
        default=1200,
        description="Days, by the business date, that scores and results of rules are kept, for trends",
    )
    failed_rows_kept_days: Annotated[int, Field(ge=30)] = Field(
        default=180, description="Days, by the business date, that failing rows are kept"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Least severity that is logged"
    )

    @property
    def project_root(self) -> Path:
        """Folder that holds this project's code, specs and dbt project."""
        return PROJECT_ROOT

    @property
    def region_changes(self) -> Path:
        """Abolished codes: the file set, else the one beside the region codes, else a file without rows."""
        if self.region_changes_file is not None:
            return self.region_changes_file
        beside = self.regions.with_name(f"{self.regions.stem}_changes.csv")
        return beside if beside.exists() else NO_CHANGES

    @property
    def known_hosts(self) -> Path:
        """Host keys of SFTP servers: the file set, else the one in HUILIU_HOME."""
        return self.known_hosts_file or self.home / "known_hosts"

    def as_environment(self) -> dict[str, str]:
        """Return the settings as environment variables, paths absolute, for processes started elsewhere."""
        values = {
            environment_name(field): str(value)
            for field in type(self).model_fields
            if (value := getattr(self, field)) is not None
        }
        return dict(sorted(values.items()))


def environment_name(field: str) -> str:
    """Return the environment variable of a settings field."""
    alias = Settings.model_fields[field].validation_alias
    if isinstance(alias, AliasChoices):
        return str(alias.choices[0])
    return f"HUILIU_{field.upper()}"


def _env_file() -> Path | None:
    """Return the ``.env`` to read: HUILIU_ENV_FILE (empty: none), by default the project folder's."""
    named = os.environ.get("HUILIU_ENV_FILE")
    if named is None:
        return PROJECT_ROOT / ".env"
    return Path(named) if named else None


@cache
def _env_file_values() -> dict[str, str | None]:
    path = _env_file()
    return dict(dotenv_values(path)) if path is not None and path.exists() else {}


def variable(name: str) -> str | None:
    """Return an environment variable, else its value in ``.env``; None if unset or empty."""
    return os.environ.get(name) or _env_file_values().get(name) or None


@cache
def get_settings() -> Settings:
    """Return the settings (read once); ConfigError names a variable that is wrong."""
    try:
        return Settings(_env_file=_env_file())
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        name = field if field.startswith("HUILIU_") else environment_name(field)
        raise ConfigError(
            f"Setting {name} is wrong: {first['msg']}", fix=f"correct {name} in the environment or in .env"
        ) from error


def forget_settings() -> None:
    """Read the environment again at the next use (tests change it)."""
    get_settings.cache_clear()
    _env_file_values.cache_clear()
