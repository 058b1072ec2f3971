"""One DAG for each source system in `ingestion/sources/*.yml`: `ingest_<source>`.

A spec that is wrong still gets its DAG, whose only task fails with what to correct: the other sources go on,
and the fault is seen where operators look.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, Param, dag, task

from dags import reporting
from dags.wiring import DEFAULT_ARGS, SOURCES_POOL, TIMEZONE, source_asset
from huiliu.errors import ConfigError
from ingestion.spec import SourceSpec, read_specs

DOC = """
### {title}（{name}）→ 原始层 raw

**做什么**：从「{title}」（{department}）采集 {tables}，原样落地到 `raw`，并记入装载台账 `ops.load_run`。
重复运行不会重复入库；同一来源不会同时运行两次。

**失败时**：看任务日志最后一行（写明原因与处理办法）。源端连不上、429、锁被占用会自动重试；
缺表、缺列、编码错误、规格写错不会重试，改正后在本页「清除」该任务即可重跑。其他来源不受影响。

**What**: pulls {name} ({container}) and lands it unchanged in `raw`, a ledger row a table in `ops.load_run`.
**Inputs**: `ingestion/sources/{name}.yml`, the source system. **Output**: asset `source_{name}`.
**On failure**: the log's last line names the cause and the fix. Unreachable, 429 and locks are retried; a
missing table or column, a wrong encoding or spec are not: mend it, then clear the task. The others go on.
"""

BROKEN = """
### 规格有误 / the spec is wrong: `ingestion/sources/{name}.yml`

```
{error}
```

改正该文件后，本 DAG 会自动恢复正常。Correct the file; this DAG then turns into the source's own.
"""


def nightly(cron: str) -> CronTriggerTimetable:
    """The cadence in the city's time. A DAG that is switched on waits for its next time; without the zero,
    Airflow makes good for a time that is past by up to a tenth of the period."""
    return CronTriggerTimetable(cron, timezone=TIMEZONE, run_immediately=timedelta(0))


def ingest_dag(name: str, *, schedule: str | None, title: str, doc: str, tags: list[str]) -> DAG:
    """The DAG of one source, with one task that lands all of its tables."""

    @dag(
        dag_id=f"ingest_{name}",
        dag_display_name=f"采集 · {title}",
        doc_md=doc,
        schedule=nightly(schedule) if schedule else None,
        catchup=False,
        max_active_runs=1,
        default_args=DEFAULT_ARGS,
        tags=["采集", *tags],
        params={
            "accept_deletions": Param(
                False,
                type="boolean",
                title="确认删除属实",
                description="来源方确认大批删除属实时勾选：本次装载放行删除，不触发熔断",
            )
        },
    )
    def ingest() -> None:
        @task(
            task_display_name=f"采集{title}",
            multiple_outputs=False,
            pool=SOURCES_POOL,
            execution_timeout=timedelta(minutes=30),
            outlets=[source_asset(name)],
        )
        def ingest_source(params: dict[str, Any] | None = None) -> dict[str, Any]:
            from ingestion.run import ingest_source as land

            accepted = bool((params or {}).get("accept_deletions"))
            loads = land(name, accept_deletions=accepted)
            return reporting.on_event(source_asset(name), reporting.loads(loads))

        ingest_source()

    return ingest()


def healthy_dag(spec: SourceSpec) -> DAG:
    """The DAG of a source whose spec is right."""
    doc = DOC.format(
        name=spec.name,
        title=spec.title,
        department=spec.department,
        container=spec.container.type,
        tables="、".join(table.title for table in spec.tables),
    )
    return ingest_dag(
        spec.name, schedule=spec.cadence, title=spec.title, doc=doc, tags=[spec.department, spec.level]
    )


def broken_dag(name: str, error: ConfigError) -> DAG:
    """The DAG of a source whose spec is wrong: unscheduled, and its task raises what to correct."""
    return ingest_dag(
        name, schedule=None, title=name, doc=BROKEN.format(name=name, error=error), tags=["规格有误"]
    )


good, broken = read_specs()
for spec in good.values():
    globals()[f"ingest_{spec.name}"] = healthy_dag(spec)
for source, fault in broken.items():
    globals()[f"ingest_{source}"] = broken_dag(source, fault)
