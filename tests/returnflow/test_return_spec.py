"""Packages are read strictly: each mistake gives one message with file, key and fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from huiliu.errors import ConfigError
from returnflow.plan import plan
from returnflow.spec import load_packages

GOOD = """\
name: sample
title: 样例
model: return_sample
consumers: [township]
key: [person_key]
columns:
  - {name: person_key, type: uuid, label: 人员标识}
  - {name: name, type: text, label: 姓名}
purpose: 样例
legal_basis: 样例
valid_until: 2030-12-31
quality_floor: 0.9
scored_by: [base.base_population__person]
max_delete_share: 0.2
due_hours: 24
"""


def load(tmp_path: Path, text: str) -> None:
    (tmp_path / "sample.yml").write_text(text, encoding="utf-8")
    load_packages(tmp_path)


def test_the_shipped_packages_are_valid_and_the_sample_too(tmp_path: Path) -> None:
    packages = load_packages()
    assert set(packages) == {"resident_roster", "veteran_subsidy", "service_report"}
    assert packages["resident_roster"].consumers == ("township",)
    assert packages["service_report"].after == "metrics"
    load(tmp_path, GOOD)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("purpose:", "purpos:", r"sample\.yml: key purpos is unknown.*did you mean purpose\?"),
        ("label: 姓名", "lable: 姓名", r"key columns\.1\.lable is unknown.*did you mean label\?"),
        ("legal_basis: 样例\n", "", r"sample\.yml: key legal_basis is missing.*add legal_basis"),
        ("type: uuid", "type: guid", r'key columns\.0\.type: unknown type "guid"\. Fix: use one of: text'),
        ("type: uuid", "type: numeric", r'unknown type "numeric"'),
        ("name: sample", "name: other", r'name is "other", the file says "sample"'),
        ("key: [person_key]", "key: [person]", r"key: person is not among the columns"),
        ("name: name,", "name: person_key,", r"columns: person_key stands more than once"),
        ("key: [person_key]", "key: [person_key, name]", r"at least one must not belong to the key"),
        (
            "name: name,",
            "name: head_pid,",
            r"columns\.head_pid: an ID number leaves only with `mask: resident_id`",
        ),
        ("label: 姓名", "label: 身份证号", r"columns\.name: an ID number leaves only"),
        ("type: uuid, label: 人员标识", "type: text, label: 号, mask: resident_id", r"text and never a key"),
        ("scored_by: [base.base_population__person]\n", "", r"scored_by: a quality floor needs"),
        ("quality_floor: 0.9", "quality_floor: 90", r"key quality_floor: .*less than or equal to 1"),
        ("valid_until: 2030-12-31", "valid_until: soon", r"key valid_until: .*date"),
        ("consumers: [township]", "consumers: [village]", r"key consumers\.0: Input should be 'township'"),
        ("consumers: [township]", "consumers: [township", r"sample\.yml is not YAML"),
    ],
)
def test_a_mistake_is_named_with_its_fix(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError, match=message):
        load(tmp_path, GOOD.replace(old, new))


def test_a_file_in_the_wrong_encoding(tmp_path: Path) -> None:
    (tmp_path / "sample.yml").write_bytes(GOOD.encode("gb18030"))
    with pytest.raises(ConfigError, match=r"sample\.yml is not UTF-8"):
        load_packages(tmp_path)


def test_an_empty_folder_is_an_error_and_not_an_empty_return(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no package"):
        load_packages(tmp_path)


def test_an_unknown_package_or_consumer_stops_before_any_work() -> None:
    with pytest.raises(ConfigError, match=r'no package "resident_rooster".*did you mean resident_roster'):
        plan(["resident_rooster"])
    with pytest.raises(ConfigError, match="has no consumer 370699"):
        plan(["resident_roster"], ["370699"])
