"""Where PostgreSQL expects a model's work to be: the dearest step of its plan, children apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from psycopg import sql

from benchmarks import workplace
from huiliu.database import connect_to
from transformation.dbt_runner import DbtProject

Node = Mapping[str, Any]


def main_costs(project: DbtProject, names: Sequence[str]) -> dict[str, str]:
    """Return the dearest step of each model's last compiled query, with its share of the estimated cost.

    A step that is no query of dbt's (linkage, a seed) is left out.
    """
    paths = {
        node.name: project.state / "target" / "compiled" / node.package_name / node.original_file_path
        for node in project.manifest.nodes.values()
        if node.resource_type.value == "model" and node.name in names
    }
    with connect_to(workplace.admin("warehouse"), "admin", autocommit=True) as conn:
        found = {}
        for name, path in paths.items():
            query = sql.SQL("explain (format json) {}").format(sql.SQL(path.read_text(encoding="utf-8")))
            row = conn.execute(query).fetchone()
            found[name] = _dearest(row[0][0]["Plan"]) if row else ""
    return found


def _dearest(plan: Node) -> str:
    costs = [(_own_cost(node), node) for node in _nodes(plan)]
    cost, node = max(costs, key=lambda it: it[0])
    whole = max(sum(each for each, _ in costs), 1e-9)
    named = ("Relation Name", "CTE Name", "Function Name")
    where = next((f" on {node[key]}" for key in named if key in node), "")
    return f"{node['Node Type']}{where}, {cost / whole:.0%} of the estimated cost, {node['Plan Rows']:,} rows"


def _nodes(plan: Node) -> Iterator[Node]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def _own_cost(node: Node) -> float:
    return max(0.0, float(node["Total Cost"]) - sum(float(it["Total Cost"]) for it in node.get("Plans", ())))
