"""What the twins' children do: found the city, let days pass, run the flow, picture the end state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from psycopg import sql

from huiliu import business_date, regions, services
from huiliu.database import Connection, connect
from huiliu.flow import run_flow
from huiliu.provision import provision
from huiliu.settings import get_settings
from simulator import city, days, scenario

SERVICES = ["postgres", "source-api"]
Rows = dict[str, Counter[str]]


@dataclass(frozen=True)
class Picture:
    """An end state: every table's rows, hashed, by table; and what must not be, counted by name."""

    rows: Rows
    faults: dict[str, int]


# Ledgers without what must differ: numbers of batches and moments of the clock.
_LEDGERS = {
    "changes landed by table": """
        select source, table_name, sum(rows_inserted), sum(rows_updated), sum(rows_deleted)
        from ops.load_run where status = 'landed' group by source, table_name
    """,
    "batches claimed": """
        select source, table_name, sum(rows_inserted + rows_updated + rows_deleted)
        from ops.build_batch inner join ops.load_run using (batch_id) group by source, table_name
    """,
    "rows sent": "select package, consumer_code, row_key, row_hash from ops.sent_row",
    "planned changes": "select package, consumer_code, row_key, op from ops.planned_change",
    "moves": "select package, person_key, from_code, to_code, moved_on, outcome from ops.region_move",
    "last deliveries": """
        select distinct on (package, consumer_code)
            package, consumer_code, business_date, status, rows_total, checksum, matches
        from ops.delivery left join ops.receipt using (delivery_id)
        order by package, consumer_code, delivery_id desc
    """,
    "corrections": """
        select department, source, table_name, row_key, rule_id, column_name, opened_on, due_at,
            closed_at is null, closed_on, closed_as, closed_because, value, source_key, escalated_on
        from quality.correction
    """,
    "last scores": """
        select level, name, dimension, score from quality.score where batch_id =
            (select max(batch_id) from quality.score_run where stage = 'score' and status = 'succeeded')
    """,
    "last failing rows": """
        select rule_id, table_name, row_key, column_name, value from quality.failed_row where batch_id =
            (select max(batch_id) from quality.score_run where stage = 'score' and status = 'succeeded')
    """,
}

# What departments hold of their corrections.
_LISTS = """
    select department, source, table_title, record_key, column_label, rule, problem, value, opened_on, due_on,
        status, urged, closed_on
    from corrections.correction_list
"""

# What must never be, whatever was killed; each row found is a fault.
_FAULTS = {
    "loads still running": "select batch_id from ops.load_run where status = 'running'",
    "builds still running": "select build_id from ops.build where status = 'running'",
    "deliveries still open": "select delivery_id from ops.delivery where status in ('planned', 'running')",
    "last deliveries without a matching receipt": """
        select package, consumer_code from (
            select distinct on (package, consumer_code) package, consumer_code, status, matches
            from ops.delivery left join ops.receipt using (delivery_id)
            order by package, consumer_code, delivery_id desc
        ) as last where status <> 'delivered' or matches is not true
    """,
    "last correction lists without a matching receipt": """
        select department from (
            select distinct on (department) department, matches, sent_at
            from quality.correction_delivery order by department, business_date desc
        ) as last where matches is not true or sent_at is null
    """,
    "batches landed but not claimed": """
        select batch_id from ops.load_run left join ops.build_batch using (batch_id)
        where status = 'landed' and build_id is null
    """,
}


def serve() -> None:
    """Start the services, or wait until the supervisor has started again what was killed."""
    services.up(SERVICES)


def postgres_pid() -> int:
    """The process id of this home's PostgreSQL server."""
    (pid,) = [state.pid for state in services.status() if state.name == "postgres"]
    if pid is None:
        raise AssertionError("PostgreSQL does not run")
    return pid


def found(persons: int, seed: int) -> None:
    """Prepare the databases and make the city."""
    serve()
    provision()
    settings = get_settings()
    today = city.create(
        persons=persons, seed=seed, regions=regions.load(settings.regions), home=settings.home
    )
    with connect("warehouse") as conn:
        business_date.set(conn, today)


