"""One day's flow without Airflow: every step in order, each failure kept to its own part.

Airflow runs the same calls (dags/); this serves `huiliu run`, the tests and small installations.
"""

from __future__ import annotations

from collections.abc import Callable

from huiliu.errors import HuiliuError

METRICS_PACKAGE = "service_report"


def run_flow(report: Callable[[str], None]) -> list[str]:
    """Ingest, gate, build, score, return and metrics; say each step to `report`.

    A failed source, model or consumer stops nobody else: the later steps still run on what there is.
    Returns one line for each failure; empty when all went well.
    """
    from ingestion.run import ingest
    from returnflow.run import deliver_all
    from soda_checks.gate import gate_staging
    from soda_checks.score import score
    from transformation.build import build, build_metrics

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
        failures.extend(f"build: model {model} failed" for model in result.failed)

    step("ingest", ingest)
    step("gate", gate_staging)
    step("build", build_models)
    step("score", score)
    step("return", lambda: deliver_all(packages=["resident_roster", "veteran_subsidy"]))
    step("metrics", build_metrics)
    step("report", lambda: deliver_all(packages=[METRICS_PACKAGE]))
    return failures
