"""Homes, titles, contracts, the provident fund and meters against the city's truth, in pandas."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pandas as pd
import pytest

from huiliu.database import connect


def _query(statement: str) -> pd.DataFrame:
    with connect("warehouse") as connection:
        cursor = connection.execute(statement)
        return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description or ()])


class Truth:
    """The truth tables of a home, and the keys of source rows that have a fault."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "truth"
        self.fault = self.table("fault")
        person = self.table("person").set_index("person_id")
        self.pid, self.died = person["pid"], person["died_on"]
        self.homes = self.table("property_home").set_index("home_id")

    def table(self, name: str) -> pd.DataFrame:
        """Return a truth table."""
        return pd.read_parquet(self._folder / f"{name}.parquet")

    def faulty(self, source: str, table: str, columns: tuple[str, ...] = ()) -> set[str]:
        """Return keys of rows with a fault (of columns, if given), and both keys of a repeated row."""
        fault = self.fault[(self.fault["source"] == source) & (self.fault["table_name"] == table)]
        if columns:
            return set(fault.loc[fault["column_name"].isin(columns), "row_key"])
        twice = fault.loc[fault["kind"] == "duplicate"]
        return set(fault["row_key"]) | set(twice["original"]) | set(twice["planted"])


@pytest.fixture(scope="module")
def truth(built_city: Path) -> Truth:
    """The truth of the city as it is now."""
    return Truth(built_city)


@pytest.fixture(scope="module")
def holding() -> pd.DataFrame:
    """Holdings with the number of the person that the key stands for."""
    return _query(
        "select holding.*, person.pid from theme.theme_housing__holding as holding"
        " left join base.base_population__person as person using (person_key)"
    )


@pytest.fixture(scope="module")
def home() -> pd.DataFrame:
    """Homes by the key of their address."""
    found = _query("select * from theme.theme_housing__home")
    return found.assign(home_key=found["home_key"].astype(str)).set_index("home_key")


def _home_key(address: str) -> str:
    """The key of an address, by a rule of our own: parts of a house number are joined by dashes."""
    plain = re.sub("号楼|单元|[号室户]", "-", address)
    return str(hashlib.md5(re.sub("-+", "-", plain).strip("-").encode()).hexdigest())  # noqa: S324 - no secret


def _dashed(key: str) -> str:
    return "-".join((key[:8], key[8:12], key[12:16], key[16:20], key[20:]))


@pytest.mark.usefixtures("built_city")
def test_clean_titles_are_held_as_registered(truth: Truth, holding: pd.DataFrame) -> None:
    title = truth.table("property_title")
    title = title[~title["title_id"].astype(str).isin(truth.faulty("real_estate", "title"))]
    found = holding[holding["kind"] == "产权"].set_index("record_no")
    told = found.reindex(title["title_id"].astype(str))
    assert told["home_key"].notna().all()
    owner = title["person_id"].map(truth.pid).fillna(title["uscc"])
    assert list(told["pid"].fillna(told["uscc"])) == list(owner)
    for ours, theirs in (
        ("share", "share_percent"),
        ("acquired_on", "held_from"),
        ("ended_on", "held_until"),
    ):
        assert title[ours].isna().to_numpy().tolist() == told[theirs].isna().to_numpy().tolist()
        kept = title[ours].notna().to_numpy()
        assert list(title.loc[kept, ours].astype(told[theirs][kept].dtype)) == list(told[theirs][kept])
    assert len(told) > 500


def test_the_dead_still_hold_what_nobody_had_rewritten(truth: Truth, holding: pd.DataFrame) -> None:
    dead = truth.pid[truth.died.notna()]
    still = holding[holding["held_until"].isna() & holding["pid"].isin(dead)]
    title = truth.table("property_title")
    clean = ~title["title_id"].astype(str).isin(truth.faulty("real_estate", "title"))
    open_ = title[clean & title["ended_on"].isna() & title["person_id"].map(truth.died).notna()]
    assert len(open_) > 3
    assert set(open_["title_id"].astype(str)) <= set(still.loc[still["kind"] == "产权", "record_no"])
    assert (still["kind"] == "用电").any()


def test_a_home_has_the_owners_of_the_register(truth: Truth, home: pd.DataFrame) -> None:
    title = truth.table("property_title")
    title = title.assign(faulty=title["title_id"].astype(str).isin(truth.faulty("real_estate", "title")))
    clean = title.groupby("home_id").filter(lambda rows: not rows["faulty"].any())
    owners = clean[clean["ended_on"].isna()].groupby("home_id")["person_id"].nunique(dropna=False)
    keys = truth.homes.loc[owners.index, "address"].map(lambda text: _dashed(_home_key(text)))
    told = home.reindex(keys)
    assert list(told["unit_no"]) == list(truth.homes.loc[owners.index, "unit_no"])
    assert list(told["owner_count"]) == list(owners)
    assert len(owners) > 300


