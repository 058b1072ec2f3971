"""What `huiliu replace`, `huiliu score` and `huiliu run` make of the gate and of a scoring."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from toy_source import ToySource, people
from typer.testing import CliRunner

import ingestion.run
import returnflow.run
import soda_checks.corrections.lists
import soda_checks.gate
import soda_checks.score
import transformation.build
import transformation.checks
from huiliu.cli import app
from huiliu.errors import DataError
from huiliu.flow import run_flow
from soda_checks.gate import BatchVerdict, GateResult, gate_staging
from soda_checks.score import ScoreResult
from transformation.build import BuildResult

SCORED = ScoreResult(
    batch_id=7,
    city_score=Decimal("0.9"),
    tables=[],
    checks=3,
    failing_checks=0,
    corrections_opened=0,
    corrections_closed=0,
    corrections_overdue=0,
    calendar="周一至周五",
    problems=[],
)
PROBLEM = "staging.stg_toy__person C01: 缺少列：name"


def _scoring(monkeypatch: pytest.MonkeyPatch, problems: list[str]) -> None:
    monkeypatch.setattr(soda_checks.score, "score", lambda: replace(SCORED, problems=problems))


def test_replace_sets_a_held_batch_aside(toy: ToySource) -> None:
    batch = toy.land(people(1, 40, pid="x"))
    gate_staging(toy.contracts)
    decision = ["replace", str(batch), "--by", "王工", "--reason", "已整表重报"]
    refused = CliRunner().invoke(app, decision)
    assert isinstance(refused.exception, DataError)
    assert toy.gate_status() == {batch: "held"}
    toy.land(people(1, 40), op="U")
    done = CliRunner().invoke(app, decision)
    assert (done.exit_code, done.output) == (0, f"batch {batch} replaced\n")
    assert toy.gate_status() == {batch: "replaced"}


def test_score_fails_if_a_rule_could_not_be_evaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    _scoring(monkeypatch, [])
    assert CliRunner().invoke(app, ["score", "--json"]).exit_code == 0
    _scoring(monkeypatch, [PROBLEM])
    result = CliRunner().invoke(app, ["score", "--json"])
    assert result.exit_code == 1
    assert '"batch_id": 7' in result.stdout
    assert PROBLEM in result.stderr


def test_a_run_lists_held_batches_and_rules_that_could_not_be_evaluated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    delivered: list[list[str]] = []
    held = BatchVerdict(3, "toy", "person", "held", 40, "C01 必填项为空（pid）")
    monkeypatch.setattr(ingestion.run, "ingest", lambda: [])
    monkeypatch.setattr(transformation.checks, "ensure_typed_views", lambda: None)
    monkeypatch.setattr(soda_checks.gate, "gate_staging", lambda: GateResult([held]))
    monkeypatch.setattr(transformation.build, "build", lambda: BuildResult(1, date(2026, 1, 15)))
    monkeypatch.setattr(transformation.build, "build_metrics", lambda: None)
    monkeypatch.setattr(returnflow.run, "deliver_all", delivered.append)
    monkeypatch.setattr(soda_checks.corrections.lists, "send_lists", lambda: [])
    _scoring(monkeypatch, [PROBLEM])
    said: list[str] = []
    failures = run_flow(said.append)
    assert failures == ["gate: batch 3 of person is held: C01 必填项为空（pid）", f"score: {PROBLEM}"]
    assert f"score failed: {PROBLEM}" in said
    # Neither stops the deliveries.
    assert len(delivered) == 2
