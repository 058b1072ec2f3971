"""What happens when a run passes its deadline: Airflow calls these by name, in a process of their own."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

log = logging.getLogger("huiliu")


def source_is_late(context: dict[str, Any], source: str) -> None:
    """Say that a source's load has not ended in time: in the log, in ops.late_alert, on the source's page."""
    from ingestion.watching import raise_alert

    run_id = str(context["dag_run"]["dag_run_id"])
    due_at = context["deadline"]["deadline_time"]
    due_at = due_at if isinstance(due_at, datetime) else datetime.fromisoformat(due_at)
    log.error("%s 采集超时：应于 %s 前完成 / late: run %s", source, due_at.isoformat(), run_id)
    raise_alert(source, run_id, due_at)
