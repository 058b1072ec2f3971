"""Golden values are the truth's, except where every source is spoilt: compared person by person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from huiliu.database import connect
from huiliu.settings import get_settings

ATTRIBUTES = ("name", "sex", "birth_date", "nation", "hukou_type", "village_code", "household_no", "relation")
POLICE = ("resident", "household_member")
PRECEDENCE = get_settings().project_root / "dbt_project" / "seeds" / "base" / "base_source_precedence.csv"


@pytest.fixture(scope="module")
def told(built_city: Path) -> pd.DataFrame:
    """Every living resident: the golden values beside the truth's, by the truth's person id."""
    truth = pq.read_table(built_city / "truth" / "person.parquet").to_pandas()
    with connect("warehouse") as connection:
        cursor = connection.execute(
            "select pid, name, sex, birth_date, nation, hukou_type, village_code, household_no, relation,"
            " is_resident, lost_candidates, name_on, name_source from base.base_population__person"
            " where has_number"
        )
        names = [column.name for column in cursor.description or ()]
        golden = pd.DataFrame(cursor.fetchall(), columns=names)
    residents: pd.DataFrame = truth[truth["resident"]]
    return residents.merge(golden, on="pid", how="left", suffixes=("", "_golden"))


@pytest.fixture(scope="module")
def spoilt(built_city: Path) -> dict[str, set[int]]:
    """People with a fault in the police's registers, by column; under pid: nobody knows whose row it is."""
    fault = pq.read_table(built_city / "truth" / "fault.parquet").to_pandas()
    fault = fault[(fault["source"] == "police") & fault["table_name"].isin(POLICE)]
    # Other forms are to be understood, and repeated rows to be seen through: they excuse nothing.
    fault = fault[fault["kind"].isin(["blank", "wrong", "contradictory"])]
    by_column = fault.groupby("column_name")["person_id"].agg(set)
    return {str(column): {int(person) for person in people} for column, people in by_column.items()}


def test_every_resident_with_a_readable_number_is_a_person(
    told: pd.DataFrame, spoilt: dict[str, set[int]]
) -> None:
    # Somebody whose name is blank in the register, and whom no other source names, is a person all the same.
    missing = set(told.loc[told["is_resident"].isna(), "person_id"])
    assert missing <= spoilt["pid"]
    assert len(told) > 2500


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_a_golden_value_differs_from_the_truth_only_where_the_register_is_spoilt(
    told: pd.DataFrame, spoilt: dict[str, set[int]], attribute: str
) -> None:
    wrong = told[told[f"{attribute}_golden"].astype(str) != told[attribute].astype(str)]
    assert set(wrong["person_id"]) - spoilt["pid"] <= spoilt.get(attribute, set())
    # A few faults have no other source to speak in their place: five times the usual dirt.
    assert len(wrong) <= 0.02 * len(told)


def test_each_value_names_its_source_and_day(told: pd.DataFrame) -> None:
    known = told[told["name_golden"].notna()]
    ranks = pd.read_csv(PRECEDENCE).query("subject == 'person' and attribute == 'name'")
    assert set(known["name_source"]) <= set(ranks["source"].str.partition(".")[0])
    assert known.loc[known["name_source"] == "police", "name_on"].notna().all()


def test_a_contradictory_second_row_is_kept_as_a_losing_candidate(
    told: pd.DataFrame, built_city: Path
) -> None:
    fault = pq.read_table(built_city / "truth" / "fault.parquet").to_pandas()
    second = fault[
        (fault["source"] == "police")
        & (fault["table_name"] == "resident")
        & (fault["kind"] == "contradictory")
        & (fault["column_name"] == "birth_date")
    ]
    beside: list[dict[Any, Any]] = told.merge(second, on="person_id").to_dict("records")
    assert len(beside) > 5
    for row in beside:
        lost = row["lost_candidates"].get("birth_date", [])
        assert row["planted"] in {candidate["value"] for candidate in lost}
        assert str(row["birth_date_golden"]) == str(row["birth_date"])
