"""Events, offices and taxes of organisations against the truth; rows with a recorded fault are left out."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from huiliu import business_date
from huiliu.database import connect
from tests.models.truth_people import ids_of_keys

MARKET = ["企业", "个体工商户", "农民专业合作社"]
SECOND_ROWS = {
    "market_regulation.entity": "entity",
    "organisations.social_organisation": "social_organisation",
    "organisations.institution": "institution",
    "taxation.taxpayer": "taxpayer",
}


def _rows(query: str) -> pd.DataFrame:
    with connect("warehouse") as connection:
        cursor = connection.execute(query.encode())
        return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description or ()])


class Truth:
    """The truth tables, and which source rows have a fault."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "truth"
        self.fault = self.table("fault")
        self.organisation = self.table("organisation").set_index("organisation_id")
        with connect("warehouse") as connection:
            self.today = pd.Timestamp(business_date.get(connection))

    def table(self, name: str) -> pd.DataFrame:
        return pd.read_parquet(self._folder / f"{name}.parquet")

    def faulty(self, *sources: str) -> set[str]:
        """Return the keys of rows with a fault in some tables, and both keys of a repeated row."""
        full = self.fault["source"] + "." + self.fault["table_name"]
        fault = self.fault[full.isin(sources)]
        twice = fault[fault["kind"] == "duplicate"]
        return set(fault["row_key"]) | set(twice["original"]) | set(twice["planted"])

    def uscc(self, ids: pd.Series) -> pd.Series:
        """Return the credit code of each organisation id."""
        return ids.map(self.organisation["uscc"])


@pytest.fixture(scope="module")
def truth(built_city: Path) -> Truth:
    return Truth(built_city)


@pytest.fixture(scope="module")
def clean(truth: Truth) -> pd.DataFrame:
    """Organisations of the market none of whose own rows has a fault, by their code."""
    firm = truth.organisation[truth.organisation["kind"].isin(MARKET)].reset_index()
    spoilt = truth.faulty("market_regulation.entity", "market_regulation.change")
    registered = set(truth.fault.loc[truth.fault["source"] == "enterprise_registry", "row_key"])
    taxed = truth.table("taxpayer").astype({"taxpayer_id": str})
    taxed = taxed[taxed["taxpayer_id"].isin(truth.faulty("taxation.taxpayer"))]
    keep = ~firm["organisation_id"].astype(str).isin(spoilt) & ~firm["uscc"].isin(registered)
    keep &= ~firm["organisation_id"].isin(taxed["organisation_id"]) & ~firm["unconverted"]
    # A second row that contradicts the first does not say whose it is, only what the first one says.
    contradicted = truth.fault[truth.fault["kind"] == "contradictory"]
    keep &= ~firm["established_on"].astype(str).isin(contradicted["original"])
    return firm[keep].set_index("uscc")


def test_a_second_row_is_of_the_organisation_of_the_first(truth: Truth) -> None:
    resolved = _rows("select source, source_id, organisation_key from base.int_organisation_resolved")
    key = resolved.set_index(["source", "source_id"])["organisation_key"]
    full = truth.fault["source"] + "." + truth.fault["table_name"]
    twice = truth.fault[full.isin(SECOND_ROWS) & (truth.fault["kind"] == "duplicate")]
    assert len(twice) > 5
    for source, first, second in zip(full[twice.index], twice["original"], twice["planted"], strict=True):
        assert set(key[[(source, first)]]) == set(key[[(source, second)]]), source


def test_clean_organisations_were_founded_and_closed_on_their_days(truth: Truth, clean: pd.DataFrame) -> None:
    event = _rows(
        "select organisation_key, event_kind, happened_on from theme.theme_market_regulation__event"
    )
    event["happened_on"] = event["happened_on"].astype(str)
    founded = event[event["event_kind"] == "设立"].set_index("organisation_key")["happened_on"]
    assert founded.reindex(clean.index).to_list() == clean["established_on"].astype(str).to_list()
    closed = event[event["event_kind"].isin(["注销", "吊销"])].set_index("organisation_key")["happened_on"]
    ended = clean["ended_on"].dropna().astype(str)
    assert closed[closed.index.isin(clean.index)].to_dict() == ended.to_dict()
    assert len(clean) > 30


def test_registered_changes_are_events(truth: Truth, clean: pd.DataFrame) -> None:
    event = _rows(
        "select organisation_key, event_kind, cast(happened_on as text) as happened_on"
        " from theme.theme_market_regulation__event where event_kind like '%变更'"
    )
    found = set(event[event["organisation_key"].isin(clean.index)].itertuples(index=False, name=None))
    change = truth.table("organisation_change")
    change["uscc"] = truth.uscc(change["organisation_id"])
    change = change[change["uscc"].isin(clean.index)].astype({"changed_on": str})
    true = set(change[["uscc", "item", "changed_on"]].itertuples(index=False, name=None))
    assert len(true) > 5
    assert len(found - true) == 0
    assert len(true - found) <= len(truth.faulty("market_regulation.change"))


