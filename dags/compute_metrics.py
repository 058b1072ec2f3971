"""
### 指标：挂接率、回流完整率、回流及时率、质量得分

**做什么**：每批回流之后（有镇街失败也照常）计算 `metrics.kpi`，并把「服务报告」交付给各区市、镇街。

**失败时**：`build_metrics` 失败看 `ops.model_run.message`；`deliver_report` 失败看日志中的镇街与原因。
改正后清除该任务即可。指标为空（NULL）不是失败，原因写在 `note` 列。

**What**: builds `metrics.kpi` and delivers the service report. **Inputs**: asset `returns`; `ops`, `quality`.
**Output**: asset `metrics`. **On failure**: mend what the log names, then clear the task.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import dag, task

from dags import reporting
from dags.wiring import DEFAULT_ARGS, FRONT_ENDS_POOL, METRICS, RETURNS, WAREHOUSE_POOL
from returnflow.spec import load_packages

PACKAGES = [package.name for package in load_packages().values() if package.after == "metrics"]


@dag(
    dag_id="compute_metrics",
    dag_display_name="指标 · 计算与服务报告",
    doc_md=__doc__,
    schedule=RETURNS,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["指标", "dbt"],
)
def compute_metrics() -> None:
    """Build the metrics, then deliver the report on them."""

    @task(
        task_display_name="计算指标",
        multiple_outputs=False,
        pool=WAREHOUSE_POOL,
        outlets=[METRICS],
        execution_timeout=timedelta(hours=1),
    )
    def build_metrics() -> dict[str, Any]:
        from transformation.build import build_metrics as compute

        return reporting.on_event(METRICS, reporting.build(compute(progress=reporting.model_ended)))

    @task(
        task_display_name="交付服务报告",
        multiple_outputs=False,
        pool=FRONT_ENDS_POOL,
        execution_timeout=timedelta(minutes=30),
    )
    def deliver_report() -> dict[str, Any]:
        from returnflow.run import deliver_all

        return reporting.delivered(deliver_all(PACKAGES))

    build_metrics() >> deliver_report()


compute_metrics()
