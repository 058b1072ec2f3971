"""Following the flow ends only when nothing runs and nothing waits to start, and never lasts for ever."""

from __future__ import annotations

from collections import deque
from typing import Any, cast

import pytest

from huiliu import flow_watch
from huiliu.airflow_api import AirflowApi
from huiliu.errors import HuiliuError


def run(dag_id: str, state: str, run_id: str = "r1") -> dict[str, Any]:
    return {"dag_id": dag_id, "dag_run_id": run_id, "state": state, "run_after": run_id, "duration": 1.0}


class Scripted:
    """Stands for Airflow: each look sees the next scene (runs, queued events); the last one stays."""

    def __init__(self, *scenes: tuple[list[dict[str, Any]], bool]) -> None:
        self.scenes = deque(scenes)

    def runs(self, *, since: str) -> list[dict[str, Any]]:
        if len(self.scenes) > 1:
            self.scenes.popleft()
        return self.scenes[0][0]

    def unfinished_runs(self) -> list[dict[str, Any]]:
        return [each for each in self.scenes[0][0] if each["state"] in ("queued", "running")]

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        return next(
            each for each in self.scenes[0][0] if (each["dag_id"], each["dag_run_id"]) == (dag_id, run_id)
        )

    def has_queued_events(self, dag_id: str) -> bool:
        return self.scenes[0][1]

    def task_instances(self, **_: object) -> list[dict[str, Any]]:
        return []


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow_watch, "POLL_SECONDS", 0.01)


def follow(api: Scripted) -> flow_watch.Flow:
    flow = flow_watch.Flow()
    flow_watch.follow(cast(AirflowApi, api), flow, since="2026-01-15", show=lambda _: None)
    return flow


def test_an_event_that_waits_to_start_a_run_keeps_the_watch_going() -> None:
    done, built = run("ingest_police", "success"), run("build_warehouse", "success")
    api = Scripted(
        ([], False),
        ([run("ingest_police", "running")], False),
        ([done], True),
        ([done, run("build_warehouse", "running")], False),
        ([done, built], False),
    )
    assert follow(api).of("build_warehouse") == [built]


def test_a_run_that_starts_while_looking_for_events_is_followed_too() -> None:
    done = run("ingest_police", "success")
    api = Scripted(
        ([], False),
        ([done], False),
        ([done, run("build_warehouse", "running")], False),
        ([done, run("build_warehouse", "failed")], False),
    )
    flow = follow(api)
    assert [each["dag_id"] for each in flow.failed] == ["build_warehouse"]


def test_the_daily_probe_is_neither_waited_for_nor_counted() -> None:
    api = Scripted(([], False), ([run("probe_sources", "running"), run("ingest_police", "success")], False))
    assert [dag_id for dag_id, _ in follow(api).runs] == ["ingest_police"]


def test_a_failure_made_good_by_a_later_run_is_no_failure() -> None:
    api = Scripted(
        ([], False),
        ([run("build_warehouse", "failed", "r1"), run("build_warehouse", "success", "r2")], False),
    )
    assert follow(api).failed == []


def test_a_standstill_ends_with_what_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow_watch, "STANDSTILL_SECONDS", 0.05)
    with pytest.raises(HuiliuError, match="waiting for: score_quality"):
        follow(Scripted(([], False), ([run("score_quality", "running")], False)))
