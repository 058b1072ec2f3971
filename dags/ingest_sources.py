"""One DAG for each source system in `ingestion/sources/*.yml`: `ingest_<source>`.

A spec that is wrong still gets its DAG, whose only task fails with what to correct: the other sources go on,
and the fault is seen where operators look.
"""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, DeadlineAlert, DeadlineReference, Param, SyncCallback, dag, task
from airflow.sdk.exceptions import AirflowRescheduleException

from dags import alerts, reporting
from dags.wiring import DEFAULT_ARGS, LEVELS, SOURCES_POOL, in_city_time, source_asset
from huiliu.errors import ConfigError
from ingestion.cadence import in_words
from ingestion.spec import SourceSpec, read_specs

if TYPE_CHECKING:
    from ingestion.run import TableLoad

log = logging.getLogger("huiliu")

LATE_AFTER = timedelta(hours=2)
LOOK_AGAIN_AFTER = timedelta(minutes=1)

DOC = """
### {title}（{name}）→ 原始层 raw

| 归口部门 | 层级 | 采集周期 | 接入方式 | 数据表 |
|---|---|---|---|---|
| {department} | {level} | {cadence} | {container} | {tables} |

最近装载、拒收记录、纠错单、挂接探测与需求任务见本页「来源台账」标签。

**做什么**：从「{title}」采集上列各表，原样落地到 `raw`，并记入装载台账 `ops.load_run`。
重复运行不会重复入库；同一来源不会同时运行两次。同一服务器的来源轮流采集，
等待时不占采集名额。入队 {late_after} 小时后仍未完成即告警（`ops.late_alert`），{longest} 小时后中止。

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


PARAMS = {
    "accept_deletions": Param(
        False,
        type="boolean",
        title="确认删除属实",
        description="来源方确认大批删除属实时勾选：本次装载放行删除，不触发熔断",
    ),
    "backfill_from": Param(
        None,
        type=["null", "string"],
        format="date",
        title="补采起始日",
        description="重新读取从这一天起的数据（含当日），须与截止日同时填写；留空即正常采集",
    ),
    "backfill_to": Param(
        None,
        type=["null", "string"],
        format="date",
        title="补采截止日",
        description="重新读取到这一天为止的数据（含当日）",
    ),
}


def asked_for(params: dict[str, Any]) -> dict[str, Any]:
    """Turn the run's parameters into those of the load. ConfigError for a back-fill without both its days."""
    from ingestion.records import Days

    accepted = bool(params.get("accept_deletions"))
    given = [params.get("backfill_from"), params.get("backfill_to")]
    if not any(given):
        return {"accept_deletions": accepted, "days": None}
    first, last = (date.fromisoformat(day) if day else None for day in given)
    if first is None or last is None:
        raise ConfigError(
            "补采缺少起始日或截止日 / a back-fill needs both its days", fix="fill in both, run again"
        )
    return {"accept_deletions": accepted, "days": Days(first, last)}


def land(name: str, asked: dict[str, Any]) -> list[TableLoad]:
    """Load a source. While another one of its server is read, give the slot back and come again later.

    Waiting is no failure: it is not counted among the tries, and lasts as long as the server is busy.
    """
    from ingestion.errors import ServerBusyError
    from ingestion.run import ingest_source

    try:
        return ingest_source(name, **asked, wait_for_server=False)
    except ServerBusyError as busy:
        log.info("%s 服务器正在采集其他来源，稍后再试 / waits its turn: %s", name, busy.message)
        raise AirflowRescheduleException(datetime.now(UTC) + LOOK_AGAIN_AFTER) from busy


def ingest_dag(
    name: str,
    *,
    schedule: str | None,
    title: str,
    doc: str,
    tags: list[str],
    longest: timedelta = DEFAULT_ARGS["execution_timeout"],
) -> DAG:
    """The DAG of one source, with one task that lands all of its tables."""

    @dag(
        dag_id=f"ingest_{name}",
        dag_display_name=f"采集 · {title}",
        doc_md=doc,
        schedule=in_city_time(schedule) if schedule else None,
        catchup=False,
        max_active_runs=1,
        default_args=DEFAULT_ARGS,
        tags=["采集", *tags],
        params=PARAMS,
        deadline=DeadlineAlert(
            reference=DeadlineReference.DAGRUN_QUEUED_AT,
            interval=LATE_AFTER,
            callback=SyncCallback(alerts.source_is_late, kwargs={"source": name}),
            name="采集超时",
        ),
    )
    def ingest() -> None:
        @task(
            task_display_name=f"采集{title}",
            multiple_outputs=False,
            pool=SOURCES_POOL,
            execution_timeout=longest,
            outlets=[source_asset(name)],
        )
        def ingest_source(params: dict[str, Any] | None = None) -> dict[str, Any]:
            loads = land(name, asked_for(params or {}))
            return reporting.on_event(source_asset(name), reporting.loads(loads))

        ingest_source()

    return ingest()


def healthy_dag(spec: SourceSpec) -> DAG:
    """The DAG of a source whose spec is right."""
    doc = DOC.format(
        name=spec.name,
        title=spec.title,
        department=spec.department,
        level=LEVELS[spec.level],
        cadence=in_words(spec.cadence),
        late_after=LATE_AFTER // timedelta(hours=1),
        longest=f"{spec.longest_hours:g}",
        container=spec.container.type,
        tables="、".join(table.title for table in spec.tables),
    )
    return ingest_dag(
        spec.name,
        schedule=spec.cadence,
        title=spec.title,
        doc=doc,
        tags=[spec.department, spec.level],
        longest=timedelta(hours=spec.longest_hours),
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
