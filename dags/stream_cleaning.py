"""
### 流式清洗：来源变更 → 清洗、闸门、构建 → 镇街可见，数分钟内完成

**做什么**：在两次日批之间，每隔数秒询问标有 `stream` 的来源表有无变更；有变更才装载、过入库闸门、只构建
受影响的模型、只向数据有变化的镇街交付标有 `streamed` 的数据包。每个微批次一行日志，并记入
`ops.micro_batch`、`ops.freshness`。日批在跑时自动让路，当日全量构建成功之前不工作；不发现删除（由日批对账）。

**失败时**：单个来源、模型、镇街的失败不影响其他，自动重试；持续失败或有批次被扣留时，本轮结束时变红，日志列出
原因与处理办法。改正后无需操作，下一轮自动续做。

**What**: a loop of micro-batches; a run lasts a quarter of an hour, the next begins at once. **Inputs**:
tables with `stream` in `ingestion/sources/*.yml`. **Output**: the packages marked `streamed`, at those
consumers whose rows changed. **On failure**: what fails is tried again and stops nothing else; what fails
lastingly, or is held by the gate, turns the run red at its end. Mend what is named; the next run goes on.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from airflow.sdk import dag, get_current_context, task

from dags.wiring import DEFAULT_ARGS, STREAM_POOL
from huiliu.errors import DataError
from huiliu.flow_watch import CHAIN
from ingestion.spec import read_specs

log = logging.getLogger("huiliu")

STREAMED = [name for name, spec in read_specs()[0].items() if spec.streamed]
GOES_FIRST = (*CHAIN, *(f"ingest_{name}" for name in STREAMED))
RUN = timedelta(minutes=15)


@dag(
    dag_id="stream_cleaning",
    dag_display_name="流式清洗 · 微批次",
    doc_md=__doc__,
    # A loop within a task costs nothing; a task for each micro-batch would cost seconds for its start and
    # for reading dbt. Runs end and begin again, so that memory, logs and failures do not pile up.
    schedule="@continuous",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["流式", "清洗"],
)
def stream_cleaning() -> None:
    """One task that loops."""

    @task(
        task_display_name="微批次循环",
        multiple_outputs=False,
        # Not the warehouse's pool, which it would never give back: each micro-batch takes the locks it needs.
        pool=STREAM_POOL,
        execution_timeout=RUN + timedelta(minutes=15),
    )
    def run_micro_batches() -> None:
        from huiliu.stream import run_stream

        ti = get_current_context()["ti"]

        def at_work() -> str | None:
            running = (
                dag_id
                for dag_id in GOES_FIRST
                if ti.get_dr_count(dag_id=dag_id, states=["queued", "running"])
            )
            return next(running, None)

        if lasting := run_stream(RUN.total_seconds() / 60, log.info, at_work):
            raise DataError(
                "; ".join(lasting),
                fix="mend what is named (a held batch: `huiliu gate`); the next run goes on by itself",
            )

    run_micro_batches()


stream_cleaning()
