"""An operator's decision in Airflow about a held batch: who decided, what is refused, and how it is said."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from airflow.sdk.exceptions import ParamValidationError

from dags import release_batch, reporting
from huiliu.errors import ConfigError
from soda_checks.decisions import HeldBatch


class DagRun(NamedTuple):
    """What a task knows of its run."""

    triggering_user_name: str | None


def context_of(user: str | None) -> dict[str, Any]:
    return {"dag_run": DagRun(user)}


def test_the_decider_is_the_user_who_triggered_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release_batch, "get_current_context", lambda: context_of("王工"))
    assert release_batch.decider() == "王工"


def test_a_run_that_nobody_triggered_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release_batch, "get_current_context", lambda: context_of(None))
    with pytest.raises(ConfigError, match="不知道是谁触发的"):
        release_batch.decider()


@pytest.mark.parametrize(
    ("name", "value"), [("batch_id", 0), ("batch_id", "十二"), ("reason", "行"), ("decision", "x")]
)
def test_the_form_refuses_what_is_no_decision(name: str, value: object) -> None:
    with pytest.raises(ParamValidationError):
        release_batch.PARAMS[name].resolve(value=value)


@pytest.mark.parametrize("name", ["batch_id", "decision", "reason"])
def test_the_form_asks_for_number_decision_and_reason(name: str) -> None:
    with pytest.raises(ParamValidationError):
        release_batch.PARAMS[name].resolve()


def test_a_red_check_says_which_batch_is_held_and_where_to_decide(caplog: pytest.LogCaptureFixture) -> None:
    gated = {"held": ["12 civil_affairs.subsidy_award: C01 必填项为空（pid）：60 行中 20 行不合格"]}
    with pytest.raises(Exception, match="held batch 12"):
        reporting.fail_if_held_or_failed(gated, None)
    assert "12 civil_affairs.subsidy_award" in caplog.text
    assert "/dags/release_batch" in caplog.text


@pytest.mark.parametrize("is_held", [True, False])
def test_a_decision_is_reported_also_when_it_was_made_before(
    is_held: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="huiliu"):
        batch = HeldBatch(12, "civil_affairs", "subsidy_award", is_held, rows=60, quarantined=20, waiting=1)
        said = reporting.decided(batch, "release", "王工")
    assert said == {
        "batch_id": 12,
        "table": "civil_affairs.subsidy_award",
        "decision": "release",
        "by": "王工",
        "rows": 60,
        "quarantined": 20,
        "waiting": 1,
    }
    assert "本批变更 60 行，其中隔离 20 行；其后排队 1 批" in caplog.text
    assert ("此前已作同样决定" in caplog.text) is not is_held