def _settled(truth: Truth, home: pd.DataFrame) -> pd.DataFrame:
    """Dwellings in which nobody came or went in the months known, and what is told of them."""
    month = str(home["last_month"].max())
    homes = truth.homes[truth.homes["form"] != "shop"]
    long = pd.to_datetime(homes["since"]) < pd.Timestamp(f"{month[:4]}-{month[4:]}-01") - pd.DateOffset(
        months=2
    )
    homes = homes[long]
    keys = homes["address"].map(lambda text: _dashed(_home_key(text)))
    told = home["occupancy"].reindex(keys).to_numpy()
    return homes.assign(occupancy=told, lived_in=homes["household_no"].notna())


def test_empty_homes_are_told_from_those_lived_in(truth: Truth, home: pd.DataFrame) -> None:
    settled = _settled(truth, home)
    account = truth.table("power_account").set_index("account_no")["home_id"]
    spoilt = account.reindex(list(truth.faulty("power", "account"))).dropna()
    assert set(settled.index[settled["occupancy"].isna()]) <= set(spoilt)
    assert settled["occupancy"].isna().mean() < 0.02
    assert settled.loc[settled["occupancy"] == "疑似空置", "lived_in"].sum() == 0
    assert (~settled.loc[settled["occupancy"] == "有人居住", "lived_in"]).sum() == 0
    known = settled["occupancy"] != "不明"
    assert known.mean() > 0.9
    assert (known & ~settled["lived_in"]).sum() > 50


def test_each_party_of_a_clean_contract_is_the_right_one(truth: Truth) -> None:
    found = _query(
        "select contract_no, role, coalesce(pid, uscc) as party, deal.amount, is_repeat"
        " from theme.theme_housing__transaction as deal"
        " left join base.base_population__person using (person_key)"
    )
    contract = truth.table("property_contract")
    contract = contract[~contract["contract_no"].isin(truth.faulty("housing", "contract"))]
    contract = contract.set_index("contract_no")
    for roles, person, firm in (
        (("出卖", "出租"), "seller_person_id", "seller_uscc"),
        (("买受", "承租"), "buyer_person_id", None),
    ):
        told = found[found["role"].isin(roles)].set_index("contract_no").reindex(contract.index)
        party = contract[person].map(truth.pid)
        party = party.fillna(contract[firm]) if firm else party
        assert list(told["party"]) == list(party)
        assert told["amount"].astype(float).round(2).to_list() == contract["amount"].round(2).to_list()
        assert not told["is_repeat"].any()
    assert found["is_repeat"].any()


def test_the_fund_knows_what_everybody_has_and_owes(truth: Truth) -> None:
    found = _query(
        "select fund.*, pid from theme.theme_housing__provident_fund as fund"
        " inner join base.base_population__person using (person_key)"
    ).set_index("pid")
    account = truth.table("fund_account")
    account = account[~account["account_no"].isin(truth.faulty("provident_fund", "account"))]
    told = found.loc[account["person_id"].map(truth.pid)]
    for column in ("account_no", "status", "employer_uscc", "paid_until"):
        assert list(told[column]) == list(account[column])
    assert told["balance"].astype(float).to_list() == account["balance"].to_list()
    loan = truth.table("fund_loan")
    loan = loan[~loan["loan_no"].isin(truth.faulty("provident_fund", "loan")) & loan["ended_on"].isna()]
    loan = loan[~loan["person_id"].duplicated(keep=False)]
    told = found.loc[loan["person_id"].map(truth.pid)]
    assert (told["loan_balance"].astype(float) - loan["balance"].to_numpy()).abs().max() < 0.01
    assert list(told["overdue_months"]) == list(loan["overdue_months"])
    assert len(loan) > 10


def test_a_township_month_is_the_sum_of_its_homes(truth: Truth) -> None:
    found = _query("select * from theme.theme_housing__township_month").set_index(["township_code", "month"])
    account = truth.table("power_account")
    account = account[account["uscc"].isna()]
    spoilt = account["account_no"].isin(truth.faulty("power", "account", ("address", "township_code")))
    usage = truth.table("power_usage")
    bills = "D" + (usage.index + 1).astype(str).str.zfill(10)
    usage = usage.assign(spoilt=bills.isin(truth.faulty("power", "usage")))
    usage = usage.merge(account.assign(account_spoilt=spoilt), on="account_id")
    village = usage["home_id"].map(truth.homes["village_code"])
    usage = usage.assign(township_code=village.str[:9], spoilt=usage["spoilt"] | usage["account_spoilt"])
    groups = usage.groupby(["township_code", "month"]).agg(
        homes=("quantity", "size"), kwh=("quantity", "sum"), spoilt=("spoilt", "any")
    )
    groups = groups[~groups["spoilt"]]
    told = found.loc[groups.index]
    assert list(told["homes"]) == list(groups["homes"])
    assert (told["homes_kwh"].astype(float) - groups["kwh"]).abs().max() < 0.01
    assert len(groups) > 30
