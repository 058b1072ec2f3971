"""Medicine, social security and schooling as the themes tell them, against the truth, in pandas."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from huiliu import business_date
from huiliu.database import connect

MONTH_SUMS = ["outpatient_count", "inpatient_count", "amount", "self_paid"]
# Own payments a year from which spending is catastrophic: everybody's, and those of supported people.
THRESHOLDS = {2025: (16000, 8000), 2026: (17000, 8500)}
LEVELS = ["大学专科", "大学本科", "硕士研究生", "博士研究生"]


class City:
    """The truth of the built city, and who may be known otherwise because of a fault."""

    def __init__(self, home: Path) -> None:
        self._home = home
        with connect("warehouse") as connection:
            self.today = pd.Timestamp(business_date.get(connection))
        self.person = self.read("person").set_index("person_id")
        self._fault = self.read("fault")

    def read(self, table: str) -> pd.DataFrame:
        return pd.read_parquet(self._home / "truth" / f"{table}.parquet")

    def lost(self, source: str, table: str) -> set[str]:
        """Keys of rows that nobody can be told from: their number is blank or wrong."""
        found = self._of(source, table)
        spoilt = found["column_name"].eq("pid") & found["kind"].isin(["blank", "wrong"])
        return set(found.loc[spoilt, "row_key"])

    def touched(self, *tables: str) -> set[int]:
        """Ids of persons whom a fault of a table touches."""
        names = self._fault["source"] + "." + self._fault["table_name"]
        return set(self._fault.loc[names.isin(tables), "person_id"].dropna().astype(int))

    def misplaced(self, *tables: str) -> set[int]:
        """Ids of persons whom faults of tables may hide, put elsewhere, or give another amount."""
        fault = self._fault
        mine = (fault["source"] + "." + fault["table_name"]).isin(tables)
        column = fault["column_name"]
        telling = column.isin(["pid", "village_code", "monthly_benefit"]) & fault["kind"].isin(
            ["blank", "wrong"]
        )
        unheard = column.isna() & fault["kind"].isin(["late", "contradictory"])
        return set(fault.loc[mine & (telling | unheard), "person_id"].dropna().astype(int))

    def _of(self, source: str, table: str) -> pd.DataFrame:
        return self._fault[(self._fault["source"] == source) & (self._fault["table_name"] == table)]

    def in_force(self, rows: pd.DataFrame, started: str, ended: str) -> pd.Series:
        end = pd.to_datetime(rows[ended])
        return (pd.to_datetime(rows[started]) <= self.today) & (end.isna() | (end > self.today))


@pytest.fixture(scope="module")
def truth(built_city: Path) -> City:
    return City(built_city)


def _model(name: str) -> pd.DataFrame:
    """A theme table; persons by their number."""
    with connect("warehouse") as connection, connection.cursor() as cursor:
        cursor.execute("select person_key, pid from base.base_population__person where pid is not null")
        numbers: dict[object, str] = dict(cursor.fetchall())
        cursor.execute(f"select * from theme.{name}")  # noqa: S608 - names of this file
        columns = [it.name for it in cursor.description or ()]
        found = pd.DataFrame(cursor.fetchall(), columns=columns)
    if "person_key" in columns:
        found["pid"] = found["person_key"].map(numbers)
    return found


@pytest.fixture(scope="module")
def settlement(truth: City) -> pd.DataFrame:
    """The settlements that count; `pid` is null where nobody can tell whose they are."""
    lost = truth.lost("medical_insurance", "settlement")
    rows = truth.read("settlement")
    rows = rows[pd.to_datetime(rows["reported_on"]) <= truth.today]
    rows = rows[~rows["reversed"]]
    rows = rows.assign(
        pid=rows["person_id"].map(truth.person["pid"]).mask(rows["settlement_no"].isin(lost)),
        settled=pd.to_datetime(rows["settled_on"]),
        amount=rows["fund_paid"] + rows["self_paid"],
        outpatient_count=(rows["kind"] == "门诊").astype(int),
        inpatient_count=(rows["kind"] == "住院").astype(int),
    )
    assert len(rows) > 3000
    assert rows["pid"].isna().any()
    return rows.assign(month=rows["settled"].dt.strftime("%Y%m"), year=rows["settled"].dt.year)


def _equal(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    assert len(expected) > 0
    pd.testing.assert_frame_equal(
        found.astype(float).sort_index(), expected.astype(float).sort_index(), check_names=False, atol=0.005
    )


def test_a_persons_month_holds_what_was_settled_for_them(settlement: pd.DataFrame) -> None:
    found = _model("theme_medical_health__person_month").set_index(["pid", "month"])
    _equal(found[MONTH_SUMS], settlement.groupby(["pid", "month"])[MONTH_SUMS].sum())


def test_a_facilitys_month_holds_what_it_settled(truth: City, settlement: pd.DataFrame) -> None:
    found = _model("theme_medical_health__facility_month").set_index(["facility_code", "month"])
    found = found[found["outpatient_count"] + found["inpatient_count"] > 0]
    grouped = settlement.groupby(["facility_code", "month"])
    _equal(found[MONTH_SUMS], grouped[MONTH_SUMS].sum())
    assert (found["patient_count"].sort_index() == grouped["pid"].nunique().sort_index()).all()
    facility = truth.read("facility").set_index("facility_code")
    assert set(found.index.get_level_values(0)) <= set(facility.index)
    told = found[found["facility_level"].notna()].reset_index()
    assert len(told) > 0.5 * len(found)
    assert (told["facility_level"] == told["facility_code"].map(facility["level"])).all()


def _supported(truth: City, year: int) -> set[str]:
    """Numbers of those in assistance or on the watch list on any day of a year."""
    assisted, monitored = truth.read("assisted"), truth.read("monitored")
    people: set[int] = set()
    for rows, started, ended in (
        (assisted, "approved_on", "ended_on"),
        (monitored, "identified_on", "cleared_on"),
    ):
        end = pd.to_datetime(rows[ended])
        during = (pd.to_datetime(rows[started]) < pd.Timestamp(year + 1, 1, 1)) & (
            end.isna() | (end > pd.Timestamp(year, 1, 1))
        )
        people |= set(rows.loc[during, "person_id"])
    return set(truth.person.loc[list(people), "pid"])


def test_catastrophic_spending_is_above_the_years_threshold(truth: City, settlement: pd.DataFrame) -> None:
    found = _model("theme_medical_health__person_year").set_index(["pid", "year"])
    paid = settlement.groupby(["pid", "year"])["self_paid"].sum()
    assert (found["self_paid"].astype(float) - paid).abs().max() < 0.005
    unsure = truth.touched(
        "rural_revitalisation.monitored_person",
        "civil_affairs.assisted_person",
        "civil_affairs.assisted_household",
    )
    monitored = truth.read("monitored")
    unsure |= set(monitored.loc[~monitored["has_number"], "person_id"])
    # A case whose own row is spoilt leaves the whole household in doubt.
    homes = truth.person.loc[list(unsure), "household_no"]
    numbers = set(truth.person.loc[truth.person["household_no"].isin(homes), "pid"])
    supported, checked = {year: _supported(truth, year) for year in THRESHOLDS}, 0
    assert supported[2025] != supported[2026]
    for row in found.reset_index().to_dict("records"):
        pid, year = row["pid"], row["year"]
        if pid in numbers:
            continue
        is_supported = pid in supported[year]
        threshold = THRESHOLDS[year][is_supported]
        assert (row["is_supported"], float(row["threshold"])) == (is_supported, threshold)
        assert row["is_catastrophic"] == (paid[pid, year] > threshold)
        assert pd.notna(row["crossed_on"]) == row["is_catastrophic"]
        checked += row["is_catastrophic"]
    assert checked > 10


def test_a_township_insures_the_residents_who_are_insured(truth: City) -> None:
    insurance = truth.read("insurance")
    doubtful = truth.misplaced(
        "social_security.insurance", "police.resident", "police.move", "police.cancellation", "health.death"
    )
    # A move leaves people who could be counted in either place.
    move = truth.read("move")
    doubtful |= set(move["person_id"])
    places = defaultdict(set, truth.person["township_code"].map(lambda code: {code}).to_dict())
    for column in ("from_village_code", "to_village_code"):
        for person, village in move[["person_id", column]].dropna().itertuples(index=False):
            places[person] = places[person] | {village[:9]}
    perhaps = Counter(
        (township, row.insurance_kind)
        for row in insurance[insurance["person_id"].isin(doubtful)].itertuples()
        for township in places[row.person_id]
    )
    sure = insurance[~insurance["person_id"].isin(doubtful)]
    sure = sure[sure["person_id"].map(truth.person["resident"])]
    sure = sure.assign(township=sure["person_id"].map(truth.person["township_code"]))
    insured = _model("theme_social_security__township_insured").to_dict("records")
    found = {(row["township_code"], row["insurance_kind"]): row for row in insured}
    exact = 0
    for group, rows in sure[sure["status"] != "停保"].groupby(["township", "insurance_kind"]):
        place, row = (str(group[0]), str(group[1])), found[str(group[0]), str(group[1])]
        for status, told in (("参保", row["paying_count"]), ("领取", row["drawing_count"])):
            certain = (rows["status"] == status).sum()
            assert certain <= told <= certain + perhaps[place]
        drawn = rows.loc[rows["status"] == "领取", "monthly_benefit"].sum()
        assert float(row["monthly_benefit"]) > drawn - 0.005
        if not perhaps[place]:
            assert abs(float(row["monthly_benefit"]) - drawn) < 0.005
            exact += 1
    assert exact > 20


def test_disability_is_that_of_certificates_in_force(truth: City) -> None:
    rows = truth.read("certificate")
    rows = rows.assign(until=pd.to_datetime(rows["valid_until"]) + pd.Timedelta(days=1))
    rows["ended"] = rows[["until"]].assign(revoked=pd.to_datetime(rows["revoked_on"])).min(axis=1)
    rows = rows[truth.in_force(rows, "issued_on", "ended")]
    rows = rows[~rows["person_id"].isin(truth.touched("disabled_federation.certificate"))]
    found = _model("theme_social_security__support").dropna(subset="pid").set_index("pid")
    expected = rows.set_index(rows["person_id"].map(truth.person["pid"]))["grade"]
    assert len(expected) > 50
    assert found.loc[expected.index, "is_disabled"].all()
    assert (found.loc[expected.index, "disability_grade"] == expected).all()
    sure = truth.person.loc[
        list(set(truth.person.index) - truth.touched("disabled_federation.certificate")), "pid"
    ]
    disabled = set(found.index[found["is_disabled"]])
    assert disabled & set(sure) == set(expected.index)


def test_severely_disabled_people_without_the_subsidy_are_to_be_asked_about(truth: City) -> None:
    award = truth.read("award")
    award = award[truth.in_force(award, "started_on", "ended_on") & (award["subsidy_kind"] == "残疾补贴")]
    unsure = truth.touched("civil_affairs.subsidy_award", "disabled_federation.certificate")
    unsure_numbers = set(truth.person.loc[list(unsure), "pid"])
    subsidised = set(award["person_id"].map(truth.person["pid"]))
    asked = 0
    for row in _model("theme_social_security__support").dropna(subset="pid").to_dict("records"):
        if row["pid"] in unsure_numbers:
            continue
        severe = row["disability_grade"] in ("1", "2")
        missing = severe and row["pid"] not in subsidised
        assert ("severe_disability_without_subsidy" in row["to_ask"]) == missing
        asked += missing
    assert asked > 3


def test_people_without_a_number_are_kept_apart(truth: City) -> None:
    rows = truth.read("monitored").set_index("person_no")
    found = _model("theme_social_security__entitlement")
    found = found[found["kind"] == "防返贫监测"].set_index("record_no")
    assert set(rows.index) <= set(found.index)
    numberless = rows.index[~rows["has_number"]]
    assert len(numberless) > 3
    assert not found.loc[numberless, "has_number"].any()
    assert found.loc[numberless, "identifier_key"].is_unique


@pytest.fixture(scope="module")
def roll(truth: City) -> pd.DataFrame:
    """The last roll of each child that covers this school year; without a readable number, a child apart."""
    rows = truth.read("enrolment")
    lost = rows["enrolment_no"].isin(truth.lost("education", "enrolment"))
    begun = pd.Timestamp(truth.today.year - (truth.today.month < 9), 9, 1)
    ended = pd.to_datetime(rows["ended_on"])
    pid = rows["person_id"].map(truth.person["pid"])
    rows = rows.assign(pid=pid.mask(lost), child=pid.mask(lost, rows["enrolment_no"]))
    rows = rows[ended.isna() | (ended > begun)]
    rows["open"] = rows["status"] == "在读"
    assert rows["pid"].isna().any()
    return rows.sort_values(["open", "entered_on"]).drop_duplicates("child", keep="last")


def test_a_child_has_one_open_roll_and_the_right_school_and_grade(truth: City, roll: pd.DataFrame) -> None:
    found = _model("theme_education__pupil_year")
    found = found[found["has_number"]]
    roll = roll.dropna(subset="pid")
    year = truth.today.year - (truth.today.month < 9)
    now = found[found["school_year"] == year].set_index("pid")
    assert now.index.is_unique
    assert set(now.index) == set(roll["pid"])
    expected = roll.set_index("pid").loc[now.index]
    assert (now["is_open"] == expected["open"]).all()
    assert (now["open_count"] == expected["open"].astype(int)).all()
    assert (now["school_code"] == expected["school_code"]).all()
    known = now["grade"].notna()
    assert known.sum() > 150
    assert (now.loc[known, "grade"].astype(int) == expected.loc[known, "grade"]).all()


def test_townships_count_the_pupils_of_their_schools(truth: City, roll: pd.DataFrame) -> None:
    year = truth.today.year - (truth.today.month < 9)
    school = _model("theme_education__school_year")
    school = school[school["school_year"] == year].set_index("school_code")
    assert school["pupil_count"].to_dict() == roll["school_code"].value_counts().to_dict()
    places = truth.read("school").set_index("school_code")
    known = school[school["township_code"].notna()]
    assert (known["township_code"] == places.loc[known.index, "township_code"]).all()
    township = _model("theme_education__township_year")
    township = township[township["school_year"] == year]
    assert township["pupil_count"].sum() == len(roll)
    summed = school.groupby("township_year")["pupil_count"].sum()
    assert township.groupby("township_year")["pupil_count"].sum().to_dict() == summed.to_dict()


def test_children_on_no_roll_are_found(truth: City) -> None:
    begins = truth.today.year - (truth.today.month < 9)
    person = truth.person
    born = pd.to_datetime(person["birth_date"])
    age = (born < pd.Timestamp(begins - 6, 9, 1)) & (born >= pd.Timestamp(begins - 15, 9, 1))
    rows = truth.read("enrolment")
    enrolled = set(rows.loc[rows["status"] == "在读", "person_id"])
    expected = set(person.index[age & person["resident"]]) - enrolled
    doubtful = truth.touched("education.enrolment", "police.resident", "police.cancellation", "health.death")
    doubtful |= truth.touched("police.household_member", "health.birth", "police.move")
    numbers = {pid: person_id for person_id, pid in person["pid"].items()}
    found = {numbers[pid] for pid in _model("theme_education__out_of_school")["pid"].dropna()}
    assert found - doubtful == expected - doubtful
    assert len(found & expected) > 1


def test_the_highest_degree_stands(truth: City) -> None:
    rows = truth.read("degree")
    rows = rows[~rows["certificate_no"].isin(truth.lost("education", "degree"))]
    best = rows["level"].map(LEVELS.index).groupby(rows["person_id"].map(truth.person["pid"])).max()
    found: Any = _model("theme_education__attainment").set_index("pid")["level"].map(LEVELS.index)
    assert found.to_dict() == best.to_dict()
    assert len(best) > 200
