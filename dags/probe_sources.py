"""
### 挂接探测：逐一连接全部来源，不采集数据

**做什么**：每日核对全部来源规格，连接每个来源、核对每张表的列，不读取数据；结果写入 `ops.mount_probe`
（数据挂接率的依据）。

**失败时**：日志逐表列出原因与处理办法，其余来源不受影响；也可在命令行运行 `huiliu ingest --check 来源`。
改正后清除 `probe_all` 即可。

**What**: reaches every source and checks its tables against the spec, loading nothing. **Inputs**:
`ingestion/sources/*.yml`, the sources. **Output**: `ops.mount_probe`. **On failure**: the log names each
table, cause and fix; the others were probed. Mend it, then clear `probe_all`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import dag, task

from dags import reporting
from dags.wiring import DEFAULT_ARGS, SOURCES_POOL, in_city_time


@dag(
    dag_id="probe_sources",
    dag_display_name="采集 · 挂接探测",
    doc_md=__doc__,
    # Before the night's loads begin, with time to mend what is found.
    schedule=in_city_time("0 17 * * *"),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["采集", "挂接"],
)
def probe_sources() -> None:
    """Probe all sources in one task: a task a source would cost more than the probes."""

    @task(
        task_display_name="探测全部来源",
        multiple_outputs=False,
        pool=SOURCES_POOL,
        # Of a silent server, every source of it is waited for in turn.
        execution_timeout=timedelta(hours=2),
    )
    def probe_all() -> dict[str, Any]:
        from ingestion import probing

        probes = probing.probe_sources()
        probing.record(probes)
        return reporting.probed(probes)

    @task(task_display_name="核对结果")
    def check_probes(found: dict[str, Any]) -> None:
        reporting.fail_if_not_mounted(found)

    check_probes(probe_all())


probe_sources()
