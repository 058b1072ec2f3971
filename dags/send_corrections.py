"""
### 纠错：向各部门发送纠错清单

**做什么**：评分后，为每个部门写出纠错清单（Excel 与 CSV，在 `$HUILIU_HOME/outbox/corrections/` 下），
并把有变化的行写入市前置库的 `corrections.correction_list`（各部门只见本部门的行），
随后在目的端核对行数与校验和，记入 `quality.correction_delivery`。
逾期未更正的，按工作日逐级催办（`quality.escalation`）。

**失败时**：日志逐个写明部门、原因与处理办法；其余部门已照常发送。
修好后清除 `send_lists` 即可，重复发送不会重复写入。
豁免、催办与关闭规则见 `docs/corrections.md`；各部门情况可用 `huiliu corrections` 查看。

**What**: sends each department its list of corrections: files, the table in the city's front-end database,
a receipt. **Inputs**: asset `quality`; `quality.correction_list`. **Output**: files in `outbox/corrections`,
`quality.correction_delivery`. **On failure**: the log names each department, cause and fix; all others were
served. Mend it, then clear `send_lists`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import dag, task

from dags import reporting
from dags.wiring import DEFAULT_ARGS, FRONT_ENDS_POOL, QUALITY


@dag(
    dag_id="send_corrections",
    dag_display_name="纠错 · 发送清单",
    doc_md=__doc__,
    schedule=QUALITY,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["质量", "纠错"],
)
def send_corrections() -> None:
    """Send every list; fail at the end if any was not sent."""

    @task(
        task_display_name="发送各部门清单",
        multiple_outputs=False,
        pool=FRONT_ENDS_POOL,
        execution_timeout=timedelta(minutes=30),
    )
    def send_lists() -> dict[str, Any]:
        from soda_checks.corrections.lists import raise_failures, send_lists

        sent = send_lists()
        summary = reporting.lists_sent(sent)
        raise_failures(sent)
        return summary

    send_lists()


send_corrections()
