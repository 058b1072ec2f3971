"""Run by the tests in a process of its own: read every DAG with no server at hand, write it out as JSON.

Arguments: the DAGs' folder and, optionally, another folder of source specs.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG, Asset

import dags.wiring  # noqa: F401 - what all DAGs import, so that below only their reading is timed
import ingestion.spec


def triggers(dag: DAG) -> list[Asset]:
    """The assets that start a DAG: none, one, or any of several."""
    condition = getattr(dag.timetable, "asset_condition", None)
    return list(getattr(condition, "objects", [condition])) if condition is not None else []


if len(sys.argv) > 2:
    ingestion.spec.SOURCES = Path(sys.argv[2])

begun, cpu = time.monotonic(), time.process_time()
bag = DagBag(sys.argv[1])
sys.stdout.write(
    json.dumps(
        {
            "seconds": time.monotonic() - begun,
            "cpu_seconds": time.process_time() - cpu,
            "import_errors": bag.import_errors,
            "files": {Path(stat.file).name: stat.dag_num for stat in bag.dagbag_stats},
            "dags": {
                dag.dag_id: {
                    "display_name": dag.dag_display_name,
                    "doc": dag.doc_md or "",
                    "tags": sorted(dag.tags),
                    "max_active_runs": dag.max_active_runs,
                    "catchup": dag.catchup,
                    "triggers": sorted(asset.name for asset in triggers(dag)),
                    "deadlines": [
                        {
                            "reference": alert.reference.reference_name,
                            "hours": alert.interval.total_seconds() / 3600,
                            "calls": alert.callback.path,
                            "with": alert.callback.kwargs,
                        }
                        for alert in dag.deadline or []
                    ],
                    "params": dag.params.dump(),
                    "any_of": type(getattr(dag.timetable, "asset_condition", None)).__name__,
                    "tasks": {
                        task.task_id: {
                            "owner": task.owner,
                            "retries": task.retries,
                            "policy": type(task.retry_policy).__name__,
                            "timeout": task.execution_timeout.total_seconds()
                            if task.execution_timeout
                            else None,
                            "pool": task.pool,
                            "outlets": sorted(asset.name for asset in task.outlets),
                            "upstream": sorted(task.upstream_task_ids),
                            "rule": task.trigger_rule.value,
                        }
                        for task in dag.tasks
                    },
                }
                for dag in bag.dags.values()
            },
        }
    )
)
