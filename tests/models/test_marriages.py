"""Marriages and deaths of the theme library against the truth: each once, its gaps named."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from huiliu import business_date
from huiliu.database import connect
from tests.models.truth_people import ids_of_keys


def _rows(query: str) -> pd.DataFrame:
    with connect("warehouse") as connection:
        cursor = connection.execute(query)
        return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description or ()])


def _truth(home: Path, name: str) -> pd.DataFrame:
    return pd.read_parquet(home / "truth" / f"{name}.parquet")


@pytest.fixture(scope="module")
def marriages(built_city: Path) -> pd.DataFrame:
    """Marriages of the theme library with the truth's ids."""
    ids = ids_of_keys(built_city)
    rows = _rows(
        "select husband_person_key::text, wife_person_key::text, marriage_no, registered_on, ended_on,"
        " end_kind, sources, gaps, conflicts from theme.theme_civil_affairs__marriage"
    )
    for side in ("husband", "wife"):
        rows[f"{side}_id"] = rows[f"{side}_person_key"].map(ids).fillna(0).astype(int)
    return rows


def test_a_couple_has_one_row_whoever_recorded_the_marriage(
    built_city: Path, marriages: pd.DataFrame
) -> None:
    truth = _truth(built_city, "marriage")
    known = marriages[(marriages.husband_id > 0) & (marriages.wife_id > 0)]
    joined = known.merge(
        truth, how="left", left_on=["husband_id", "wife_id"], right_on=["husband_person_id", "wife_person_id"]
    )
    assert joined.marriage_id.notna().mean() >= 0.995
    assert joined.marriage_id.dropna().duplicated().mean() <= 0.005
    both = joined[joined.sources.map({"marriage_archive", "police"}.issubset)]
    assert len(both) > 100


def test_what_is_missing_of_a_marriage_is_named(marriages: pd.DataFrame) -> None:
    listed = marriages.sources.map(lambda sources: list(sources) == ["police"])
    named = marriages.gaps.map(lambda gaps: {"registration", "certificate"} <= set(gaps))
    assert listed.any()
    assert (named == listed).all()


def test_registrations_with_two_numbers_are_all_there(built_city: Path, marriages: pd.DataFrame) -> None:
    with connect("warehouse") as connection:
        today = business_date.get(connection)
    truth = _truth(built_city, "marriage")
    since = pd.to_datetime(truth.registered_on) >= "2016-01-01"
    past = pd.to_datetime(truth.registered_on) <= pd.Timestamp(today) - pd.Timedelta(days=15)
    registered = truth[since & past]
    assert len(registered) > 50
    found = set(zip(marriages.husband_id, marriages.wife_id, strict=True))
    pairs = zip(registered.husband_person_id, registered.wife_person_id, strict=True)
    assert pd.Series([pair in found for pair in pairs]).mean() >= 0.97


def test_deaths_are_those_of_the_truth_and_say_who_does_not_know(built_city: Path) -> None:
    with connect("warehouse") as connection:
        today = business_date.get(connection)
    ids = ids_of_keys(built_city)
    deaths = _rows(
        "select person_key::text, died_on, sources, missing_from, is_confirmed"
        " from theme.theme_civil_affairs__death"
    )
    deaths["person_id"] = deaths.person_key.map(ids)
    truth = _truth(built_city, "death").set_index("person_id")
    known = deaths.dropna(subset="person_id").set_index("person_id").join(truth, rsuffix="_truly")
    assert known.died_on_truly.notna().all()
    assert (known.died_on == known.died_on_truly).mean() >= 0.97
    for source, reported in (("health", "health_reported_on"), ("police", "police_reported_on")):
        late = pd.to_datetime(known[reported]).fillna(pd.Timestamp.max) > pd.Timestamp(today)
        named = known.missing_from.map(lambda missing, it=source: it in missing)
        assert named[late].all()
        # A register's row without a usable number leaves it out, too.
        assert (~named[~late]).mean() >= 0.85
    assert set(truth.index) >= set(known.index)
    assert len(known) >= 0.97 * len(truth)


def test_funeral_homes_know_deaths_that_registers_do_not(built_city: Path) -> None:
    rows = _rows("select sources, cremated_on from theme.theme_civil_affairs__death")
    cremated = rows[rows.cremated_on.notna()]
    with connect("warehouse") as connection:
        today = business_date.get(connection)
    fault = _truth(built_city, "fault")
    spoilt = fault.loc[(fault.source == "funeral") & fault.kind.isin(["blank", "wrong"]), "row_key"].nunique()
    shown = pd.to_datetime(_truth(built_city, "cremation").reported_on) <= pd.Timestamp(today)
    assert shown.sum() - spoilt <= len(cremated) <= shown.sum()
    assert cremated.sources.map(lambda sources: list(sources) == ["funeral"]).any()


def test_a_misread_number_of_fifteen_digits_is_believed_to_be_nobodys(built_city: Path) -> None:
    fault = _truth(built_city, "fault")
    fault = fault[(fault.source == "marriage_archive") & (fault.kind == "wrong")]
    misread = fault[fault.column_name.str.endswith("_pid") & fault.planted.str.fullmatch(r"\d{15}")]
    assert len(misread) > 0
    told = _rows("select scan_no, husband_pid, wife_pid from staging.stg_marriage_archive__record")
    told = told.set_index("scan_no")
    for scan_no, column in zip(misread.row_key, misread.column_name, strict=True):
        if scan_no in told.index:
            assert pd.isna(told.loc[scan_no, column])
