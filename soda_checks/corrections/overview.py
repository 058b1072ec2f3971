"""What operators ask about corrections: how each department stands, and which of its corrections are open."""

from __future__ import annotations

from typing import Any, Literal

from psycopg.rows import dict_row

from huiliu.database import connect

State = Literal["open", "overdue", "escalated"]
SHOWN = 200
"""Corrections shown of a department; its file holds them all."""


def by_department() -> list[dict[str, Any]]:
    """Return a row a department: open, overdue, urged by level, next due date, and its last list."""
    with connect("warehouse:score") as conn, conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_BY_DEPARTMENT).fetchall()


def of_department(department: str | None, state: State) -> list[dict[str, Any]]:
    """Return the corrections of a department (or of all) in a state, first those due first, at most SHOWN."""
    values = {"department": department, "state": state, "shown": SHOWN}
    with connect("warehouse:score") as conn, conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_OF_DEPARTMENT, values).fetchall()


_BY_DEPARTMENT = """
select
    department,
    count(listed.correction_id) filter (where listed.closed_on is null) as open,
    count(*) filter (where listed.is_overdue) as overdue,
    count(*) filter (where listed.closed_on is null and listed.escalated_level = 1) as level_1,
    count(*) filter (where listed.closed_on is null and listed.escalated_level = 2) as level_2,
    count(*) filter (where listed.closed_on is null and listed.escalated_level >= 3) as level_3,
    min(listed.due_on) filter (where listed.closed_on is null) as next_due_on,
    (
        select max(sent.business_date) from quality.correction_delivery as sent
        where sent.department = served.department and sent.matches and sent.error is null
    ) as last_sent_on
from (
    select department from quality.correction
    union
    select department from quality.correction_delivery
) as served
left join quality.correction_list as listed using (department)
group by department, served.department
order by overdue desc, open desc, department
"""

_OF_DEPARTMENT = """
select
    listed.correction_id, listed.department, correction.table_name, listed.record_key, correction.rule_id,
    correction.column_name, correction.row_key, listed.problem, listed.value, listed.batch_id,
    listed.opened_on, listed.due_on, listed.status, listed.urged, listed.reopened_from
from quality.correction_list as listed
inner join quality.correction using (correction_id)
where listed.closed_on is null
    and coalesce(listed.department = %(department)s::text, true)
    and case %(state)s::text
        when 'overdue' then listed.is_overdue
        when 'escalated' then listed.escalated_level is not null
        else true
    end
order by listed.due_on, listed.correction_id
limit %(shown)s
"""