def test_a_districts_month_counts_its_events() -> None:
    event = _rows("select district_month, subject_kind, event_kind from theme.theme_market_regulation__event")
    month = _rows("select * from theme.theme_market_regulation__district_month")
    month = month.set_index(["district_month", "subject_kind"])
    kinds = {
        "founded_count": event["event_kind"] == "设立",
        "closed_count": event["event_kind"].isin(["注销", "吊销"]),
        "revoked_count": event["event_kind"] == "吊销",
        "change_count": event["event_kind"].str.endswith("变更"),
    }
    for column, counts in kinds.items():
        told = counts.groupby([event["district_month"], event["subject_kind"]]).sum()
        assert told.reindex(month.index).to_list() == month[column].to_list(), column


def test_holders_of_offices_are_counted_as_of_today(built_city: Path, truth: Truth) -> None:
    officer = truth.table("officer").join(truth.organisation[["kind"]], on="organisation_id")
    officer = officer[officer["kind"].isin(MARKET)]
    spoilt = officer["officer_id"].astype(str).isin(truth.faulty("market_regulation.officer"))
    at_spoilt = officer["organisation_id"].astype(str).isin(truth.faulty("market_regulation.entity"))
    unsure = set(officer.loc[spoilt | at_spoilt, "person_id"])
    started, ended = pd.to_datetime(officer["started_on"]), pd.to_datetime(officer["ended_on"])
    held = officer[~(started > truth.today) & ~(ended <= truth.today)]
    true = pd.DataFrame(
        {
            "organisation_count": officer.groupby("person_id")["organisation_id"].nunique(),
            "held_count": held.groupby("person_id")["organisation_id"].nunique(),
            "owned_count": held[held["role"] == "股东"].groupby("person_id")["organisation_id"].nunique(),
        }
    ).fillna(0)
    true = true[~true.index.isin(unsure)].astype(int)
    told = _rows("select * from theme.theme_market_regulation__office_holder")
    told["person_id"] = told["person_key"].astype(str).map(ids_of_keys(built_city))
    told = told.dropna(subset="person_id").set_index("person_id").reindex(true.index)
    assert len(true) > 50
    for column in true:
        assert told[column].to_list() == true[column].to_list(), column


def test_an_organisations_month_is_the_sum_of_what_it_paid(truth: Truth) -> None:
    payment = truth.table("tax_payment")
    payment["uscc"] = truth.uscc(payment["organisation_id"])
    spoilt = payment["payment_no"].astype(str).isin(truth.faulty("taxation.payment"))
    paid = payment.groupby(["uscc", "period"]).agg(amount=("amount", "sum"), count=("amount", "size"))
    unsure = payment[spoilt].set_index(["uscc", "period"]).index
    told = _rows("select * from theme.theme_taxation__organisation_month")
    told = told.rename(columns={"organisation_key": "uscc"}).set_index(["uscc", "period"])
    both = paid[~paid.index.isin(unsure)].join(told, how="inner", rsuffix="_told")
    assert len(both) > 0.8 * len(paid) > 100
    assert (both["amount"] - both["amount_told"].astype(float)).abs().max() < 0.01
    assert both["payment_count"].to_list() == both["count"].to_list()
    tax = both[["vat", "income_tax", "personal_tax"]].astype(float).sum(axis=1)
    assert (tax <= both["amount"] + 0.01).all()


def test_taxpayers_owe_what_they_owe(truth: Truth) -> None:
    told = _rows(
        "select taxpayer_id, organisation_key, credit_level, arrears from theme.theme_taxation__taxpayer"
    )
    taxpayer = truth.table("taxpayer").astype({"taxpayer_id": str})
    taxpayer = taxpayer[~taxpayer["taxpayer_id"].isin(truth.faulty("taxation.taxpayer"))]
    both = taxpayer.merge(told, on="taxpayer_id", suffixes=("", "_told"))
    assert len(both) == len(taxpayer) > 50
    assert both["credit_level"].to_list() == both["credit_level_told"].to_list()
    assert (both["arrears"].fillna(0) - both["arrears_told"].astype(float)).abs().max() < 0.01
    coded = ~both["by_old_number"]
    assert (
        both.loc[coded, "organisation_key"].to_list() == truth.uscc(both["organisation_id"])[coded].to_list()
    )
