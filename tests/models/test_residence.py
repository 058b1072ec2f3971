"""Stays and households of the population library against the truth."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from huiliu.database import connect
from tests.models.truth_people import ids_of_keys


def _rows(query: str) -> pd.DataFrame:
    with connect("warehouse") as connection:
        cursor = connection.execute(query.encode())
        return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description or ()])


def _truth(home: Path, name: str) -> pd.DataFrame:
    return pd.read_parquet(home / "truth" / f"{name}.parquet")


@pytest.fixture(scope="module")
def spoilt(built_city: Path) -> set[int]:
    """People of whom a register of residence or death has a row with a fault."""
    fault = _truth(built_city, "fault")
    return set(
        fault.loc[fault["source"].isin(["police", "health", "funeral"]), "person_id"].dropna().astype(int)
    )


def test_stays_are_the_true_ones(built_city: Path, spoilt: set[int]) -> None:
    """The registers know no start of a first stay: the truth's is the birth."""
    told = _rows(
        "select person_key::text, village_code, cast(from_date as text), cast(to_date as text)"
        " from base.base_population__residence order by person_key, residence_no"
    )
    told["person_id"] = told["person_key"].map(ids_of_keys(built_city))
    told = told.dropna(subset="person_id").astype({"person_id": int}).replace({float("nan"): None})
    true = _truth(built_city, "residence").sort_values(["person_id", "from_date"], kind="stable")
    true = true[~true["person_id"].isin(spoilt)].astype({"from_date": str})
    true["to_date"] = [None if pd.isna(day) else str(day) for day in true["to_date"]]
    true = true.astype({"to_date": object}).replace({float("nan"): None})
    columns = ["village_code", "from_date", "to_date"]
    stays = told.groupby("person_id")[columns].apply(
        lambda rows: list(rows.itertuples(index=False, name=None))
    )
    compared = moved = 0
    for person_id, rows in true.groupby("person_id"):
        expected = list(rows[columns].itertuples(index=False, name=None))
        found = stays[person_id]
        if found[0][1] is None:
            expected[0] = (expected[0][0], None, expected[0][2])
        assert found == expected, person_id
        compared += 1
        moved += len(expected) > 1
    assert compared > 1000
    assert moved > 20


def test_households_have_their_heads_and_members(built_city: Path, spoilt: set[int]) -> None:
    people = _truth(built_city, "person")
    people = people[people["resident"]]
    unsure = set(people.loc[people["person_id"].isin(spoilt), "household_no"])
    members = people.groupby("household_no").size()
    true = _truth(built_city, "household").set_index("household_no")
    true = true[~true.index.isin(unsure)]
    told = _rows(
        "select household_no, village_code, head_person_key::text, member_count"
        " from base.base_population__household"
    ).set_index("household_no")
    told["head"] = told["head_person_key"].map(ids_of_keys(built_city))
    told = told.reindex(true.index)
    assert len(true) > 300
    assert told["village_code"].to_list() == true["village_code"].to_list()
    assert told["head"].to_list() == true["head_person_id"].to_list()
    assert told["member_count"].to_list() == members.reindex(true.index).to_list()
