"""The marriage archive and the funeral homes: who stands there, in which words, and how badly it was read."""

from __future__ import annotations

import copy
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from simulator import emission, rates, truth
from simulator.loading import Shown
from simulator.registry import SYSTEMS
from simulator.state import State
from tests.simulator.conftest import START


@pytest.fixture(scope="module")
def folder(imagined: State, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of both sources and the truth of the imagined city, faults planted."""
    place = tmp_path_factory.mktemp("old_records")
    state = copy.deepcopy(imagined)
    changes = {change.table.full_name: change for change in emission.everything(state, rates.load())}
    assert changes
    for system in SYSTEMS:
        if system.name in ("marriage_archive", "funeral") and system.write is not None:
            system.write(state, Shown(state, system.name, {}), place)
    truth.write(state, place)
    return place


@pytest.fixture(scope="module")
def pages(folder: Path) -> pd.DataFrame:
    """The archive's rows with what is true of them."""
    rows = pd.read_csv(folder / "婚姻登记档案.csv", encoding="gb18030", dtype=str).set_index("条目号")
    return rows.join(pd.read_parquet(folder / "marriage_archive_record.parquet").set_index("scan_no"))


def _people(folder: Path, name: str, key: str) -> pd.DataFrame:
    return pd.read_parquet(folder / f"{name}.parquet").set_index(key)


def test_every_marriage_of_those_years_is_there_or_will_be(folder: Path, pages: pd.DataFrame) -> None:
    married = _people(folder, "marriage", "marriage_id")
    days = pd.to_datetime(married.registered_on)
    expected = set(married[(days >= "1957-01-01") & (days < "2016-01-01")].index)
    record = pd.read_parquet(folder / "marriage_archive_record.parquet")
    assert set(record[record.kind == "结婚"].marriage_id.dropna()) == expected
    shown = pd.to_datetime(record.scanned_on) <= pd.Timestamp(START)
    assert set(pages.index) == set(record[shown].scan_no)
    assert 0.88 < shown.mean() < 0.98


def test_some_couples_are_nowhere_else(folder: Path, pages: pd.DataFrame) -> None:
    forgotten = pages.husband_forgotten_id.notna()
    assert (forgotten == pages.wife_forgotten_id.notna()).all()
    assert (forgotten == pages.husband_person_id.isna()).all()
    assert 0.11 < forgotten.mean() < 0.19
    numbers = set(_people(folder, "forgotten", "forgotten_id").pid)
    assert not numbers & set(_people(folder, "person", "person_id").pid)
    assert {"离婚", "复婚"} <= set(pages[forgotten].kind)


def test_numbers_come_with_the_years(pages: pd.DataFrame) -> None:
    year = pages.registered_on.map(lambda day: day.year)
    length = pages["女方身份证号"].str.len()
    assert length[year < 1985].isna().all()
    assert 0.3 < length[(year >= 1985) & (year < 1999)].eq(15).mean() < 0.65
    assert length[year >= 2004].eq(18).mean() > 0.85


def test_names_and_births_are_misread_at_their_rates_and_doubted(folder: Path, pages: pd.DataFrame) -> None:
    new = pages[(pages.generation == "2") & pages.husband_person_id.notna()]
    husband = new.husband_person_id.astype(int)
    people = _people(folder, "person", "person_id")
    misread = new["男方姓名"] != husband.map(people.name)
    assert 0.025 < misread.mean() < 0.055
    confidence = new["男方姓名置信度"].astype(float)
    assert confidence[misread].mean() < confidence[~misread].mean() - 0.1
    whole = new[new["男方出生日期"].str.fullmatch(r"\d{4}-\d{2}-\d{2}", na=False)]
    truly = whole.husband_person_id.astype(int).map(people.birth_date).map(date.isoformat)
    assert 0.025 < (whole["男方出生日期"] != truly).mean() < 0.065
    assert 0.06 < new["男方出生日期"].str.fullmatch(r"\d{4}", na=False).mean() < 0.14


def test_a_page_digitised_twice_was_read_worse_the_first_time(folder: Path, pages: pd.DataFrame) -> None:
    twice = pages[pages.duplicated("archive_no", keep=False)]
    assert (twice.groupby("archive_no").generation.nunique() == 2).all()
    assert (pages.groupby("archive_no").size() <= 2).all()
    fault = pd.read_parquet(folder / "fault.parquet")
    names = fault[(fault.column_name == "wife_name") & (fault.kind == "wrong")].table_name.value_counts()
    old, new = (pages.generation == "1").sum(), (pages.generation == "2").sum()
    assert names["old_record"] / old > names["record"] / new


def test_addresses_are_in_the_words_of_their_time(pages: pd.DataFrame) -> None:
    address = pages["男方住址"].fillna("")
    year = pages.registered_on.map(lambda day: day.year)
    assert address[(year > 1960) & (year < 1983)].str.contains("公社").mean() > 0.3
    assert not address[year > 1985].str.contains("公社").any()
    assert address[year < 2014].str.contains("陵县").any()
    assert not address[year > 2014].str.contains("陵县").any()


def test_most_of_the_dead_are_cremated_days_later(folder: Path) -> None:
    cremation = pd.read_parquet(folder / "cremation.parquet")
    death = _people(folder, "death", "person_id")
    known = cremation.dropna(subset="person_id")
    assert 0.8 < len(known) / len(death) < 1
    wait = pd.to_datetime(cremation.cremated_on) - pd.to_datetime(cremation.died_on)
    assert wait.dt.days.between(1, 4).all()
    assert cremation.forgotten_id.notna().any()
    assert (known.died_on.to_numpy() == death.died_on.loc[known.person_id.astype(int)].to_numpy()).all()
