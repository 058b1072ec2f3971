"""
### 数据回流：交付到区市、镇街前置库

**做什么**：评分后，比较各数据包与接收方现有数据，排定到期交付（零行也算），按前置库逐个交付差异，
交付后在目的端核对行数与校验和，写入 `ops.delivery`、`ops.receipt`。未达质量下限的包不交付，接收方会收到说明。

**失败时**：红色的 `deliver` 即出问题的前置库（名称写在任务上），日志逐个写明镇街、原因与处理办法；
其余镇街已照常交付。修好后清除该 `deliver` 任务；或等下一批，会自动补齐。

**What**: plans what is due, delivers the differences to each front-end database and takes receipts.
**Inputs**: asset `quality`; `return.*`, `returnflow/packages/*.yml`. **Output**: asset `returns`, also when
some deliveries failed. **On failure**: the red `deliver` is labelled with its database, its log names each
consumer, cause and fix; all others were served. Mend it, then clear that task; the next batch does too.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import TriggerRule, dag, task

from dags import reporting
from dags.wiring import DEFAULT_ARGS, FRONT_ENDS_POOL, QUALITY, RETURNS
from returnflow.spec import load_packages

PACKAGES = [package.name for package in load_packages().values() if package.after == "score"]


@dag(
    dag_id="return_packages",
    dag_display_name="回流 · 交付前置库",
    doc_md=__doc__,
    schedule=QUALITY,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["回流"],
)
def return_packages() -> None:
    """Plan, deliver to each front-end database, record, then fail if any delivery did."""

    @task(task_display_name="排定到期交付")
    def plan_returns() -> list[dict[str, Any]]:
        from returnflow import run

        return reporting.planned(run.plan_returns(PACKAGES))

    @task(
        task_display_name="交付前置库",
        multiple_outputs=False,
        pool=FRONT_ENDS_POOL,
        map_index_template="{{ task.op_kwargs['front']['name'] }}",
        execution_timeout=timedelta(minutes=30),
    )
    def deliver(front: dict[str, Any]) -> dict[str, Any]:
        from returnflow.run import deliver_database

        return reporting.delivered(deliver_database(front["code"], front["batch_id"]))

    # Also when a delivery failed: what was delivered counts, and the metrics show the rest as missing.
    @task(
        task_display_name="登记交付结果",
        multiple_outputs=False,
        trigger_rule=TriggerRule.ALL_DONE,
        outlets=[RETURNS],
    )
    def record_outcome(fronts: list[dict[str, Any]]) -> dict[str, Any]:
        return reporting.on_event(RETURNS, reporting.recorded(fronts))

    @task(task_display_name="核对交付")
    def fail_if_any_failed(summary: dict[str, Any]) -> None:
        reporting.fail_if_undelivered(summary)

    fronts = plan_returns()
    recorded = record_outcome(fronts)
    deliver.expand(front=fronts) >> recorded
    fail_if_any_failed(recorded)


return_packages()
