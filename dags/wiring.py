"""What the DAGs share: assets that link them, pools, retries that tell passing faults from fatal ones.

来源资产 → 仓库 → 质量 → 回流 → 指标。No DAG here, no database, no network.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, CronTriggerTimetable, ExceptionRetryPolicy, RetryAction, RetryRule

# One slot: gate, build, score and metrics lock each other out, so they queue instead of failing first.
WAREHOUSE_POOL = "warehouse"
SOURCES_POOL = "sources"
FRONT_ENDS_POOL = "front_ends"
STREAM_POOL = "stream"
GROUP = "huiliu"
TIMEZONE = "Asia/Shanghai"
LEVELS = {"nation": "国家级", "province": "省级", "city": "市级", "reference": "基础资料"}

RETRY_DELAY = timedelta(seconds=20)

DECISIONS = Asset(name="decisions", uri="huiliu://decisions", group=GROUP)
WAREHOUSE = Asset(name="warehouse", uri="huiliu://warehouse", group=GROUP)
QUALITY = Asset(name="quality", uri="huiliu://quality", group=GROUP)
RETURNS = Asset(name="returns", uri="huiliu://returns", group=GROUP)
METRICS = Asset(name="metrics", uri="huiliu://metrics", group=GROUP)

# Huiliu names its faults: one that may pass is retried with back-off; for any other (a wrong setting, bad
# data, a model that failed) a retry cannot help, so it fails at once and an operator sees it now. What is
# not named here (a killed process, a lost connection) is retried as the task allows; wrong SQL is not.
RETRY_POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            exception="huiliu.errors.TransientError",
            action=RetryAction.DEFAULT,
            reason="暂时性故障，稍后重试 / may pass: retried",
        ),
        RetryRule(
            exception=["huiliu.errors.HuiliuError", "psycopg.ProgrammingError"],
            action=RetryAction.FAIL,
            reason="重试无益，请按日志处理 / a retry cannot help: see the fix in the log",
        ),
    ]
)

DEFAULT_ARGS: dict[str, Any] = {
    "owner": "市大数据局",
    "retries": 2,
    "retry_delay": RETRY_DELAY,
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=10),
    "retry_policy": RETRY_POLICY,
    "execution_timeout": timedelta(hours=1),
}


def source_asset(source: str) -> Asset:
    """The asset that stands for what a source landed in `raw`."""
    return Asset(name=f"source_{source}", uri=f"huiliu://raw/{source}", group=GROUP)


def in_city_time(cron: str) -> CronTriggerTimetable:
    """A cadence in the city's time. A DAG that is switched on waits for its next time; without the zero,
    Airflow makes good for a time that is past by up to a tenth of the period."""
    return CronTriggerTimetable(cron, timezone=TIMEZONE, run_immediately=timedelta(0))
