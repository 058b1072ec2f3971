"""What the demo shows people: the flow while it runs, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from huiliu import airflow_config, connections, outcomes
from huiliu.airflow_api import UNFINISHED
from huiliu.database import connect
from huiliu.flow_watch import CHAIN, Flow
from huiliu.settings import get_settings

_MARK = {"success": "[green]✓[/green]", "failed": "[red]✗[/red]", "running": "▶", "queued": "…"}


class Watcher:
    """Shows a flow: a table that renews itself on a terminal, a line for each change elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._said: set[tuple[str, str, str]] = set()

    def __call__(self, flow: Flow) -> None:
        """Show the flow as it is now."""
        if self._console.is_terminal:
            self._redraw(flow)
        for (dag_id, run_id), run in sorted(flow.runs.items(), key=lambda item: item[1]["run_after"]):
            key = (dag_id, run_id, run["state"])
            if key in self._said or run["state"] == "queued":
                continue
            self._said.add(key)
            if not self._console.is_terminal:
                self._console.print(f"  {_MARK.get(run['state'], '?')} {dag_id} {_duration(run)}")

    def _redraw(self, flow: Flow) -> None:
        if self._live is None:
            self._live = Live(console=self._console, refresh_per_second=4)
            self._live.start()
        table = Table(box=None, show_header=False)
        for dag_id in sorted({key[0] for key in flow.runs}, key=lambda name: (name in CHAIN, _order(name))):
            for run in flow.of(dag_id):
                table.add_row(_MARK.get(run["state"], "?"), run["dag_display_name"], dag_id, _duration(run))
        self._live.update(Group(table, "  " + ", ".join(flow.at_work)))

    def close(self) -> None:
        """Leave the terminal as it was found; the last table stays."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def _order(dag_id: str) -> str:
    return str(CHAIN.index(dag_id)) if dag_id in CHAIN else dag_id


def _duration(run: dict[str, Any]) -> str:
    if run["state"] in UNFINISHED or run["duration"] is None:
        return ""
    return f"{run['duration']:.1f} s"


def show_outcome(console: Console, *, flow: Flow, since: datetime, seconds: dict[str, float]) -> None:
    """Print what was collected, built, scored and returned since then, the times, and where to look."""
    with connect("warehouse") as conn:
        tables: list[tuple[str, list[str], Callable[[], Iterable[tuple[Any, ...]]]]] = [
            (
                "采集 / collected",
                ["source", "tables", "failed", "rows read", "new", "changed", "deleted"],
                lambda: outcomes.loads_since(conn, since),
            ),
            (
                "构建 / built",
                ["status", "models", "rows written", "seconds"],
                lambda: outcomes.models_since(conn, since),
            ),
            (
                "身份关联 / linkage",
                ["records without a number", "linked", "in review", "alone", "weighed anew", "changed"],
                lambda: outcomes.links_since(conn, since),
            ),
            ("质量 / quality", ["level", "name", "score"], lambda: outcomes.scores(conn)),
            (
                "回流 / returned",
                ["package", "due", "matching receipts", "held", "rows changed", "rows there"],
                lambda: outcomes.deliveries_by_package(conn, outcomes.batches_since(conn, since)),
            ),
            (
                "指标 / KPIs",
                ["kpi", "numerator", "denominator", "value", "note"],
                lambda: outcomes.kpis(conn),
            ),
        ]
        for title, columns, rows in tables:
            _print(console, title, columns, rows())
    times = [*seconds.items(), *_durations(flow)]
    _print(console, "用时 / time", ["step", "seconds"], [(step, f"{spent:.1f}") for step, spent in times])
    console.print(f"\nAirflow     {connections.url('airflow')}  user {airflow_config.USER}")
    console.print(f"password    {airflow_config.password_file()}")
    console.print("databases   .venv/bin/huiliu dsn warehouse | front:<code>")
    console.print("dictionary  .venv/bin/huiliu docs")
    console.print(f"logs        {get_settings().home / 'logs'}\n", soft_wrap=True)


def _durations(flow: Flow) -> list[tuple[str, float]]:
    order = sorted({key[0] for key in flow.runs}, key=lambda name: (name in CHAIN, _order(name)))
    return [(dag_id, sum(run["duration"] or 0 for run in flow.of(dag_id))) for dag_id in order]


def _print(console: Console, title: str, columns: list[str], rows: Iterable[tuple[Any, ...]]) -> None:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    console.print(table)
