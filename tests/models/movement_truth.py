"""What the simulator says of vehicles, licences and land: read without any of the models' SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow.parquet as pq

from huiliu.database import connect

Row: TypeAlias = dict[str, Any]


def truth(home: Path, name: str) -> list[Row]:
    """Return the rows of a truth table."""
    rows: list[Row] = pq.read_table(home / "truth" / f"{name}.parquet").to_pylist()
    return rows


def pids(home: Path) -> dict[int, str]:
    """Return everybody's number."""
    return {row["person_id"]: row["pid"] for row in truth(home, "person")}


def spoilt(home: Path, table: str, *columns: str, kinds: Sequence[str] = ("blank", "wrong")) -> set[str]:
    """Return the keys of source rows of which a column is blank or wrong, or has a fault of other kinds."""
    return {
        row["row_key"]
        for row in truth(home, "fault")
        if f"{row['source']}.{row['table_name']}" == table
        and row["column_name"] in columns
        and row["kind"] in kinds
    }


def business_date() -> date:
    """Return the date the warehouse was built for."""
    ((day,),) = fetched("select business_date from ops.business_date")
    assert isinstance(day, date)
    return day


def fetched(query: str) -> Sequence[tuple[Any, ...]]:
    """Return the rows of a query on the warehouse."""
    with connect("warehouse") as connection:
        return connection.execute(query.encode()).fetchall()
