"""What each step tells an operator: counts in the task's log, as its result and on the asset's event.

Every function takes a step's result, logs it line by line and returns it as plain JSON. No personal data.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, get_current_context

from huiliu.errors import DataError

if TYPE_CHECKING:
    from ingestion.demands import Task
    from ingestion.probing import Probe
    from ingestion.run import TableLoad
    from returnflow.plan import Plan
    from returnflow.run import ReturnResult
    from soda_checks.corrections.lists import ListSent
    from soda_checks.decisions import HeldBatch
    from soda_checks.gate import GateResult
    from soda_checks.score import ScoreResult
    from transformation.build import BuildResult

log = logging.getLogger("huiliu")

DECIDED = {"release": "已放行", "replace": "已作废"}
# What to do, a line each: the log's window cuts what is longer.
WHAT_FOLLOWS = (
    "随即建库、评分、回流：看 DAG「建库 · 闸门与模型」（/dags/build_warehouse）的新运行",
    "该表再无批次被扣留时，下一次交付即撤下镇街 _notice 中的提示",
    "a build follows at once, then scores and deliveries, which take the notices back",
)
HOW_TO_DECIDE = (
    "处理：部门更正重报后自动通过；或由经办人决定，打开 /dags/release_batch「放行 · 被扣留的批次」，",
    "点「触发」，填批次号、决定与理由",
    "open the DAG release_batch, trigger it with the batch number, a decision and a reason",
)


def on_event(asset: Asset, summary: dict[str, Any]) -> dict[str, Any]:
    """Put a step's counts on the event of the asset it brings about."""
    get_current_context()["outlet_events"][asset].extra = summary
    return summary


def loads(results: Iterable[TableLoad]) -> dict[str, Any]:
    """Rows read and changed, by table."""
    counts = {}
    for load in results:
        line = {
            "read": load.rows_read,
            "inserted": load.rows_inserted,
            "updated": load.rows_updated,
            "deleted": load.rows_deleted,
        }
        log.info("%s.%s  %s", load.source, load.table_name, "  ".join(f"{k} {v}" for k, v in line.items()))
        counts[load.table_name] = line
    return counts


def probed(probes: Iterable[Probe]) -> dict[str, Any]:
    """What each source answered; those that failed with cause and fix."""
    passed, failed = [], []
    for probe in probes:
        place = f"{probe.source}.{probe.table_name}"
        if probe.passed:
            log.info("%s  %s", place, probe.found)
            passed.append(place)
        else:
            log.error("%s  %s  处理 / fix: %s", place, probe.error, probe.fix)
            failed.append(f"{place}: {probe.error}")
    return {"passed": len(passed), "failed": failed}


def fail_if_not_mounted(found: dict[str, Any]) -> None:
    """Turn the run red if a source could not be reached or is not as its spec says."""
    if found["failed"]:
        raise DataError(
            "; ".join(found["failed"]), fix="see the log of probe_all for each fix; mend it, clear that task"
        )


def tasks(found: Iterable[Task]) -> dict[str, Any]:
    """How many tasks of the demand lists are open, overdue, closed; the overdue ones by name."""
    states: Counter[str] = Counter()
    for task in found:
        states[task.state] += 1
        if task.state == "overdue":
            log.warning("逾期 %s-%s  %s  %s", task.list, task.item, task.lead_department, task.resource_id)
    log.info("%s", "  ".join(f"{state} {count}" for state, count in sorted(states.items())))
    return dict(states)


def waited_enough(busy: list[str]) -> None:
    """Say that the build goes on without loads that still run; the next build takes them."""
    log.warning("采集仍未结束，先构建已到的数据 / going on without: %s", ", ".join(busy))


def _drift(table: str, found: Iterable[str]) -> None:
    """Log what changed all of a sudden: to be looked at, nothing waits for it."""
    for text in found:
        log.warning("突变 / drift  %s  %s", table, text)


def gate(result: GateResult) -> dict[str, Any]:
    """What passed, and each held batch with its reason."""
    for batch in result.batches:
        level = logging.INFO if batch.status == "passed" else logging.WARNING
        log.log(
            level,
            "batch %s  %s.%s  %s  %s",
            batch.batch_id,
            batch.source,
            batch.table_name,
            batch.status,
            batch.reason or "",
        )
        _drift(f"{batch.source}.{batch.table_name}", batch.drift)
    held = [f"{it.batch_id} {it.source}.{it.table_name}: {it.reason}" for it in result.held]
    return {"passed": len(result.passed), "waiting": len(result.waiting), "held": held}


def model_ended(model: str, status: str) -> None:
    """Log a model as it ends."""
    log.info("%s  %s", status, model)


def build(result: BuildResult) -> dict[str, Any]:
    """How each model ended."""
    for run in result.models:
        log.info("%-8s %7.2f s %9s rows  %s  %s", run.status, run.seconds, run.rows, run.name, run.message)
    return {
        "nothing_to_do": result.nothing_to_do,
        "build_id": result.build_id,
        "as_of": str(result.as_of),
        "claimed_batches": len(result.claimed_batches),
        "models": dict(Counter(run.status for run in result.models)),
        "linkage": next((run.message for run in result.models if run.name == "linkage"), None),
        "failed": [f"{run.name}: {run.message}" for run in result.failed],
    }


