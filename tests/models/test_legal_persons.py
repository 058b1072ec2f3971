"""Organisations, their names and officers, taxes and risks against the simulator's truth."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from huiliu.database import connect

MARKET = ["企业", "个体工商户", "农民专业合作社"]


def read_truth(home: Path, table: str) -> pd.DataFrame:
    return pd.read_parquet(home / "truth" / f"{table}.parquet")


def spoilt(home: Path, table: str, *columns: str) -> set[str]:
    """Return the keys of rows of which a column is blank or wrong; without columns, that have any fault."""
    fault = read_truth(home, "fault")
    fault = fault[fault["source"] + "." + fault["table_name"] == table]
    if columns:
        fault = fault[fault["column_name"].isin(columns) & fault["kind"].isin(["blank", "wrong"])]
    return set(fault["row_key"])


def read(query: str) -> pd.DataFrame:
    with connect("warehouse") as connection:
        cursor = connection.execute(query.encode())
        names = [column.name for column in cursor.description or ()]
        return pd.DataFrame(cursor.fetchall(), columns=names)


@pytest.fixture(scope="module")
def truth(built_city: Path) -> pd.DataFrame:
    return read_truth(built_city, "organisation").set_index("organisation_id")


@pytest.fixture(scope="module")
def resolved(built_city: Path, truth: pd.DataFrame) -> pd.DataFrame:
    """Every row about an organisation that has a number in its source, with the true code of its subject."""
    rows = read("select source, source_id, organisation_key, resolved_by from base.int_organisation_resolved")
    rows = rows[rows["source_id"].notna()].copy()
    fault = read_truth(built_city, "fault")
    repeats = fault[fault["kind"].isin(["duplicate", "contradictory"])]
    number = rows["source_id"].str.lstrip("SZ").astype(int)
    rows = rows[number < 500_000_000].copy()
    assert len(repeats)
    ids = number[number < 500_000_000]
    taxpayer = read_truth(built_city, "taxpayer").set_index("taxpayer_id")["organisation_id"]
    ids = ids.where(rows["source"] != "taxation.taxpayer", ids.map(taxpayer))
    rows["true_uscc"] = ids.map(truth["uscc"])
    return rows


def test_every_kind_of_organisation_is_there(truth: pd.DataFrame) -> None:
    known = read("select subject_kind, count(*) as rows from base.base_legal_person__organisation group by 1")
    counted = known.set_index("subject_kind")["rows"]
    for kind, there in truth["kind"].value_counts().items():
        assert counted[kind] == pytest.approx(there, abs=2), kind


def test_no_row_goes_to_another_organisation_with_a_valid_code(
    truth: pd.DataFrame, resolved: pd.DataFrame
) -> None:
    at_somebodys = resolved["organisation_key"].isin(truth["uscc"])
    assert (resolved["organisation_key"] == resolved["true_uscc"])[at_somebodys].all()
    merged = read(
        "select organisation_key from base.int_organisation_resolved where uscc_is_valid"
        " group by 1 having count(distinct uscc) > 1"
    )
    assert merged.empty


def test_rows_without_a_code_find_their_organisation(resolved: pd.DataFrame) -> None:
    right = resolved["organisation_key"] == resolved["true_uscc"]
    assert right.mean() >= 0.97
    by_other_means = resolved[resolved["resolved_by"].isin(["registration_no", "name"])]
    assert {"registration_no", "name"} <= set(by_other_means["resolved_by"])
    assert (by_other_means["organisation_key"] == by_other_means["true_uscc"]).mean() >= 0.97


def test_golden_values_are_the_truth(truth: pd.DataFrame) -> None:
    golden = read(
        "select uscc, name, cast(established_on as text) as established_on, status,"
        " cast(ended_on as text) as ended_on, subject_kind, district_code, lost_candidates"
        " from base.base_legal_person__organisation where uscc_is_valid"
    ).set_index("uscc")
    both = truth.set_index("uscc").join(golden, rsuffix="_golden", how="inner")
    assert len(both) >= 0.97 * len(truth)
    for column in ("name", "established_on", "status", "subject_kind"):
        true = both["kind" if column == "subject_kind" else column]
        said = both[f"{column}_golden" if f"{column}_golden" in both else column]
        present = said.notna()
        assert (true.astype(str) == said.astype(str))[present].mean() >= 0.98, column
        assert present.mean() >= 0.95, column
    astray = both[both["district_code"] != both["district_code_golden"]]
    assert astray["district_code_golden"].isna().all()
    assert len(astray) <= 2
    assert golden["lost_candidates"].map(bool).any()


def test_former_names_and_numbers_lead_to_the_organisation(built_city: Path, truth: pd.DataFrame) -> None:
    identifier = read("select * from base.base_legal_person__identifier where is_unique")
    key = identifier.set_index("identifier")["organisation_key"]
    change = read_truth(built_city, "organisation_change")
    change = change[change["former_name"].notna()].join(truth[["uscc"]], on="organisation_id")
    found = ("name:" + change["former_name"]).map(key)
    assert found.notna().mean() >= 0.8
    coded = found.isin(truth["uscc"])
    assert (found == change["uscc"])[coded].all()
    assert coded.mean() >= 0.75
    numbered = truth[truth["registration_no"].notna()]
    found = ("registration_no:" + numbered["registration_no"]).map(key)
    assert (found == numbered["uscc"]).mean() >= 0.9


def test_names_follow_each_other(built_city: Path) -> None:
    names = read("select * from base.base_legal_person__name order by organisation_key, name_no")
    assert names.groupby("organisation_key")["valid_until"].apply(lambda days: days.isna().sum()).max() == 1
    former = names[names["valid_until"].notna()]
    assert len(former) > 5
    following = names.groupby("organisation_key")["valid_from"].shift(-1)
    assert (following[former.index] == former["valid_until"]).all()


def test_officers_are_the_true_ones(built_city: Path, truth: pd.DataFrame) -> None:
    known = read(
        "select officer.organisation_key as uscc, person.pid, officer.office_held as role"
        " from base.base_legal_person__officer as officer"
        " inner join base.base_population__person as person using (person_key)"
    )
    person = read_truth(built_city, "person").set_index("person_id")["pid"]
    officer = read_truth(built_city, "officer").join(
        truth[["uscc", "kind", "unconverted"]], on="organisation_id"
    )
    officer = officer[officer["kind"].isin(MARKET)]
    officer["pid"] = officer["person_id"].map(person)
    nobodys = officer["officer_id"].astype(str).isin(spoilt(built_city, "market_regulation.officer", "pid"))
    uncoded = officer["unconverted"] | officer["organisation_id"].astype(str).isin(
        spoilt(built_city, "market_regulation.entity", "uscc", "registration_no")
    )
    certain = officer[~nobodys & ~uncoded]
    true = set(officer[["uscc", "pid", "role"]].itertuples(index=False, name=None))
    said = set(known.itertuples(index=False, name=None))
    of_valid = {row for row in said if row[0] in set(truth["uscc"])}
    assert of_valid <= true
    assert len(certain) > 100
    assert set(certain[["uscc", "pid", "role"]].itertuples(index=False, name=None)) <= of_valid


def test_payments_go_to_those_who_paid(built_city: Path, truth: pd.DataFrame) -> None:
    payment = read("select payment_no, organisation_key, amount from theme.theme_taxation__payment")
    payment = payment.set_index("payment_no")
    true = read_truth(built_city, "tax_payment").set_index("payment_no")
    true = true.join(truth[["uscc", "name"]], on="organisation_id").loc[payment.index]
    said = payment["organisation_key"]
    assert (said.isna() | (said == true["uscc"])).all()
    # Where the code fails the name decides: unless it is spoilt, too, or another's as well.
    fault = read_truth(built_city, "fault")
    named = fault.loc[(fault["source"] == "taxation") & (fault["column_name"] == "taxpayer_name"), "row_key"]
    shared = true["name"].isin(truth.loc[truth["name"].duplicated(), "name"])
    doubtful = true.index.astype(str).isin(named) | shared
    assert (said == true["uscc"])[~doubtful].all()
    assert (~doubtful).mean() > 0.8
    assert (payment["amount"].astype(float).round(2) == true["amount"].round(2)).all()
    month = read("select sum(amount) as amount from theme.theme_taxation__district_month")
    assert float(month["amount"][0]) == pytest.approx(
        float(payment["amount"][payment["organisation_key"].notna()].sum())
    )


def test_every_risk_has_evidence_that_the_truth_bears_out(built_city: Path, truth: pd.DataFrame) -> None:
    indicator = read("select * from theme.theme_financial_risk__indicator")
    assert (indicator["value"] >= indicator["threshold"]).all()
    owing = read_truth(built_city, "taxpayer").join(truth[["uscc", "status"]], on="organisation_id")
    owing = owing[(owing["arrears"] >= 10_000) & (owing["status"] == "存续")]
    said = indicator[indicator["indicator"] == "tax_arrears"]
    said = said[said["organisation_key"].isin(truth["uscc"])]
    assert set(said["organisation_key"]) <= set(owing["uscc"])
    clean = ~owing["taxpayer_id"].astype(str).isin(spoilt(built_city, "taxation.taxpayer"))
    assert set(owing.loc[clean & ~owing["by_old_number"], "uscc"]) <= set(said["organisation_key"])
    listed = read("select organisation_key, points, evidence from theme.theme_financial_risk__organisation")
    assert set(listed["organisation_key"]) == set(indicator["organisation_key"])
    points = indicator.groupby("organisation_key")["points"].sum()
    assert (
        listed.set_index("organisation_key")["points"] == points.reindex(listed["organisation_key"])
    ).all()
