"""
### 质量评分

**做什么**：建库完成后，按 `soda_checks/contracts/` 的全部合约检验各层表，写入 `quality.check_result`、
`quality.score`、`quality.failed_row`，并开立、关闭纠错单 `quality.correction`。

**失败时**：`check_scores` 失败说明有规则无法检验（日志逐条列出，多为列被改名或合约写错）；
得分照常写入，交付照常进行，但未检验的规则不计满分。改正后清除 `score_tables` 即可。

**What**: verifies every contract and rolls the scores up. **Inputs**: asset `warehouse`. **Output**: asset
`quality`. **On failure**: a rule that cannot be evaluated is named in the log of `check_scores`; scores are
written and deliveries go on meanwhile. Mend the contract, then clear `score_tables`.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import dag, task

from dags import reporting
from dags.wiring import DEFAULT_ARGS, QUALITY, WAREHOUSE, WAREHOUSE_POOL


@dag(
    dag_id="score_quality",
    dag_display_name="评分 · 数据质量",
    doc_md=__doc__,
    schedule=WAREHOUSE,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["质量", "soda"],
)
def score_quality() -> None:
    """Score, then fail if a rule could not be evaluated."""

    @task(task_display_name="检验与评分", multiple_outputs=False, pool=WAREHOUSE_POOL, outlets=[QUALITY])
    def score_tables() -> dict[str, Any]:
        from soda_checks.score import score

        return reporting.on_event(QUALITY, reporting.score(score()))

    @task(task_display_name="核对规则")
    def check_scores(summary: dict[str, Any]) -> None:
        reporting.fail_if_not_evaluated(summary)

    check_scores(score_tables())


score_quality()