def fail_if_held_or_failed(gated: dict[str, Any], built: dict[str, Any] | None) -> None:
    """Turn the run red if a batch is held or a model failed; the rest has flowed on already."""
    for each in gated["held"]:
        log.warning("被扣留，待处理 / held: %s", each)
    if gated["held"]:
        for line in HOW_TO_DECIDE:
            log.warning("%s", line)
    problems = [f"held batch {each}" for each in gated["held"]]
    problems += [f"failed model {each}" for each in (built or {}).get("failed", [])]
    if problems:
        raise DataError(
            "; ".join(problems),
            fix="held: repair and load again, or decide in DAG release_batch; failed: mend it,"
            " clear build_models",
        )


def decided(batch: HeldBatch, decision: str, by: str) -> dict[str, Any]:
    """What was decided about which batch by whom, what is in it, and what follows."""
    table = f"{batch.source}.{batch.table_name}"
    log.info("批次 %s（%s）：%s，经办人 %s", batch.batch_id, table, DECIDED[decision], by)
    log.info("本批变更 %s 行，其中隔离 %s 行；其后排队 %s 批", batch.rows, batch.quarantined, batch.waiting)
    if not batch.is_held:
        log.info("此前已作同样决定，无须重复 / it was decided so before")
    for line in WHAT_FOLLOWS:
        log.info("%s", line)
    return {
        "batch_id": batch.batch_id,
        "table": table,
        "decision": decision,
        "by": by,
        "rows": batch.rows,
        "quarantined": batch.quarantined,
        "waiting": batch.waiting,
    }


def score(result: ScoreResult) -> dict[str, Any]:
    """Scores by table, and the rules that could not be evaluated."""
    for table in result.tables:
        blocked = f"  capped by {', '.join(table.blocked_by)}" if table.blocked_by else ""
        log.info("%s  %s  (%s rows)%s", table.score, table.table_name, table.rows, blocked)
    log.info(
        "city %s, corrections +%s -%s",
        result.city_score,
        result.corrections_opened,
        result.corrections_closed,
    )
    _drift("", result.drift)
    return {
        "batch_id": result.batch_id,
        "city_score": None if result.city_score is None else str(result.city_score),
        "checks": result.checks,
        "failing_checks": result.failing_checks,
        "problems": result.problems,
    }


def fail_if_not_evaluated(summary: dict[str, Any]) -> None:
    """Turn the run red if a rule could not be evaluated: an unevaluated rule is not a passed one."""
    if summary["problems"]:
        raise DataError(
            "; ".join(summary["problems"]), fix="correct the contract or the table, clear score_tables"
        )


def lists_sent(sent: Iterable[ListSent]) -> dict[str, Any]:
    """What each department has open, overdue and urged, and what changed in its table; a line each."""
    counts = {}
    for it in sent:
        line = {
            "open": it.open,
            "overdue": it.overdue,
            "urged": it.urged,
            "upserted": it.rows_upserted,
            "deleted": it.rows_deleted,
        }
        told = "  ".join(f"{key} {value}" for key, value in line.items())
        level = logging.ERROR if it.error else logging.WARNING if it.urged else logging.INFO
        log.log(level, "%s  %s  %s", it.department, told, it.error or it.file)
        counts[it.department] = line
    return counts


def planned(result: Plan) -> list[dict[str, Any]]:
    """The front-end databases that have something due, labelled by district."""
    from huiliu.regions import load

    log.info("batch %s: %s planned, %s held", result.batch_id, result.count("planned"), result.count("held"))
    for each in result.deliveries:
        if each.status == "held":
            log.warning("held  %s  %s  %s", each.package, each.consumer_code, each.reason)
    regions = load()
    return [
        {
            "code": code,
            "name": f"{regions.by_consumer_code(code).name} {code}",
            "batch_id": result.batch_id,
            "problems": result.problems,
        }
        for code in result.front_codes
    ]


def delivered(result: ReturnResult) -> dict[str, Any]:
    """Counts of a front-end database's deliveries; those that failed were raised by the call itself."""
    log.info(
        "%s delivered, %s held, +%s -%s rows",
        result.delivered,
        result.held,
        result.rows_upserted,
        result.rows_deleted,
    )
    return {
        "delivered": result.delivered,
        "held": result.held,
        "rows_upserted": result.rows_upserted,
        "rows_deleted": result.rows_deleted,
    }


def recorded(fronts: list[dict[str, Any]] | None) -> dict[str, Any]:
    """What the ledger says of the batch, whatever became of the tasks: due, matching, missing."""
    from huiliu import outcomes
    from huiliu.database import connect

    if not fronts:
        return {
            "due": 0,
            "matching": 0,
            "held": 0,
            "changes": 0,
            "missing": [],
            "missing_count": 0,
            "problems": ["nothing was planned: see the task plan_returns"],
        }
    with connect("warehouse:return") as conn:
        found = outcomes.deliveries(conn, [fronts[0]["batch_id"]])
    log.info(
        "due %s, matching receipts %s, held %s, rows changed %s",
        found.due,
        found.matching,
        found.held,
        found.changes,
    )
    for line in found.missing:
        log.warning("%s", line)
    return {
        "due": found.due,
        "matching": found.matching,
        "held": found.held,
        "changes": int(found.changes),
        # An event is read by people: the first consumers and the number say enough, the ledger has them all.
        "missing": found.missing[:20],
        "missing_count": len(found.missing),
        "problems": fronts[0]["problems"],
    }


def fail_if_undelivered(summary: dict[str, Any]) -> None:
    """Turn the run red if a due delivery was not made; the others were."""
    problems = [*summary["problems"], *summary["missing"]]
    if problems:
        raise DataError(
            f"{len(summary['problems'])} packages and {summary['missing_count']} deliveries failed:\n"
            + "\n".join(problems[:10])
            + "\n",
            fix="see the red `deliver` tasks and ops.delivery.error, mend it, clear those tasks",
        )
