"""Veterans' verdicts against the city's truth: no wrong met, no wrong not_met, unknown only through dirt."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from huiliu import business_date
from huiliu.database import connect
from tests.models.truth_oracle import CONDITIONS, Truth, read_truth


@pytest.fixture(scope="module")
def truth(built_city: Path) -> Truth:
    """The truth of the day the city was built for."""
    with connect("warehouse") as connection:
        return read_truth(built_city, business_date.get(connection))


def _query(statement: str) -> pd.DataFrame:
    with connect("warehouse") as connection:
        cursor = connection.execute(statement)
        return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description or ()])


@pytest.fixture(scope="module")
def conditions(truth: Truth) -> pd.DataFrame:
    """The six verdicts a veteran, in columns named by condition, by person_id."""
    found = _query(
        "select pid, condition_code, verdict from special.special_veterans__condition"
        " inner join base.base_population__person using (person_key)"
    )
    wide = found.pivot(index="pid", columns="condition_code", values="verdict")
    wide.index = pd.Index(
        wide.index.map(dict(zip(truth.facts["pid"], truth.facts.index, strict=True))), name="person_id"
    )
    return wide


@pytest.fixture(scope="module")
def verdicts(truth: Truth) -> pd.Series:
    """The verdict on each veteran by person_id."""
    found = _query(
        "select pid, verdict from special.special_veterans__subsidy"
        " inner join base.base_population__person using (person_key)"
    )
    ids = found["pid"].map(dict(zip(truth.facts["pid"], truth.facts.index, strict=True)))
    return pd.Series(found["verdict"].to_numpy(), index=ids)


def test_every_veteran_is_judged_once_unless_the_ledger_lost_the_number(
    truth: Truth, verdicts: pd.Series
) -> None:
    assert verdicts.index.is_unique
    assert verdicts.index.notna().all()
    ours = set(truth.facts.index[~truth.facts["has_left"]])
    missing = ours - set(verdicts.index)
    assert missing <= truth.unattributable
    assert len(missing) < 0.25 * len(ours)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_met_or_not_met_equals_the_truth(
    condition: str, truth: Truth, conditions: pd.DataFrame
) -> None:
    told, fact = conditions[condition], truth.facts.loc[conditions.index, condition]
    assert told.isin(["met", "not_met", "unknown"]).all()
    assert list(told.index[(told == "met") & ~fact]) == []
    assert list(told.index[(told == "not_met") & fact]) == []
    assert (told == "met").any()


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_is_unknown_only_where_dirt_or_distance_makes_it_so(
    condition: str, truth: Truth, conditions: pd.DataFrame
) -> None:
    unknown = conditions.index[conditions[condition] == "unknown"]
    facts = truth.facts.loc[unknown]
    excused = (
        facts["has_left"]
        | unknown.isin(truth.touched[condition])
        | facts["name"].isin(truth.nameless[condition])
    )
    assert list(unknown[~excused]) == []


def test_no_verdict_is_wrong(truth: Truth, verdicts: pd.Series) -> None:
    due = truth.facts[list(CONDITIONS)].all(axis=1) & ~truth.facts["has_left"]
    due = due.loc[verdicts.index]
    assert list(verdicts.index[(verdicts == "met") & ~due]) == []
    assert list(verdicts.index[(verdicts == "not_met") & due]) == []
    assert set(verdicts) == {"met", "not_met", "unknown"}, "the city is too clean to prove anything"


def test_most_of_those_entitled_are_found(
    truth: Truth, verdicts: pd.Series, record_property: pytest.RecordProperty
) -> None:
    due = truth.facts[list(CONDITIONS)].all(axis=1) & ~truth.facts["has_left"]
    found = verdicts.reindex(due.index[due]).fillna("unattributable")
    record_property("unknown_share_of_veterans", round(float((verdicts == "unknown").mean()), 4))
    record_property("unknown_share_of_entitled", round(float((found == "unknown").mean()), 4))
    assert (found == "met").mean() > 0.4
    assert (found == "not_met").sum() == 0
