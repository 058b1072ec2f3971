"""
### 放行 · 被扣留的批次

**做什么**：对入库闸门扣留的一个批次作出决定，并立即启动建库，让数据流向下游。点右上角「触发」，填写：

| 项 | 填什么 |
|---|---|
| 批次号 | 见本页「来源台账」标签、来源页，或「建库」红色任务 `check_models` 的日志 |
| 决定 | **放行**：按现状入库，坏行仍被隔离并退回部门更正；**作废**：后来的批次已有新版本，弃用本批 |
| 理由 | 至少四个字，例如“部门来电核实：历史档案本无证件号” |

经办人就是登录并触发的用户；`ops.batch_gate` 记现状，`ops.batch_decision` 逐次留痕，只增不改。
能由部门更正重报的，不必来这里：更正数据到达后，闸门会自动通过。

**失败时**：日志写明原因：批次号不存在、未被扣留或已有决定，未写理由，或作废会丢失数据。改正后重新触发；什么都没有改变。

为何不用人工审批任务（HITL）：扣留可能持续数日，等待中的任务会占住「建库」唯一的运行，让其他表也停下；
部门重报后闸门自动通过，等待中的审批又会作废。所以决定由人在需要时发起。

**What**: an operator lets a held batch pass, or sets it aside, with a reason; a build follows at once.
**Inputs**: the form; `ops.batch_gate`. **Output**: asset `decisions`, which starts `build_warehouse`.
**On failure**: nothing was changed; the log says what to correct. Trigger it again.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param, dag, get_current_context, task

from dags import reporting
from dags.wiring import DECISIONS, DEFAULT_ARGS, WAREHOUSE_POOL
from huiliu.errors import ConfigError

PARAMS = {
    "batch_id": Param(
        type="integer",
        minimum=1,
        title="批次号",
        description="被扣留批次的编号：见本页「来源台账」标签上方的清单",
    ),
    # Without a default: nobody releases a batch by leaving a field as it was.
    "decision": Param(
        type="string",
        enum=["release", "replace"],
        values_display={"release": "放行：按现状入库", "replace": "作废：后来的批次已有新版本"},
        title="决定",
        description="放行：坏行仍被隔离并退回部门更正；作废：本批弃用，须每一行都已在后来的批次中重报",
    ),
    "reason": Param(
        type="string",
        format="multiline",
        minLength=4,
        maxLength=500,
        title="理由",
        description="至少四个字，写明依据；请勿写入个人信息",
    ),
}


def decider() -> str:
    """The user who triggered this run, as Airflow knows them. ConfigError if nobody did."""
    name = getattr(get_current_context()["dag_run"], "triggering_user_name", None)
    if not name:
        raise ConfigError(
            "不知道是谁触发的 / nobody is known to have triggered this run",
            fix="登录 Airflow 后在本页点「触发」；命令行请用 `huiliu release 批次号 --by 姓名 --reason 理由`",
        )
    return str(name)


@dag(
    dag_id="release_batch",
    dag_display_name="放行 · 被扣留的批次",
    doc_md=__doc__,
    schedule=None,
    # Runs only when somebody triggers it, so it need not be switched on first.
    is_paused_upon_creation=False,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["建库", "质量"],
    params=PARAMS,
)
def release_batch() -> None:
    """Decide about one batch; the asset starts the build."""

    @task(task_display_name="作出决定", multiple_outputs=False, pool=WAREHOUSE_POOL, outlets=[DECISIONS])
    def decide(params: dict[str, Any] | None = None) -> dict[str, Any]:
        from soda_checks.decisions import release, replace

        asked = params or {}
        decide_so = {"release": release, "replace": replace}[asked["decision"]]
        by = decider()
        batch = decide_so(asked["batch_id"], by=by, reason=asked["reason"])
        return reporting.on_event(DECISIONS, reporting.decided(batch, asked["decision"], by))

    decide()


release_batch()
