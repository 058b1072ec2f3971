"""Public credit against the simulator's truth: whose the records are, and scores computed again by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from huiliu.settings import get_settings
from tests.models.test_legal_persons import read, read_truth

SEEDS = get_settings().project_root / "dbt_project" / "seeds" / "base"


@pytest.fixture(scope="module")
def record(built_city: Path) -> pd.DataFrame:
    """The true records, with the code or number of their subjects."""
    records = read_truth(built_city, "credit_record")
    organisation = read_truth(built_city, "organisation").set_index("organisation_id")
    person = read_truth(built_city, "person").set_index("person_id")
    code = records["organisation_id"].map(organisation["uscc"])
    return records.assign(uscc=code, pid=records["person_id"].map(person["pid"]))


def test_records_are_attributed_to_their_subjects(built_city: Path, record: pd.DataFrame) -> None:
    known = read(
        "select record.record_no, record.organisation_key, record.resolved_by, person.pid"
        " from base.base_credit__record as record"
        " left join base.base_population__person as person using (person_key)"
    ).set_index("record_no")
    both = record.set_index("record_no").join(known, rsuffix="_said", how="inner")
    firms = both[both["uscc"].notna()]
    said = firms["organisation_key"]
    assert (said.isna() | (said == firms["uscc"])).all()
    # Where the code fails the name decides: unless it is spoilt, too.
    fault = read_truth(built_city, "fault")
    spoilt = fault[
        (fault["source"] == "credit") & fault["column_name"].isin(["subject_code", "subject_name"])
    ]
    assert set(firms.index[said.isna()]) <= set(spoilt["row_key"])
    assert said.notna().mean() >= 0.95
    assert {"uscc", "registration_no", "name"} <= set(firms["resolved_by"].dropna())
    people = both[both["pid"].notna() & both["pid_said"].notna()]
    assert len(people)
    assert (people["pid"] == people["pid_said"]).all()


def _counts(row: pd.Series, weight: pd.Series, day: date) -> bool:
    lapsed = pd.notna(row["valid_until"]) and row["valid_until"] < day
    months = weight["lasts_months"]
    over = pd.notna(months) and (
        pd.Timestamp(row["decided_on"]) + pd.DateOffset(months=int(months)) <= pd.Timestamp(day)
    )
    return not lapsed and not over


def expected_score(records: pd.DataFrame, weights: pd.DataFrame, day: date) -> int:
    """The score by docs/legal_persons.md: 1,000 and the points of all that counts today."""
    mended = set(records["repairs_no"].dropna())
    points = 0
    for _, row in records[records["record_kind"] != "修复"].iterrows():
        weight = weights.loc[(row["record_kind"], row["category"])]
        if _counts(row, weight, day):
            share = weight["repaired_share"] if row["record_no"] in mended else 1
            points += round(weight["points"] * share)
    return max(0, min(1200, 1000 + points))


def test_scores_are_those_of_the_true_records(built_city: Path, record: pd.DataFrame) -> None:
    day = read("select business_date from ops.business_date")["business_date"][0]
    weights = pd.read_csv(SEEDS / "base_credit_weights.csv").set_index(["record_kind", "category"])
    fault = read_truth(built_city, "fault")
    faulty = set(fault.loc[fault["source"] == "credit", "row_key"])
    said = read("select subject_key, score, grade, explanation from base.base_credit__subject")
    said = said.set_index("subject_key")
    checked = 0
    for code, rows in record[record["uscc"].notna()].groupby("uscc"):
        # A record that was spoilt, or names nobody alone, may be missing.
        if faulty & set(rows["record_no"]) or set(rows["written"]) != {"code"}:
            continue
        assert said.loc[code, "score"] == expected_score(rows, weights, day), code
        assert 1000 + sum(item["points"] for item in said.loc[code, "explanation"]) == said.loc[code, "score"]
        checked += 1
    assert checked >= 20


def test_grades_follow_the_scores(built_city: Path) -> None:
    grades = pd.read_csv(SEEDS / "base_credit_grades.csv").sort_values("least_score")
    said = read("select score, grade from base.base_credit__subject")
    places = grades["least_score"].searchsorted(said["score"].astype(int), side="right") - 1
    assert list(grades["grade"].iloc[places]) == list(said["grade"])
    assert said["grade"].nunique() >= 3
