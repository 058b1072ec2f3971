"""Awards whose batches are held: spoilt, mended at the source; what stands on them; what a township reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import LiteralString

from psycopg import sql

from huiliu.database import Connection, connect
from huiliu.regions import front_schema
from returnflow.run import deliver_all
from returnflow.spec import load_packages
from tests.flow import city_days

PACKAGES = [package.name for package in load_packages().values() if package.after == "score"]
Notices = list[tuple[object, ...]]


@dataclass(frozen=True)
class Township:
    """What a township reads: its roster, by person; notices: package, cause, state, as of, since; the verdict
    on each veteran whether they have no regular benefit.
    """

    roster: set[str]
    notices: Notices
    regular_benefit: dict[str, str]


def damage_awards() -> None:
    """At the source, spoil every ID number of the awards, as a broken export would."""
    _touch_awards("'x' || pid")


def mend_awards() -> None:
    """Give every award its own ID number back."""
    _touch_awards("ltrim(pid, 'x')")


def _touch_awards(pid: LiteralString) -> None:
    with connect("source_owner:civil_affairs") as source:
        source.execute(
            sql.SQL(
                "update subsidy_award set pid = {},"
                " updated_at = (select max(updated_at) + interval '1 second' from subsidy_award)"
            ).format(sql.SQL(pid))
        )


def grant(pid: str) -> None:
    """At the source, award a regular benefit to a person: one good row more."""
    with connect("source_owner:civil_affairs") as source:
        source.execute(
            """
            insert into subsidy_award
            select (jsonb_populate_record(award, jsonb_build_object(
                'award_no', 'BT99999999', 'pid', %s::text, 'subsidy_kind', '定期抚恤'
            ))).*
            from subsidy_award as award where ended_on is null order by award_no limit 1
            """,
            [pid],
        )


def a_veteran() -> tuple[str, str]:
    """ID number and township of a veteran without a regular benefit."""
    with connect("warehouse") as conn:
        row = conn.execute(
            'select person.pid, veteran.consumer_code from "return".return_veteran_subsidy as veteran'
            " inner join base.base_population__person as person using (person_key)"
            " where veteran.no_regular_benefit = 'met' and length(veteran.consumer_code) = 9"
            " order by person.pid limit 1"
        ).fetchone()
    assert row is not None
    return str(row[0]), str(row[1])


def awards_of_batch(conn: Connection, batch_id: int) -> int:
    """How many awards the warehouse shows in the version that a batch brought."""
    row = conn.execute(
        "select count(*) from staging.stg_civil_affairs__subsidy_award where _batch_id = %s", [batch_id]
    ).fetchone()
    assert row is not None
    return int(row[0])


def decided(batch_id: int) -> list[tuple[str, str, str, date]]:
    """What was decided about a batch, one after the other: what, by whom, why, on which day."""
    with connect("warehouse") as conn:
        return conn.execute(
            "select status, decided_by, reason, business_date from ops.batch_decision where batch_id = %s"
            " order by decision_id",
            [batch_id],
        ).fetchall()


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
        veterans = conn.execute(
            sql.SQL("select person_key::text, no_regular_benefit from {}").format(
                sql.Identifier(schema, "veteran_subsidy")
            )
        ).fetchall()
    return Township({str(key) for (key,) in roster}, notices, dict(veterans))


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
