"""Starts the flow in Airflow and follows it until every run it caused has ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from huiliu.airflow_api import UNFINISHED, AirflowApi
from huiliu.errors import HuiliuError

# After the sources; each starts the next by its asset.
CHAIN = ("build_warehouse", "score_quality", "send_corrections", "return_packages", "compute_metrics")
# Switched on with the others and run by the clock: neither caused by the flow nor part of it.
BESIDE = ("probe_sources",)
# Never ends, so nobody waits for it, and the demo leaves it as it is.
STREAM = "stream_cleaning"
POLL_SECONDS = 1.0
STANDSTILL_SECONDS = 900.0
READ_SECONDS = 120.0

_WAITING = {"up_for_retry": "to be tried again", "up_for_reschedule": "waits its turn"}
_FAILED = ["failed", "upstream_failed"]


@dataclass
class Flow:
    """The runs under watch: the state and times of each by (dag_id, run_id), and the tasks at work now."""

    runs: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    at_work: list[str] = field(default_factory=list)

    @property
    def unfinished(self) -> list[dict[str, Any]]:
        """Runs that are queued or running."""
        return [run for run in self.runs.values() if run["state"] in UNFINISHED]

    @property
    def failed(self) -> list[dict[str, Any]]:
        """The last run of each DAG, where it failed: an earlier one was made good by it."""
        last = [self.of(dag_id)[-1] for dag_id in sorted({key[0] for key in self.runs})]
        return [run for run in last if run["state"] == "failed"]

    def of(self, dag_id: str) -> list[dict[str, Any]]:
        """Runs of one DAG, oldest first."""
        return sorted(
            (run for key, run in self.runs.items() if key[0] == dag_id), key=lambda run: run["run_after"]
        )


Show = Callable[[Flow], None]


def wait_for_dags(api: AirflowApi, wanted: Iterable[str]) -> None:
    """Wait until Airflow has read these DAGs; HuiliuError names the missing and the unreadable files."""
    missing = set(wanted)
    until = time.monotonic() + READ_SECONDS
    while missing := missing - set(api.dag_ids()):
        errors = api.import_errors()
        if errors or time.monotonic() > until:
            raise HuiliuError(
                f"Airflow has not read {', '.join(sorted(missing))}: {' '.join(errors) or 'no import error'}",
                fix="correct the file in dags/, or see the log airflow-dag-processor.log",
            )
        time.sleep(0.5)


def follow(api: AirflowApi, flow: Flow, *, since: str, show: Show) -> None:
    """Watch until nothing runs and no asset event waits to start a run; HuiliuError when nothing moves.

    An event becomes a run within a moment: quiet is only believed when seen again after looking for events.
    """
    moved, seen = time.monotonic(), ""
    while True:
        _look(api, flow, since)
        show(flow)
        if not flow.unfinished and not any(api.has_queued_events(dag_id) for dag_id in CHAIN):
            before = len(flow.runs)
            _look(api, flow, since)
            if not flow.unfinished and len(flow.runs) == before:
                show(flow)
                return
        now = f"{sorted((key, run['state']) for key, run in flow.runs.items())} {flow.at_work}"
        if now != seen:
            moved, seen = time.monotonic(), now
        if time.monotonic() - moved > STANDSTILL_SECONDS:
            stuck = (
                ", ".join(flow.at_work)
                or ", ".join(run["dag_id"] for run in flow.unfinished)
                or "asset events"
            )
            raise HuiliuError(
                f"nothing has moved in Airflow for {STANDSTILL_SECONDS:.0f} s; waiting for: {stuck}",
                fix="see the task's log in the web interface and `huiliu status`",
            )
        time.sleep(POLL_SECONDS)


def _look(api: AirflowApi, flow: Flow, since: str) -> None:
    for run in [*api.runs(since=since), *api.unfinished_runs()]:
        if run["dag_id"] not in (*BESIDE, STREAM):
            flow.runs[run["dag_id"], run["dag_run_id"]] = run
    known = {(run["dag_id"], run["dag_run_id"]) for run in api.unfinished_runs()}
    for key, run in flow.runs.items():
        if run["state"] in UNFINISHED and key not in known:
            flow.runs[key] = api.run(*key)
    busy = api.task_instances(state=["running", *_WAITING]) if known else []
    flow.at_work = sorted(
        f"{task['dag_id']}.{task_label(task)}" for task in busy if task["dag_id"] not in (*BESIDE, STREAM)
    )


def task_label(task: dict[str, Any]) -> str:
    """A task's name with the label of a mapped one, and that it waits for another try or for its turn."""
    label = str(task["task_id"])
    if task["map_index"] >= 0:
        label += f" [{task['rendered_map_index'] or task['map_index']}]"
    waits = _WAITING.get(task["state"])
    return f"{label} ({waits})" if waits else label


def failures(api: AirflowApi, flow: Flow) -> list[str]:
    """A text for each failed task of the flow, with the end of its log."""
    texts = []
    for run in flow.failed:
        tasks = api.task_instances(state=_FAILED, dag_id=run["dag_id"], run_id=run["dag_run_id"])
        own = [task for task in tasks if task["state"] == "failed"]
        texts += [f"{run['dag_id']}.{task_label(task)}\n{api.log_tail(task)}" for task in own]
        if not own:
            texts.append(f"{run['dag_id']} {run['dag_run_id']} failed without a failed task (timed out?)")
    return texts
