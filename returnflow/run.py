"""The return flow as one call (command line) or as two that Airflow maps over the front-end databases."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from huiliu.database import advisory_lock, connect
from huiliu.errors import HuiliuError
from returnflow import deliver
from returnflow.deliver import DeliveryOutcome
from returnflow.failures import PassingReturnError, ReturnError
from returnflow.plan import Plan, plan

__all__ = [
    "DeliveryOutcome",
    "PassingReturnError",
    "Plan",
    "ReturnError",
    "ReturnResult",
    "deliver_all",
    "deliver_database",
    "plan_returns",
]

# Causes of failure shown in one message.
_SHOWN = 5
# Front-end databases served side by side: while one copies, another commits.
_AT_ONCE = 2


@dataclass(frozen=True)
class ReturnResult:
    """What became of a batch's due deliveries; rows are those changed at the destinations.

    ``waiting``: packages that a micro-batch left to the day's batch, as they are held.
    """

    batch_id: int
    delivered: int
    held: int
    failed: int
    rows_upserted: int
    rows_deleted: int
    failures: list[DeliveryOutcome] = field(repr=False)
    problems: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)


def plan_returns(
    packages: Sequence[str] | None = None,
    consumers: Sequence[str] | None = None,
    *,
    release_mass_delete: bool = False,
) -> Plan:
    """Plan a batch; ``.batch_id`` and ``.front_codes`` are what ``deliver_database`` is called with.

    A package that cannot be planned is in ``.problems`` and fails in the ledger, the others are planned.
    """
    return plan(packages, consumers, release_mass_delete=release_mass_delete)


def deliver_database(front_code: str, batch_id: int) -> ReturnResult:
    """Deliver a batch to one front-end database; may be called again for what failed.

    Raises ReturnError at the end if any delivery failed, PassingReturnError if a retry may help with all.
    """
    result = _result(batch_id, deliver.deliver_database(front_code, batch_id))
    _raise_failures(result)
    return result


def deliver_all(
    packages: Sequence[str] | None = None,
    consumers: Sequence[str] | None = None,
    *,
    release_mass_delete: bool = False,
    changes_only: bool = False,
) -> ReturnResult:
    """Plan a batch and deliver it everywhere; raises ReturnError at the end if anything failed.

    ``changes_only``: for a micro-batch, only to consumers whose rows changed; who is held or was never served
    waits for the day's batch. Raises TransientError at once if another run is under way.
    """
    with connect("warehouse:return") as conn, advisory_lock(conn, "return"):
        planned = plan(
            packages, consumers, release_mass_delete=release_mass_delete, changes_only=changes_only
        )
        outcomes = [
            DeliveryOutcome(it.package, it.consumer_code, it.status, error=it.reason)
            for it in planned.deliveries
            if it.status == "failed"
        ]
        problems = list(planned.problems)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            running = {
                code: pool.submit(deliver.deliver_database, code, planned.batch_id)
                for code in planned.front_codes
            }
            for front_code, task in running.items():
                try:
                    outcomes += task.result()
                except HuiliuError as error:
                    problems.append(f"front_{front_code}: {error}")
    result = replace(_result(planned.batch_id, outcomes, problems), waiting=planned.waiting)
    _raise_failures(result)
    return result


def _result(batch_id: int, outcomes: Sequence[DeliveryOutcome], problems: Sequence[str] = ()) -> ReturnResult:
    def count(status: str) -> int:
        return sum(outcome.status == status for outcome in outcomes)

    return ReturnResult(
        batch_id=batch_id,
        delivered=count("delivered"),
        held=count("held"),
        failed=count("failed"),
        rows_upserted=sum(outcome.rows_upserted for outcome in outcomes),
        rows_deleted=sum(outcome.rows_deleted for outcome in outcomes),
        failures=[outcome for outcome in outcomes if outcome.status == "failed"],
        problems=list(problems),
    )


def _raise_failures(result: ReturnResult) -> None:
    # A consumer's one cause fails all its packages: say it once.
    causes = list(dict.fromkeys([*result.problems, *(str(failure.error) for failure in result.failures)]))
    if not causes:
        return
    more = f"\n… and {len(causes) - _SHOWN} more causes in ops.delivery" if len(causes) > _SHOWN else ""
    passing = not result.problems and all(failure.may_pass for failure in result.failures)
    kind = PassingReturnError if passing else ReturnError
    raise kind(
        f"{result.failed} of {result.delivered + result.held + result.failed} deliveries"
        f" of batch {result.batch_id} failed:\n" + "\n".join(causes[:_SHOWN]) + more + "\n",
        fix="do what each cause says, then return again",
    )
