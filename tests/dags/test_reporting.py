"""What the flow's steps report, and which faults the retry policy lets pass."""

from __future__ import annotations

import psycopg
import pytest
from airflow.sdk import RetryAction

from dags import reporting
from dags.wiring import RETRY_POLICY
from huiliu.errors import ConfigError, DataError, TransientError
from ingestion.errors import IngestError, RetryableIngestError

QUIET = {"held": [], "passed": 3, "waiting": 0}


@pytest.mark.parametrize(
    ("error", "action"),
    [
        (TransientError("unreachable", fix="wait"), RetryAction.DEFAULT),
        (RetryableIngestError("unreachable", fix="wait"), RetryAction.DEFAULT),
        (ConfigError("wrong", fix="mend"), RetryAction.FAIL),
        (DataError("wrong", fix="mend"), RetryAction.FAIL),
        (IngestError("wrong", fix="mend"), RetryAction.FAIL),
        (psycopg.errors.UndefinedColumn("no such column"), RetryAction.FAIL),
        (psycopg.OperationalError("gone"), RetryAction.DEFAULT),
        (MemoryError(), RetryAction.DEFAULT),
    ],
)
def test_a_passing_fault_is_retried_and_a_fatal_one_is_not(error: Exception, action: RetryAction) -> None:
    assert RETRY_POLICY.evaluate(error, try_number=1, max_tries=2).action is action


def test_a_build_with_nothing_wrong_passes_also_when_there_was_nothing_to_do() -> None:
    reporting.fail_if_held_or_failed(QUIET, None)
    reporting.fail_if_held_or_failed(QUIET, {"failed": []})


@pytest.mark.parametrize(
    ("gated", "built"),
    [
        ({**QUIET, "held": ["7 police.resident: too many"]}, None),
        (QUIET, {"failed": ["base_population__person: no"]}),
    ],
)
def test_a_held_batch_or_a_failed_model_turns_the_run_red(
    gated: dict[str, object], built: dict[str, object] | None
) -> None:
    with pytest.raises(DataError, match=r"police.resident|base_population__person"):
        reporting.fail_if_held_or_failed(gated, built)


def test_a_delivery_without_a_matching_receipt_turns_the_run_red() -> None:
    summary = {"problems": [], "missing": ["resident_roster 370602001: failed"], "missing_count": 1}
    with pytest.raises(DataError, match="370602001"):
        reporting.fail_if_undelivered(summary)
    reporting.fail_if_undelivered({"problems": [], "missing": [], "missing_count": 0})


@pytest.mark.parametrize("planned", [None, []])
def test_a_return_that_planned_nothing_turns_the_run_red(planned: list[dict[str, object]] | None) -> None:
    with pytest.raises(DataError, match="nothing was planned"):
        reporting.fail_if_undelivered(reporting.recorded(planned))


def test_a_rule_that_was_not_evaluated_turns_the_run_red() -> None:
    with pytest.raises(DataError, match="C01"):
        reporting.fail_if_not_evaluated({"problems": ["C01 of base.x: no such column"]})
    reporting.fail_if_not_evaluated({"problems": []})
