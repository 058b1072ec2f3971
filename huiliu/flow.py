"""One day's flow without Airflow: every step in order, each failure kept to its own part.

Airflow runs the same calls (dags/); this serves `huiliu run`, the tests and small installations.
"""

from __future__ import annotations

from collections.abc import Callable

from huiliu.errors import HuiliuError


def run_flow(report: Callable[[str], None]) -> list[str]:
    """Ingest, gate, build, score, return and metrics; say each step to `report`.

    A failed source, model or consumer stops nobody else: the later steps still run on what there is.
    Returns one line for each failure; empty when all went well.
    """
    from ingestion.run import ingest
    from returnflow.run import deliver_all
    from returnflow.spec import load_packages
    from soda_checks.gate import gate_staging
    from soda_checks.score import score
    from transformation.build import build, build_metrics
    from transformation.checks import ensure_typed_views

    failures: list[str] = []

    def step(name: str, work: Callable[[], object]) -> None:
        report(f"{name} …")
        try:
            work()
        except HuiliuError as error:
            failures.append(f"{name}: {error}")
            report(f"{name} failed: {error}")

    def build_models() -> None:
        result = build()
        failures.extend(f"build: model {run.name}: {run.status}" for run in result.failed)

    def gate() -> None:
        ensure_typed_views()
        held = gate_staging().held
        failures.extend(f"gate: batch {batch.batch_id} of {batch.table_name} is held" for batch in held)

    def deliver(after: str) -> None:
        deliver_all([package.name for package in load_packages().values() if package.after == after])

    step("ingest", ingest)
    step("gate", gate)
    step("build", build_models)
    step("score", score)
    step("return", lambda: deliver("score"))
    step("metrics", build_metrics)
    step("report", lambda: deliver("metrics"))
    return failures
