"""What tags should say of each person, from the simulator's truth in pandas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd


class Truth:
    """The truth of a built city on a day; every answer is indexed by person id."""

    def __init__(self, home: Path, today: pd.Timestamp) -> None:
        self._home = home
        self.today = today
        self.month = today.replace(day=1)
        self.window = self.month - pd.DateOffset(months=11)
        self.person = self.read("person").set_index("person_id")

    def read(self, table: str) -> pd.DataFrame:
        return pd.read_parquet(self._home / "truth" / f"{table}.parquet")

    def doubted(self, *sources: str) -> set[int]:
        """People with a fault in one of these sources, or table ``<source>.<table>`` of them."""
        fault = self.read("fault")
        table = fault["source"] + "." + fault["table_name"]
        hit = fault["source"].isin(sources) | table.isin(sources)
        return set(fault.loc[hit, "person_id"].dropna().astype(int))

    def days(self, table: pd.DataFrame, column: str) -> pd.Series:
        return pd.to_datetime(table[column])

    def in_force(self, table: pd.DataFrame, started: str, ended: str) -> pd.DataFrame:
        """The rows that have begun and not ended; an end is the first day without."""
        end = self.days(table, ended)
        return table[(self.days(table, started) <= self.today) & (end.isna() | (end > self.today))]

    def count(self, table: pd.DataFrame, column: str = "person_id") -> pd.Series:
        counted = table[column].dropna().astype(int).value_counts()
        return counted.reindex(self.person.index, fill_value=0)

    @property
    def alive(self) -> pd.Series:
        return self.person["died_on"].isna()

    @property
    def age(self) -> pd.Series:
        born = self.days(self.person, "birth_date")
        had_birthday = (born.dt.month * 100 + born.dt.day) <= self.today.month * 100 + self.today.day
        return self.today.year - born.dt.year - 1 + had_birthday


@dataclass(frozen=True)
class Expected:
    """What a tag should say (NaN or absent: left open), and the sources of which a fault leaves it open."""

    value: Callable[[Truth], pd.Series]
    doubted_by: tuple[str, ...]


_REGISTERS = ("police", "health")


def _household_size(it: Truth) -> pd.Series:
    """Of residents; a household with somebody of whom a register is wrong, or who moved, is left open."""
    doubted = it.person.index.isin(it.doubted(*_REGISTERS) | set(it.read("move")["person_id"]))
    households = it.person["household_no"]
    resident = households[it.person["resident"] & ~households.isin(households[doubted])]
    return resident.map(resident.value_counts())


def _inpatient(it: Truth) -> pd.Series:
    rows = it.read("settlement")
    told = (it.days(rows, "reported_on") <= it.today) & (it.days(rows, "settled_on") >= it.window)
    return it.count(rows[told & ~rows["reversed"] & (rows["kind"] == "住院")])


def _bachelor(it: Truth) -> pd.Series:
    levels = ["大学专科", "大学本科", "硕士研究生", "博士研究生"]
    rows = it.read("degree")
    highest = rows["level"].map(levels.index).groupby(rows["person_id"]).max()
    return (highest == 1).reindex(it.person.index, fill_value=False)


def _drawing(it: Truth) -> pd.Series:
    rows = it.read("insurance")
    return it.count(rows[(rows["insurance_kind"] == "职工养老") & (rows["status"] == "领取")]) > 0


def _primary(it: Truth) -> pd.Series:
    rows = it.read("enrolment")
    return it.count(rows[(rows["status"] == "在读") & (rows["grade"] <= 6)]) > 0


def _moved(it: Truth) -> pd.Series:
    rows = it.read("move")
    return it.count(rows[(rows["move_type"] != "迁出") & (it.days(rows, "moved_on") >= it.window)]) > 0


def _allowance(it: Truth) -> pd.Series:
    rows = it.in_force(it.read("award"), "started_on", "ended_on")
    return it.count(rows[rows["subsidy_kind"] == "高龄津贴"]) > 0


def _homes(it: Truth) -> pd.Series:
    rows = it.read("property_title")
    return it.count(rows[rows["ended_on"].isna()].drop_duplicates(["person_id", "home_id"]))


def _vehicles(it: Truth) -> pd.Series:
    rows = it.read("vehicle")
    scrapped = it.days(rows, "scrapped_on")
    return it.count(rows[scrapped.isna() | (scrapped > it.today)], "owner_person_id")


def _headed(it: Truth) -> pd.Series:
    """Of firms, shops and cooperatives: other registers name their heads without a number."""
    kinds = it.read("organisation").set_index("organisation_id")["kind"]
    rows = it.in_force(it.read("officer"), "started_on", "ended_on")
    listed = rows["organisation_id"].map(kinds).isin(["企业", "个体工商户", "农民专业合作社"])
    heads = rows[listed & (rows["role"] == "法定代表人")]
    return it.count(heads.drop_duplicates(["person_id", "organisation_id"]))


EXPECTED: dict[str, Expected] = {
    "is_minor": Expected(lambda it: it.alive & (it.age < 18), _REGISTERS),
    "is_elderly": Expected(lambda it: it.alive & (it.age >= 60), _REGISTERS),
    "is_childbearing_age": Expected(
        lambda it: it.alive & (it.person["sex"] == "2") & it.age.between(15, 49), _REGISTERS
    ),
    "is_ethnic_minority": Expected(lambda it: it.person["nation"] != "01", _REGISTERS),
    "household_size": Expected(_household_size, _REGISTERS),
    "has_rural_hukou": Expected(lambda it: it.person["hukou_type"] == "1", _REGISTERS),
    "is_resident": Expected(lambda it: it.person["resident"], _REGISTERS),
    "moved_home_12_months": Expected(_moved, _REGISTERS),
    "draws_employees_pension": Expected(_drawing, ("social_security",)),
    "inpatient_count_12_months": Expected(_inpatient, ("medical_insurance",)),
    "has_age_allowance": Expected(_allowance, ("civil_affairs.subsidy_award",)),
    "is_primary_pupil": Expected(_primary, ("education",)),
    "has_bachelor_degree": Expected(_bachelor, ("education",)),
    "home_count": Expected(_homes, ("real_estate",)),
    "headed_count": Expected(_headed, ("market_regulation",)),
    "vehicle_count": Expected(_vehicles, ("transport",)),
}