def pass_days(count: int) -> None:
    """Let days pass at the sources."""
    today = days.advance(days=count)
    with connect("warehouse") as conn:
        business_date.set(conn, today)


def pass_eventful_days(count: int, number: int) -> None:
    """Let days pass with what a small city is unlikely to see by itself: a death, a move, a deleted row."""
    pass_days(count)
    with connect("warehouse") as conn:
        today = business_date.get(conn)
    folder = get_settings().home / "truth"
    living = sorted(
        (row for row in _truth(folder, "person") if row["resident"] and row["died_on"] is None),
        key=lambda row: int(row["person_id"]),
    )
    first, second = living[number], living[-number]
    scenario.die(int(first["person_id"]), today)
    target = next(row for row in living if row["district_code"] != second["district_code"])
    scenario.move(int(second["person_id"]), str(target["village_code"]), today)
    award = next(row for row in _truth(folder, "award") if row["ended_on"] is None)
    scenario.end_award(str(award["award_no"]), today)
    with connect("source_owner:social_security") as conn:
        (employment,) = conn.execute("select min(employment_id) from employment").fetchone() or (0,)
    scenario.delete_source_row("social_security", "employment", int(employment))


def _truth(folder: Path, table: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(folder / f"{table}.parquet").to_pylist()
    return rows


def run_day(report: Callable[[str], None]) -> list[str]:
    """Run the whole flow, as `huiliu run` does; returns its failures. `report` hears each step begin."""
    return run_flow(lambda line: report(line.removesuffix(" …")) if line.endswith(" …") else None)


def picture() -> Picture:
    """Take the picture of a home, without the numbers of batches and the moments of the clock."""
    taken: Rows = {}
    with connect("warehouse") as conn:
        for schema in ("raw", "staging", "base", "theme", "special", "return", "metrics"):
            taken |= _tables(conn, schema, kept=("_row_key", "_op") if schema == "raw" else ())
        for name, query in _LEDGERS.items():
            taken[name] = _rows(conn, sql.SQL(query))
        faults = {name: _rows(conn, sql.SQL(query)).total() for name, query in _FAULTS.items()}
        faults["raw rows of a batch that did not land"] = _homeless_rows(conn)
    for code in regions.load().front_codes:
        with connect(f"front_writer:{code}") as conn:
            schemas = conn.execute("select nspname from pg_namespace where nspname ~ '^[cdt][0-9]+$'")
            for (schema,) in schemas.fetchall():
                taken |= _tables(conn, schema)
    with connect(f"front_writer:{regions.load().front_codes[0]}") as conn:
        taken["correction lists"] = _rows(conn, sql.SQL(_LISTS))
    return Picture(taken, {name: count for name, count in faults.items() if count})


def _tables(conn: Connection, schema: str, kept: tuple[str, ...] = ()) -> Rows:
    tables = conn.execute(
        """
        select table_name, array_agg(column_name::text order by column_name)
        from information_schema.columns inner join information_schema.tables using (table_schema, table_name)
        where table_schema = %s and table_type = 'BASE TABLE' and table_name not like '\\_%%'
            and (column_name not like '\\_%%' or column_name = any(%s))
        group by table_name
        """,
        [schema, list(kept)],
    ).fetchall()
    return {
        f"{schema}.{table}": _rows(
            conn,
            sql.SQL("select {} from {}").format(
                sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(schema, table)
            ),
        )
        for table, columns in tables
    }


def _rows(conn: Connection, query: sql.Composable) -> Counter[str]:
    rows = conn.execute(sql.SQL("select md5(found::text) from ({}) as found").format(query))
    return Counter(str(row[0]) for row in rows)


def _homeless_rows(conn: Connection) -> int:
    total = 0
    tables = conn.execute(
        "select tablename from pg_tables where schemaname = 'raw' and tablename not like '\\_%'"
    ).fetchall()
    for (table,) in tables:
        (count,) = conn.execute(
            sql.SQL(
                "select count(*) from {} where _batch_id not in"
                " (select batch_id from ops.load_run where status = 'landed')"
            ).format(sql.Identifier("raw", table))
        ).fetchone() or (0,)
        total += count
    return total
