"""Contracts written whole are Soda contracts with every check of ours."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import yaml
from soda_core.common.yaml import ContractYamlSource
from soda_core.contracts.impl.contract_yaml import ContractYaml
from toy_source import toy_contract
from typer.testing import CliRunner

from huiliu.cli import app
from soda_checks.contract import load_contracts
from soda_checks.documents import document


def test_soda_reads_every_check() -> None:
    contract = toy_contract()
    read = ContractYaml.parse(ContractYamlSource.from_str(document(contract, date(2026, 1, 15))))
    found = [check for column in read.columns for check in column.check_yamls] + read.checks
    assert len(found) == len(list(contract.bound()))


def test_a_check_is_written_whole() -> None:
    written = yaml.safe_load(document(toy_contract(), date(2026, 1, 15)))
    (future,) = (
        check["failed_rows"]
        for column in written["columns"]
        for check in column["checks"]
        if check["failed_rows"]["qualifier"] == "a06"
    )
    assert future == {
        "name": "出生日期：事件发生在未来",
        "qualifier": "a06",
        "attributes": {
            "rule_id": "A06",
            "department": "市公安局",
            "weight": 1.0,
            "blocking": False,
            "gate": True,
            "dimension": "accuracy",
        },
        "threshold": {"must_be": 0, "level": "warn"},
        "filter": '"born_on" is not null',
        "expression": "\"born_on\" > date '2026-01-15'",
    }


def test_the_command_lists_and_writes_every_contract(tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["contracts", "--json", "--write", str(tmp_path)])
    assert answer.exit_code == 0
    known = load_contracts()
    assert {row["table"] for row in json.loads(answer.stdout)} == set(known)
    assert {f"{path.parent.name}.{path.stem}" for path in tmp_path.glob("*/*.yml")} == set(known)
