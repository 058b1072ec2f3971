"""What a township reads while a source is held and once it is mended, and what stands on that source."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from huiliu.database import connect
from huiliu.regions import front_schema
from returnflow.run import deliver_all
from returnflow.spec import load_packages
from tests.flow import city_days

PACKAGES = [package.name for package in load_packages().values() if package.after == "score"]
Notices = list[tuple[object, ...]]


@dataclass(frozen=True)
class Township:
    """A township's roster, by person, and its notices: package, cause, state, as of, since."""

    roster: set[str]
    notices: Notices


def serve(township: str) -> Township:
    """Deliver to a township and its district, then read as the township itself."""
    _pass_the_floors()
    deliver_all(PACKAGES, [township, township[:6]])
    schema = front_schema(township)
    with connect(f"front:{township}") as conn:
        roster = conn.execute(
            sql.SQL("select person_key::text from {}").format(sql.Identifier(schema, "resident_roster"))
        ).fetchall()
        notices = conn.execute(
            sql.SQL("select package, cause, state, as_of, since from {} order by 1, 2").format(
                sql.Identifier(schema, "_notice")
            )
        ).fetchall()
    return Township({str(key) for (key,) in roster}, notices)


def _pass_the_floors() -> None:
    """Give the packages' tables a full score: what scoring makes of them is not tested here."""
    with connect("warehouse") as conn:
        conn.execute(
            """
            with run as (
                insert into quality.score_run (stage, business_date, status)
                select 'score', business_date, 'succeeded' from ops.business_date returning batch_id
            )
            insert into quality.score select batch_id, 'table', name, 'overall', 1
            from run cross join unnest(%s::text[]) as name
            """,
            [sorted({name for package in load_packages().values() for name in package.scored_by})],
        )


def depending_on(model: str) -> set[str]:
    """Tables that stand on a model, itself among them, also through linkage, which dbt does not see."""
    manifest = city_days.project().manifest
    below: set[str] = set()
    waiting = [it for it in manifest.nodes if it.endswith(f".{model}")]
    while waiting:
        unique_id = waiting.pop()
        if unique_id in manifest.exposures:
            step = manifest.exposures[unique_id].name
            waiting += [it.unique_id for it in manifest.sources.values() if it.source_name == step]
        elif unique_id not in below:
            below.add(unique_id)
            waiting += manifest.child_map.get(unique_id, [])
    return {
        f"{manifest.nodes[it].schema}.{manifest.nodes[it].name}" for it in below if it.startswith("model.")
    }
