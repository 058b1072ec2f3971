"""Urging: what is overdue reaches one level after another, each once (`quality.escalation_level`)."""

from __future__ import annotations

from datetime import date

from huiliu.database import Connection
from soda_checks.workdays import last_overdue


def escalate(connection: Connection, today: date) -> dict[int, int]:
    """Raise what is overdue to the level it has reached, each level once; return level -> newly raised."""
    levels = connection.execute(
        "select level, workdays_overdue from quality.escalation_level"
        " where valid_from <= %(today)s and coalesce(valid_to > %(today)s, true) order by level",
        {"today": today},
    ).fetchall()
    raised = {}
    for level, workdays_overdue in levels:
        values = {"level": level, "today": today, "due": last_overdue(today, workdays_overdue)}
        raised[int(level)] = connection.execute(_RAISE, values).rowcount
    return raised


_RAISE = """
with raised as (
    update quality.correction set escalated_level = %(level)s, escalated_on = %(today)s
    where closed_at is null and due_at <= %(due)s and coalesce(escalated_level, 0) < %(level)s
    returning correction_id
)

insert into quality.escalation (correction_id, level, escalated_on)
select correction_id, %(level)s, %(today)s from raised
on conflict do nothing
"""
