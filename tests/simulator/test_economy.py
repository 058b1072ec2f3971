"""The truth of organisations, taxes and credit is sane."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest
from stdnum.cn import uscc
from stdnum.iso7064 import mod_11_10

from simulator import truth
from simulator.state import State

Rows = list[dict[str, object]]
PREFIXES = {
    "企业": {"91"},
    "个体工商户": {"92"},
    "农民专业合作社": {"93"},
    "社会组织": {"51", "52", "53"},
    "事业单位": {"12"},
    "机关": {"11"},
}


@pytest.fixture(scope="module")
def tables(imagined: State, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rows]:
    folder = tmp_path_factory.mktemp("truth")
    truth.write(imagined, folder)
    names = ("organisation", "officer", "tax_payment", "taxpayer", "credit_record", "organisation_change")
    return {name: pq.read_table(folder / f"{name}.parquet").to_pylist() for name in names}


def test_numbers_of_organisations_pass_independent_checks(tables: dict[str, Rows]) -> None:
    codes = [str(row["uscc"]) for row in tables["organisation"]]
    assert len(set(codes)) == len(codes) > 300
    for row in tables["organisation"]:
        code = str(row["uscc"])
        assert uscc.validate(code) == code
        assert code[:2] in PREFIXES[str(row["kind"])]
    earlier = [str(row["registration_no"]) for row in tables["organisation"] if row["registration_no"]]
    assert len(set(earlier)) == len(earlier) > 50
    assert all(len(number) == 15 and mod_11_10.is_valid(number) for number in earlier)


def test_public_bodies_have_names_of_their_own(tables: dict[str, Rows]) -> None:
    names = [row["name"] for row in tables["organisation"] if row["kind"] in ("事业单位", "机关")]
    assert len(set(names)) == len(names) > 10


def test_every_organisation_has_one_head_who_is_its_officer(tables: dict[str, Rows]) -> None:
    heads = {
        row["organisation_id"]: row["person_id"]
        for row in tables["officer"]
        if row["role"] == "法定代表人" and row["ended_on"] is None
    }
    assert heads == {row["organisation_id"]: row["head_person_id"] for row in tables["organisation"]}


def test_nobody_who_owes_has_paid_since(tables: dict[str, Rows]) -> None:
    owing = {
        row["organisation_id"]: str(row["arrears_since"])
        for row in tables["taxpayer"]
        if row["arrears_since"]
    }
    assert owing
    paid = [row for row in tables["tax_payment"] if row["organisation_id"] in owing]
    assert all(str(row["due_on"]) < owing[row["organisation_id"]] for row in paid)


def test_repairs_mend_earlier_penalties_and_listings(tables: dict[str, Rows]) -> None:
    records = {row["record_no"]: row for row in tables["credit_record"]}
    repairs = [row for row in records.values() if row["record_kind"] == "修复"]
    assert repairs
    for repair in repairs:
        mended = records[repair["repairs_no"]]
        assert mended["record_kind"] in ("处罚", "失信名单")
        assert str(mended["decided_on"]) <= str(repair["decided_on"])
        subject = ("organisation_id", "person_id")
        assert [repair[name] for name in subject] == [mended[name] for name in subject]
