"""One day's flow without Airflow: every step in order, each failure kept to its own part.

Airflow runs the same calls (dags/); this serves `huiliu run`, the tests and small installations.
"""

from __future__ import annotations

from collections.abc import Callable

from huiliu.errors import HuiliuError


def run_flow(report: Callable[[str], None]) -> list[str]:
    """Take every step from ingest to the service report; say each step and each failure to `report`.

    A failed source, model or consumer stops nobody else: the later steps still run on what there is.
    Returns one line for each failure; empty when all went well.
    """
    failures: list[str] = []
    for name, work in _STEPS.items():
        report(f"{name} …")
        try:
            found = work()
        except HuiliuError as error:
            found = [str(error)]
        for failure in found:
            failures.append(f"{name}: {failure}")
            report(f"{name} failed: {failure}")
    return failures


def _ingest() -> list[str]:
    from ingestion.run import ingest

    ingest()
    return []


def _gate() -> list[str]:
    from soda_checks.gate import gate_staging
    from transformation.checks import ensure_typed_views

    ensure_typed_views()
    return [
        f"batch {batch.batch_id} of {batch.table_name} is held: {batch.reason}"
        for batch in gate_staging().held
    ]


def _build() -> list[str]:
    from transformation.build import build

    return [f"model {run.name}: {run.status}" for run in build().failed]


def _score() -> list[str]:
    from soda_checks.score import score

    return score().problems


def _corrections() -> list[str]:
    from soda_checks.corrections.lists import raise_failures, send_lists

    raise_failures(send_lists())
    return []


def _metrics() -> list[str]:
    from transformation.build import build_metrics

    build_metrics()
    return []


def _deliver(after: str) -> list[str]:
    from returnflow.run import deliver_all
    from returnflow.spec import load_packages

    deliver_all([package.name for package in load_packages().values() if package.after == after])
    return []


_STEPS: dict[str, Callable[[], list[str]]] = {
    "ingest": _ingest,
    "gate": _gate,
    "build": _build,
    "score": _score,
    "corrections": _corrections,
    "return": lambda: _deliver("score"),
    "metrics": _metrics,
    "report": lambda: _deliver("metrics"),
}
