"""The rates of ``rates.yml`` and of each domain, checked: a misspelt name is an error."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from huiliu.errors import ConfigError

Share = Annotated[float, Field(ge=0, le=1)]
Kind = Literal["blank", "wrong", "id15", "full_width", "format"]
_FILE = Path(__file__).with_name("rates.yml")
_DOMAINS = Path(__file__).with_name("domains")
_Form = TypeVar("_Form", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CityRates(_Strict):
    """How the city is at the start."""

    rural_hukou: Share
    history_dead: Share
    history_left: Share
    household_moved: Share
    household_moved_in: Share
    divorced: Share
    veteran_turning_sixty: Share
    firms: Share
    payment_months: Annotated[int, Field(ge=0, le=24)]


class DailyRates(_Strict):
    """What happens in a day."""

    births: Share
    deaths: Share
    moves_within: Share
    moves_out: Share
    moves_in: Share
    marriages: Share
    divorces: Share
    new_phones: Share
    job_changes: Share
    new_jobs: Share
    benefit_changes: Share
    insurance_changes: Share
    new_awards: Share
    award_ends: Share
    new_cases: Share
    case_ends: Share
    voided_payments: Share
    voided_jobs: Share
    new_firms: Share
    firm_changes: Share
    repeated_rows: Share
    removed_repeats: Share
    corrected_faults: Share


class Lateness(_Strict):
    """How often, and by how many days at most, events reach a source late."""

    days: Annotated[int, Field(ge=1)]
    birth: Share
    death_one_source: Share
    death_never: Share
    move: Share
    marriage: Share
    payment: Share
    employment: Share


class TableDirt(_Strict):
    """Faults of one table: column -> kind -> share of rows."""

    identity: dict[str, dict[Kind, Share]]
    values: dict[str, dict[Kind, Share]]
    duplicate: Share = 0.0
    contradictory: dict[str, Share] = {}


class Rates(_Strict):
    """All rates; ``domains`` holds those of each domain by its name."""

    city: CityRates
    daily: DailyRates
    lateness: Lateness
    dirt: dict[str, TableDirt]
    domains: dict[str, dict[str, float]] = {}

    def of(self, domain: str) -> dict[str, float]:
        """Return the rates of a domain."""
        return self.domains[domain]


class DomainRates(_Strict):
    """The file of a domain: its rates by name, and the dirt of its tables."""

    rates: dict[str, float] = {}
    dirt: dict[str, TableDirt] = {}


@cache
def load(path: Path = _FILE, domains: Path = _DOMAINS) -> Rates:
    """Read the rates of the city and of its domains; ConfigError names the entry that is wrong."""
    city = _read(path, Rates)
    of_domains = {file.stem: _read(file, DomainRates) for file in sorted(domains.rglob("*.yml"))}
    dirt = {table: faults for domain in of_domains.values() for table, faults in domain.dirt.items()}
    return city.model_copy(
        update={
            "dirt": city.dirt | dirt,
            "domains": {name: domain.rates for name, domain in of_domains.items()},
        }
    )


def _read(path: Path, form: type[_Form]) -> _Form:
    content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        return form.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            f"{path.name}: {where}: {first['msg']}", fix=f"correct {where} in {path.name}"
        ) from error
