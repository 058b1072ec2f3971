"""The dbt project's own tests, and the views that the staging gate reads before the first build."""

from __future__ import annotations

from huiliu.database import advisory_lock, connect
from huiliu.errors import ConfigError
from transformation import ledger
from transformation.build import LOCK, SUCCESS, fingerprint_of
from transformation.dbt_runner import DbtProject, NodeRun, Progress

_TYPED_VIEWS = "path:models/staging,config.materialized:view"


def test(
    *,
    select: str | None = None,  # noqa: PT028 - the name is dbt's; this is no pytest test
    project: DbtProject | None = None,  # noqa: PT028 - as above
    progress: Progress | None = None,  # noqa: PT028 - as above
) -> list[NodeRun]:
    """Run the data tests on the built tables: what is not ``pass`` failed. TransientError if a build runs."""
    with connect("warehouse:build", autocommit=True) as conn, advisory_lock(conn, LOCK):
        return (project or DbtProject()).run_tests(kind="data", select=select, progress=progress)


def unit_test(*, select: str | None = None, project: DbtProject | None = None) -> list[NodeRun]:
    """Run the unit tests of the models' logic; needs the warehouse, reads no table's rows."""
    with connect("warehouse:build", autocommit=True) as conn, advisory_lock(conn, LOCK):
        return (project or DbtProject()).run_tests(kind="unit", select=select)


def ensure_typed_views(project: DbtProject | None = None) -> list[str]:
    """Make the staging views that the gate reads, if any is missing or old; return the names of those made.

    They are rebuilt with every build of all models. Before the first one they would not exist, and after a
    change of the project the gate would judge by yesterday's parsers. Raw tables must exist. TransientError
    if a build runs; ConfigError if a view cannot be made.
    """
    project = project or DbtProject()
    wanted = {path.stem for path in project.folder.glob("models/staging/**/*_typed.sql")}
    with connect("warehouse:build", autocommit=True) as conn:
        found = {row[0] for row in conn.execute("select viewname from pg_views where schemaname = 'staging'")}
        standing = ledger.standing(conn, fingerprint_of(project, conn))
        if wanted <= found and standing.proven and not standing.must_refresh:
            return []
        with advisory_lock(conn, LOCK):
            runs = project.run_models(select=_TYPED_VIEWS, exclude="quarantined_row")
    failed = [f"{run.name}: {run.message}" for run in runs if run.status != SUCCESS]
    if failed:
        raise ConfigError(
            f"Staging views could not be made ({'; '.join(failed)})", fix="correct them in dbt_project"
        )
    return [run.name for run in runs]
