"""Whether a package's model is of the day it would go out for, and was not left behind since.

A package is dated unless its contract says `dated: false`. The last build that its model completed
(`ops.model_state`) must be
  1. as of the business date of the batch: a look-ahead, or a model that failed today, is of another date;
  2. not older than the newest ended build of all models: who failed or was skipped there kept former rows.
A build of selected models counts only on top of a build of all models of that date that succeeded.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from huiliu.database import Connection
from returnflow.spec import Package

OUTDATED = "模型未更新，沿用上次数据"

# A running build that nobody holds the build lock for was killed: as good as ended. The lock is the one that
# `huiliu build` takes with huiliu.database.advisory_lock.
_STATE = """
    with last as (
        select build_id, as_of, status from ops.build
        where selection is null and (
            status <> 'running' or not exists (
                select from pg_locks
                where locktype = 'advisory' and objsubid = 1 and granted
                    and database = (select oid from pg_database where datname = current_database())
                    and (classid::bigint << 32 | objid::bigint) = hashtextextended('build', 0)
            )
        )
        order by build_id desc limit 1
    )
    select state.build_id, state.as_of, coalesce(own.selection is not null, false),
        last.build_id, last.as_of, last.status
    from (values (%s)) as asked (model)
    left join ops.model_state as state on state.model = asked.model
    left join ops.build as own on own.build_id = state.build_id
    left join last on true
"""


@dataclass(frozen=True)
class _State:
    """The build and date of a model, and the newest ended build of all models; None where there is none."""

    build_id: int | None
    as_of: date | None
    is_of_selection: bool
    last_build_id: int | None
    last_as_of: date | None
    last_status: str | None

    def is_last_whole(self, day: date) -> bool:
        """Whether the newest build of all models is of this day, and every model succeeded."""
        return self.last_as_of == day and self.last_status == "succeeded"


def outdated(conn: Connection, package: Package, day: date) -> tuple[str, str] | None:
    """Return (notice for the consumers, reason for the operator) if the model is not of this day."""
    if not package.dated:
        return None
    state = _State(*conn.execute(_STATE, [package.model]).fetchall()[0])
    cause = _cause(state, package.model, day)
    if cause is None:
        return None
    # After a whole build of the day `huiliu build` finds nothing to do, unless told to do all.
    command = "huiliu build --full-refresh" if state.is_last_whole(day) else "huiliu build"
    return OUTDATED, f'{cause}. Fix: run "{command}", mend what fails there, score and return again'


def _cause(state: _State, model: str, day: date) -> str | None:
    if state.build_id is None:
        return f"{model} was never built, as far as ops.model_state knows"
    if state.as_of != day:
        return f"{model} is of {state.as_of}, the batch is of {day}"
    if state.last_build_id is None:
        return None
    last = f"build {state.last_build_id} of {state.last_as_of} ({state.last_status})"
    if state.build_id < state.last_build_id:
        return f"{model} was left as it was by {last}: it failed there, or a model it stands on did"
    if state.is_of_selection and not state.is_last_whole(day):
        return f"{model} was built alone since, on models of {last}"
    return None
