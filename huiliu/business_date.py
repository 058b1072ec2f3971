"""The day that all deadlines and rules refer to: one row, never the system's clock."""

from __future__ import annotations

from datetime import date

from huiliu.database import Connection
from huiliu.errors import ConfigError


def get(conn: Connection) -> date:
    """Return the business date; ConfigError if none was ever set."""
    row = conn.execute("select business_date from ops.business_date").fetchone()
    if row is None:
        raise ConfigError(
            "There is no business date yet", fix='run "huiliu simulate --persons N", which sets it'
        )
    found: date = row[0]
    return found


def set(conn: Connection, day: date) -> None:
    """Make ``day`` the business date, within the caller's transaction."""
    conn.execute(
        "insert into ops.business_date (business_date) values (%s)"
        " on conflict (only_row) do update set business_date = excluded.business_date",
        [day],
    )
