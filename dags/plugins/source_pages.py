"""A page about each source inside Airflow: a tab 来源台账 on every DAG, and all sources under Browse.

It reads the warehouse's ledgers as huiliu_watch (figures, never values) and answers only those whom Airflow
lets see the DAG. Served by Airflow's API server; nothing here runs when DAGs are read.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from airflow.api_fastapi.core_api.security import requires_access_dag
from airflow.plugins_manager import AirflowPlugin
from fastapi import Depends, FastAPI, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dags.wiring import LEVELS, TIMEZONE
from huiliu.database import connect
from huiliu.errors import HuiliuError
from ingestion import watching
from ingestion.cadence import in_words
from ingestion.spec import SourceSpec, read_specs
from soda_checks.rules import catalogue

PREFIX = "/huiliu"
STATES = {"in time": "按时", "due": "今日应到", "late": "迟到", "never": "尚未采集"}
GATE = {"passed": "通过", "held": "扣留", "released": "放行", "replaced": "作废"}
TASK_STATES = {"open": "未销号", "overdue": "逾期", "closed": "已销号", "withdrawn": "已撤下"}
# Nothing is loaded from anywhere, no script runs, and only Airflow itself may frame the page.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


def _moment(at: datetime | None) -> str:
    return f"{at.astimezone(ZoneInfo(TIMEZONE)):%Y-%m-%d %H:%M}" if at else ""


pages = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=lambda value: "" if value is None else value,
)
pages.filters["moment"] = _moment
pages.globals.update(levels=LEVELS, states=STATES, gate=GATE, task_states=TASK_STATES, in_words=in_words)
# Without the generated documentation, which would be open to anybody.
app = FastAPI(title="Huiliu", docs_url=None, redoc_url=None, openapi_url=None)


def _page(template: str, status: int = 200, **content: Any) -> Response:  # noqa: ANN401 - a template takes anything
    return HTMLResponse(pages.get_template(template).render(content), status_code=status, headers=HEADERS)


@app.exception_handler(HuiliuError)
def explained(_request: object, error: Exception) -> Response:
    """Show what is wrong and what to do, such as a warehouse that is down."""
    return _page("fault.html", status=503, error=str(error))


@app.get("/dags/{dag_id}", dependencies=[Depends(requires_access_dag("GET"))])
def page_of_dag(dag_id: str) -> Response:
    """Show the source of an ingest DAG; for the other DAGs, all sources."""
    good, broken = read_specs()
    name = dag_id.removeprefix("ingest_")
    if name in broken:
        return _page("fault.html", error=str(broken[name]))
    return _source(good[name]) if name in good else _overview(good)


@app.get("/sources", dependencies=[Depends(requires_access_dag("GET"))])
def page_of_sources() -> Response:
    """Show the held batches and all sources, the latest first."""
    return _overview(read_specs()[0])


def _source(spec: SourceSpec) -> Response:
    with connect("warehouse:watch") as conn:
        parts = watching.of_source(conn, spec.name)
    return _page("source.html", spec=spec, rules=catalogue().rules, **parts)


def _overview(specs: dict[str, SourceSpec]) -> Response:
    with connect("warehouse:watch") as conn:
        parts = {
            "sources": watching.late_sources(conn),
            "held": watching.held_batches(conn),
            "decisions": watching.decisions(conn),
        }
    return _page("sources.html", specs=specs, **parts)


class SourcePages(AirflowPlugin):
    """What Airflow loads."""

    name = "huiliu_source_pages"
    fastapi_apps = [{"name": "huiliu", "app": app, "url_prefix": PREFIX}]  # noqa: RUF012 - Airflow's interface
    external_views = [  # noqa: RUF012 - Airflow's interface
        {
            "name": "来源台账",
            "href": "huiliu/dags/{DAG_ID}",
            "destination": "dag",
            "url_route": "huiliu-source",
        },
        {
            "name": "来源一览",
            "href": "huiliu/sources",
            "destination": "nav",
            "category": "browse",
            "url_route": "huiliu-sources",
        },
    ]
