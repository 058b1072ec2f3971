"""Days of a small city, step by step as an operator would run them, and pictures of the tables to compare."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from psycopg import sql

from huiliu import business_date, regions
from huiliu.database import Connection, connect
from huiliu.settings import get_settings
from ingestion.run import ingest
from simulator import city, days
from soda_checks.gate import GateResult, gate_staging
from transformation.build import BuildResult, build
from transformation.checks import ensure_typed_views
from transformation.dbt_runner import DbtProject

LAYERS = ("staging", "base", "theme", "special", "return")


@dataclass(frozen=True)
class Day:
    """What came of one day's gate and build."""

    gate: GateResult
    build: BuildResult


def found_city(home: Path, persons: int, seed: int) -> date:
    """Make a new simulated city and set the business date to its first day."""
    today = city.create(persons=persons, seed=seed, regions=regions.load(get_settings().regions), home=home)
    _set_business_date(today)
    return today


def pass_days(count: int) -> date:
    """Let days pass at the sources and move the business date along."""
    today = days.advance(days=count)
    _set_business_date(today)
    return today


def _set_business_date(day: date) -> None:
    with connect("warehouse") as conn:
        business_date.set(conn, day)


@cache
def project() -> DbtProject:
    """The real project, parsed once for all days of the city."""
    return DbtProject()


def warehouse_day() -> Day:
    """Ingest, gate and build what there is; a failed model is in the result, anything else raises."""
    ingest()
    ensure_typed_views(project())
    gate = gate_staging()
    return Day(gate, build(project=project()))


def keep_picture(conn: Connection, name: str) -> list[str]:
    """Copy the layers' tables, without bookkeeping columns, into schema `name`; returns layer.table names."""
    conn.execute(sql.SQL("create schema {}").format(sql.Identifier(name)))
    kept = []
    for layer, table, columns in _tables(conn):
        conn.execute(
            sql.SQL("create table {}.{} as select {} from {}.{}").format(
                sql.Identifier(name),
                sql.Identifier(f"{layer}.{table}"),
                sql.SQL(", ").join(map(sql.Identifier, columns)),
                sql.Identifier(layer),
                sql.Identifier(table),
            )
        )
        kept.append(f"{layer}.{table}")
    conn.commit()
    return kept


def differences(conn: Connection, before: str, after: str) -> dict[str, tuple[int, int]]:
    """Tables of which the two pictures differ: (rows only in the first, rows only in the second)."""
    found = {}
    tables = conn.execute("select tablename from pg_tables where schemaname = %s", [before]).fetchall()
    for (name,) in tables:
        counts = []
        for one, other in ((before, after), (after, before)):
            query = sql.SQL("select count(*) from (table {}.{} except all table {}.{}) as only_here").format(
                *(sql.Identifier(part) for part in (one, name, other, name))
            )
            row = conn.execute(query).fetchone()
            counts.append(int(row[0]) if row else 0)
        if any(counts):
            found[name] = (counts[0], counts[1])
    return found


def _tables(conn: Connection) -> list[tuple[str, str, list[str]]]:
    """(layer, table, columns that are facts) of every table the builds made."""
    rows = conn.execute(
        """
        select table_schema, table_name, array_agg(column_name::text order by column_name)
        from information_schema.columns
        inner join information_schema.tables using (table_schema, table_name)
        where table_schema = any(%s) and table_type = 'BASE TABLE' and column_name not like '\\_%%'
        group by table_schema, table_name
        order by table_schema, table_name
        """,
        [list(LAYERS)],
    ).fetchall()
    return [(str(layer), str(table), list(columns)) for layer, table, columns in rows]
