"""The truth of homes, titles, contracts, the fund and meters is sane, and days have consequences."""

from __future__ import annotations

import copy
from collections import Counter
from datetime import date

import numpy as np
import pandas as pd
import pytest

from simulator import days, rates
from simulator.domains.property import DOMAIN
from simulator.state import State

Tables = dict[str, pd.DataFrame]


def _tables(state: State) -> Tables:
    return {name: table.to_pandas(date_as_object=False) for name, table in DOMAIN.truth(state).items()}


@pytest.fixture(scope="module")
def new(imagined: State) -> Tables:
    return _tables(imagined)


@pytest.fixture(scope="module")
def later(imagined: State) -> tuple[State, Tables]:
    """Twenty days later: a month has turned."""
    state = copy.deepcopy(imagined)
    for _ in range(20):
        days.pass_day(state, rates.load())
        state.clear_step()
    return state, _tables(state)


def test_no_two_homes_have_one_address_and_every_household_has_one(
    imagined: State, new: Tables, later: tuple[State, Tables]
) -> None:
    for state, tables in ((imagined, new), later):
        home = tables["property_home"]
        assert home["address"].is_unique
        assert home["unit_no"].is_unique
        assert home["unit_no"].str.len().eq(28).all()
        housed = home["household_no"].dropna()
        assert housed.is_unique
        assert len(housed) == int((state["household"]["head"] > 0).sum())


def test_the_open_titles_of_a_home_are_the_whole_of_it(new: Tables, later: tuple[State, Tables]) -> None:
    for tables in (new, later[1]):
        title = tables["property_title"]
        shares = title[title["ended_on"].isna()].groupby("home_id")["share"].sum()
        assert (shares == 100).all()
        assert (title["ended_on"].isna() | (title["ended_on"] >= title["acquired_on"])).all()
        assert title["person_id"].notna().ne(title["uscc"].notna()).all()


def test_the_dead_own_until_somebody_inherits(imagined: State, later: tuple[State, Tables]) -> None:
    died = pd.Series(imagined["person"]["died"], index=imagined["person"].ids)
    gone = set(died.index[died != np.int32(2**31 - 1)])
    title = later[1]["property_title"]
    assert title.loc[title["ended_on"].isna(), "person_id"].isin(gone).sum() > 10
    assert (title["way"] == "继承").sum() > 10


def test_sales_are_registered_weeks_after_their_contract(new: Tables, later: tuple[State, Tables]) -> None:
    _, tables = later
    contract = tables["property_contract"]
    wait = (contract["transfers_on"] - contract["signed_on"]).dropna().dt.days
    assert wait.between(1, 40).all()
    start, today = pd.Timestamp(date(2026, 1, 15)), pd.Timestamp(date(2026, 1, 15)) + pd.Timedelta(days=20)
    due = contract[
        (contract["transfers_on"] > start) & (contract["transfers_on"] <= today) & ~contract["void"]
    ]
    title = tables["property_title"].set_index(["home_id", "person_id", "acquired_on"])
    assert len(due) > 3
    assert all(
        key in title.index
        for key in zip(due["home_id"], due["buyer_person_id"], due["transfers_on"], strict=True)
    )
    assert len(contract) > len(new["property_contract"])


def test_meters_tell_an_empty_home(new: Tables) -> None:
    usage = new["power_usage"].merge(new["power_account"], on="account_id")
    usage = usage.merge(new["property_home"], on="home_id")
    usage = usage[usage["form"] != "shop"]
    lived_in = usage["household_no"].notna()
    assert usage.loc[lived_in, "quantity"].min() > 20 > usage.loc[~lived_in, "quantity"].max()
    assert 0.05 < (~lived_in).mean() < 0.2


def test_a_month_is_read_on_the_first_and_once(later: tuple[State, Tables]) -> None:
    usage = later[1]["power_usage"]
    assert set(usage["month"]) == {"202510", "202511", "202512", "202601"}
    assert not usage.duplicated(["account_id", "month"]).any()


def test_everybody_has_one_fund_account_which_grows_by_its_deposit(
    new: Tables, later: tuple[State, Tables]
) -> None:
    before, after = (it["fund_account"].set_index("account_no") for it in (new, later[1]))
    assert after["person_id"].is_unique
    grown = (after["balance"] - before["balance"]).reindex(before.index)
    paid = before[(grown > 0).to_numpy()]
    assert len(paid) > 100
    times = (grown[paid.index] / paid["monthly_deposit"]).round(6)
    # Who changes employers may be paid for by both, each in its month.
    assert set(times) <= {1.0, 2.0}
    assert (times == 1).mean() > 0.95
    assert Counter(after["status"])["封存"] > 0
    loan = later[1]["fund_loan"]
    assert (loan["balance"] <= loan["amount"]).all()
    assert (loan["overdue_months"] > 0).any()
