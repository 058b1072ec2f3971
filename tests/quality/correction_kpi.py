"""What the KPIs of corrections would say, by the metrics' own SQL."""

from __future__ import annotations

from datetime import date

import jinja2
from toy_source import ToySource

from huiliu.settings import get_settings

KPI = get_settings().project_root / "dbt_project" / "models" / "metrics" / "int_correction_judged.sql"


def kpi(toy: ToySource, day: date) -> tuple[int, int, int]:
    """Due, timely and set aside, by the metrics' own SQL as of a day."""
    model = jinja2.Environment(autoescape=False).from_string(KPI.read_text(encoding="utf-8"))  # noqa: S701 - SQL, no page
    text = model.render(
        source=lambda schema, table: f"{schema}.{table}",
        ref=lambda _: f"(select date '{day}' as as_of)",
    )
    counts = "count(*) filter (where {})"
    rules = ("not is_set_aside", "is_timely", "is_set_aside")
    (found,) = toy.connection.execute(
        f"select {', '.join(counts.format(it) for it in rules)} from ({text}) as judged"  # noqa: S608 - the project's own SQL
    ).fetchall()
    return found
