"""
### 建库：staging → base → theme → special → return

**做什么**：任一来源落地后启动；等同批在跑的采集都结束（不论成败），再过入库闸门，用 dbt 一次构建全部模型。
只处理新到并放行的批次与到期的键。每个模型的结果写入 `ops.model_run`，本页日志逐一列出。

**失败时**：
- `gate_staging` 失败：质量合约写错，日志写明文件；改正后清除该任务。
- `check_models` 失败：有批次被扣留（看日志中的批次号与规则；由部门更正重报，
  或在「放行 · 被扣留的批次」中决定），或有模型失败（看 `ops.model_run.message`，
  改正后清除 `build_models`）。其余数据已照常流向下游。
- `strike_off_tasks` 失败：需求清单写错，日志写明文件；改正后清除该任务，建库不受影响。

**What**: when any source has landed, or a held batch was decided about, waits for the ingest runs under
way, gates the batches, runs one dbt build. **Inputs**: assets `source_*` and `decisions`; `raw`,
`ops.batch_gate`. **Output**: asset `warehouse`, also when a model failed: the others flow on.
**On failure**: see above; a held batch or a failed model turns the run red, and nothing else stops.
"""

from __future__ import annotations

import time
from datetime import timedelta
from functools import reduce
from operator import or_
from typing import Any

from airflow.sdk import TriggerRule, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from dags import reporting
from dags.wiring import DECISIONS, DEFAULT_ARGS, WAREHOUSE, WAREHOUSE_POOL, source_asset
from ingestion.spec import read_specs

SOURCES = [name for specs in read_specs() for name in specs]
WAIT = timedelta(minutes=45)
LOOK_EVERY = timedelta(seconds=1)


@dag(
    dag_id="build_warehouse",
    dag_display_name="建库 · 闸门与模型",
    doc_md=__doc__,
    # Any of them, not all: one source that fails must not hold up the others. What an operator decided
    # about a held batch counts like a load.
    schedule=reduce(or_, [*(source_asset(name) for name in SOURCES), DECISIONS]),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["建库", "dbt"],
)
def build_warehouse() -> None:
    """Wait for loads, gate, build, check."""

    @task(task_display_name="等待采集结束", execution_timeout=WAIT + timedelta(minutes=5))
    def wait_for_loads() -> None:
        ti = get_current_context()["ti"]
        until = time.monotonic() + WAIT.total_seconds()
        while busy := [
            name for name in SOURCES if ti.get_dr_count(dag_id=f"ingest_{name}", states=["queued", "running"])
        ]:
            if time.monotonic() > until:
                reporting.waited_enough(busy)
                return
            time.sleep(LOOK_EVERY.total_seconds())

    @task(task_display_name="入库闸门", multiple_outputs=False, pool=WAREHOUSE_POOL)
    def gate_staging() -> dict[str, Any]:
        from ingestion.run import ensure_raw_tables
        from soda_checks.gate import gate_staging as gate
        from transformation.checks import ensure_typed_views

        # Also for a source that never landed: staging stands on every raw table.
        ensure_raw_tables()
        ensure_typed_views()
        return reporting.gate(gate())

    @task(
        task_display_name="构建模型",
        multiple_outputs=False,
        pool=WAREHOUSE_POOL,
        outlets=[WAREHOUSE],
        execution_timeout=timedelta(hours=3),
    )
    def build_models(gated: dict[str, Any]) -> dict[str, Any]:
        from transformation.build import build

        summary = reporting.build(build(progress=reporting.model_ended))
        # While a batch is held the flow goes on even so: those who read of its source are told.
        if summary["nothing_to_do"] and not gated["held"]:
            raise AirflowSkipException("没有新批次，也没有到期的键 / nothing new landed and no key fell due")
        return reporting.on_event(WAREHOUSE, summary)

    # Runs also when there was nothing to build: a held batch must be seen all the same.
    @task(task_display_name="核对结果", trigger_rule=TriggerRule.NONE_FAILED)
    def check_models(gated: dict[str, Any], built: dict[str, Any] | None) -> None:
        reporting.fail_if_held_or_failed(gated, built)

    # Beside the build: a wrong demand list stops nothing.
    @task(task_display_name="登记与核销需求任务", multiple_outputs=False)
    def strike_off_tasks() -> dict[str, Any]:
        from ingestion.demands import settle

        return reporting.tasks(settle())

    gated = gate_staging()
    built = build_models(gated)
    wait_for_loads() >> gated >> [built, strike_off_tasks()]
    check_models(gated, built)


build_warehouse()
