"""The veterans' verdicts from the simulator's truth alone, in pandas; shares no code with the models."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

CONDITIONS = (
    "age_60",
    "rural_hukou",
    "enlistment_time",
    "no_employee_pension",
    "no_regular_benefit",
    "alive",
)
# Tables whose faults about a person, or whose unattributable rows of a namesake, may leave a condition open.
TABLES = {
    "age_60": {"police.resident", "veterans.service_record", "health.birth"},
    "rural_hukou": {"police.resident", "police.move", "police.cancellation"},
    "enlistment_time": {"veterans.service_record"},
    "no_employee_pension": {"social_security.insurance"},
    "no_regular_benefit": {"civil_affairs.subsidy_award"},
    "alive": {"police.resident", "police.cancellation", "police.move", "health.death"},
}


@dataclass(frozen=True)
class Truth:
    """`facts`: a row a veteran (index person_id), a boolean column a condition, `has_left`, `name` and `pid`.

    `touched[condition]`: ids of persons whom a recorded fault of a table of that condition touches.
    `nameless[condition]`: names that stand on rows of those tables without a usable number.
    `unattributable`: veterans all of whose ledger rows lost their number.
    """

    facts: pd.DataFrame
    touched: dict[str, set[int]]
    nameless: dict[str, set[str]]
    unattributable: set[int]


def _read(home: Path, table: str) -> pd.DataFrame:
    return pd.read_parquet(home / "truth" / f"{table}.parquet")


def _on_or_before(days: pd.Series, day: date) -> pd.Series:
    return pd.to_datetime(days) <= pd.Timestamp(day)


def read_truth(home: Path, day: date) -> Truth:
    """Read the truth of a home as of a day."""
    person = _read(home, "person").set_index("person_id")
    service = _read(home, "service").drop_duplicates("person_id").set_index("person_id")
    facts = person.loc[service.index, ["pid", "name"]].copy()
    facts["has_left"] = person.loc[service.index, "left_on"].notna()
    born = pd.to_datetime(person.loc[service.index, "birth_date"])
    facts["age_60"] = born <= pd.Timestamp(day) - pd.DateOffset(years=60)
    facts["rural_hukou"] = person.loc[service.index, "hukou_type"] == "1"
    enlisted = pd.to_datetime(service["enlisted_on"])
    in_window = (enlisted >= "1954-11-01") & (enlisted <= "2011-10-31")
    facts["enlistment_time"] = in_window & service["discharge_kind"].isin(["义务兵退役", "士官复员"])
    facts["no_employee_pension"] = ~facts.index.isin(_with_pension(home))
    facts["no_regular_benefit"] = ~facts.index.isin(_with_benefit(home, day))
    died = person.loc[service.index, "died_on"]
    facts["alive"] = ~(died.notna() & _on_or_before(died, day))
    fault = _read(home, "fault")
    fault["table"] = fault["source"] + "." + fault["table_name"]
    lost = fault[fault["column_name"].fillna("").str.endswith("pid") & fault["kind"].isin(["blank", "wrong"])]
    lost = lost.assign(name=lost["person_id"].map(person["name"]))
    ledger_lost = lost.loc[lost["table"] == "veterans.service_record", "person_id"]
    return Truth(
        facts,
        {name: set(fault.loc[fault["table"].isin(tables), "person_id"]) for name, tables in TABLES.items()},
        {name: set(lost.loc[lost["table"].isin(tables), "name"]) for name, tables in TABLES.items()},
        set(ledger_lost),
    )


def _with_pension(home: Path) -> pd.Series:
    insurance = _read(home, "insurance")
    drawn = insurance["status"].isin(["参保", "领取"]) & (insurance["insurance_kind"] == "职工养老")
    return insurance.loc[drawn, "person_id"]


def _with_benefit(home: Path, day: date) -> pd.Series:
    award = _read(home, "award")
    in_force = _on_or_before(award["started_on"], day) & ~(
        award["ended_on"].notna() & _on_or_before(award["ended_on"], day)
    )
    return award.loc[in_force & (award["subsidy_kind"] == "定期抚恤"), "person_id"]
