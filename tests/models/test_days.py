"""Built day by day, every table of base, theme, special and return equals a rebuild, row for row."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from psycopg import sql

from huiliu import business_date
from huiliu.database import Connection, connect
from tests.models.conftest import build_all, collect, next_day, set_date

LAYERS = ["base", "theme", "special", "return"]
DAYS = 3
Content = dict[str, Counter[str]]


def _tables(connection: Connection) -> list[tuple[str, str]]:
    found = connection.execute(
        "select table_schema, table_name from information_schema.tables"
        " where table_schema = any(%s) and table_type = 'BASE TABLE' order by 1, 2",
        (LAYERS,),
    ).fetchall()
    assert len(found) > 15
    return [(str(schema), str(name)) for schema, name in found]


def _columns(connection: Connection, schema: str, table: str) -> list[str]:
    rows = connection.execute(
        "select column_name from information_schema.columns"
        " where table_schema = %s and table_name = %s and left(column_name, 1) <> '_'"
        " order by ordinal_position",
        (schema, table),
    ).fetchall()
    return [str(row[0]) for row in rows]


def content() -> Content:
    """Every row of every table as a hash, bookkeeping columns left out, counted."""
    found: Content = {}
    with connect("warehouse") as connection:
        for schema, table in _tables(connection):
            columns = sql.SQL(", ").join(map(sql.Identifier, _columns(connection, schema, table)))
            query = sql.SQL("select md5(row({})::text) from {}").format(
                columns, sql.Identifier(schema, table)
            )
            found[f"{schema}.{table}"] = Counter(str(row[0]) for row in connection.execute(query))
    return found


def differing(one: Content, other: Content) -> list[str]:
    """The tables that differ, with how many rows only one of them has."""
    return [
        f"{name}: {(one[name] - other[name]).total()} / {(other[name] - one[name]).total()}"
        for name in one
        if one[name] != other[name]
    ]


@pytest.fixture(scope="module")
def after_days(built_city: Path) -> Content:
    """What the tables hold after some days were built one by one; the city changed meanwhile."""
    before = content()
    for _ in range(DAYS):
        next_day()
    after = content()
    assert {"base.base_population__person", "return.return_resident_roster"} <= {
        name for name in after if after[name] != before[name]
    }
    return after


def test_days_one_by_one_equal_a_rebuild(after_days: Content) -> None:
    build_all(full_refresh=True)
    assert differing(after_days, content()) == []


@pytest.mark.usefixtures("after_days")
def test_time_alone_touches_what_falls_due() -> None:
    """Two years pass and nothing else: birthdays, starts and ends change verdicts as a rebuild would."""
    before = content()
    with connect("warehouse") as connection:
        today = business_date.get(connection)
    # The last day alone: a year has room for every birthday, a day shows who was found to have one.
    for days in (729, 730):
        set_date(today + timedelta(days=days))
        build_all()
    after = content()
    assert after["special.special_veterans__condition"] != before["special.special_veterans__condition"]
    build_all(full_refresh=True)
    assert differing(after, content()) == []
    set_date(today)
    build_all()
    assert differing(before, content()) == []


@pytest.mark.usefixtures("after_days")
def test_a_build_without_news_changes_nothing() -> None:
    before = content()
    collect()
    build_all()
    assert differing(before, content()) == []
