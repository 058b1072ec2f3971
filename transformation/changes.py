"""A build of what changed since: the models on the ways from some staging tables to some packages' models.

It stands on the day's build of all models, and leaves everything else to the next one: keys that it touches
stay logged until every child has consumed them (docs/decisions/0003-touched-keys.md).
"""

from __future__ import annotations

from collections.abc import Collection

from huiliu import business_date
from huiliu.database import connect
from huiliu.errors import ConfigError
from transformation import ledger
from transformation.build import BuildResult, build, fingerprint_of
from transformation.dbt_runner import DbtProject, Progress

Table = tuple[str, str]


def waits_for(project: DbtProject) -> str | None:
    """Say why nothing can be built on top of the tables now; None if it can."""
    with connect("warehouse:build", autocommit=True) as conn:
        day = business_date.get(conn)
        if ledger.standing(conn, fingerprint_of(project, conn), day).must_refresh:
            return "the next build of all models, as the project changed"
        if not ledger.is_whole(conn, day):
            return f"a build of all models as of {day} that succeeds"
    return None


def build_changes(
    tables: Collection[Table],
    goals: Collection[str],
    *,
    project: DbtProject,
    progress: Progress | None = None,
) -> BuildResult:
    """Build what leads from these (source, table) to the goals, and claim only batches of these tables.

    ConfigError if no table leads to any goal; otherwise as `build`.
    """
    staged = [f"stg_{source}__{table}" for source, table in tables]
    models = project.between(staged, goals)
    if not models:
        raise ConfigError(
            f"{', '.join(staged)} lead to none of {', '.join(goals)}",
            fix="take stream out of the specs of these tables, or mark a package they lead to as streamed",
        )
    return build(select=" ".join(models), tables=tables, project=project, progress=progress)
