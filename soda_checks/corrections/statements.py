"""What opens, closes and moves the corrections of one table: statements over its failing rows.

`pg_temp.failing` holds them; `known` are the checks that open and close, `judged` the row versions looked at.
"""

from __future__ import annotations

from psycopg import sql

IN_FORCE = sql.SQL("""
    suppression.table_name = %(table_name)s and suppression.withdrawn_at is null
    and %(today)s between suppression.from_date and suppression.until_date
""")

MATCHES = sql.SQL("""
    suppression.rule_id = {row}.rule_id
    and coalesce(suppression.column_name = {row}.column_name, true)
    and coalesce(suppression.row_key = {row}.row_key, true)
""")

KNOWN = sql.SQL(
    "unnest(%(rules)s::text[], %(columns)s::text[], %(names)s::text[], %(departments)s::text[])"
    " as known (rule_id, column_name, name, department)"
)

# What comes back within RETURN_DAYS goes on with its former due date; what was let off begins anew.
OPEN = sql.SQL("""
with fresh as materialized (
    select failing.*, known.name, known.department
    from pg_temp.failing as failing
    inner join {known} using (rule_id, column_name)
    where not exists (
        select from quality.correction as open
        where open.table_name = %(table_name)s and open.rule_id = failing.rule_id
            and open.column_name = failing.column_name and open.row_key = failing.row_key
            and open.closed_at is null
    ) and not exists (
        select from quality.suppression as suppression where {in_force} and {failing_matches}
    )
)

insert into quality.correction (
    department, source, table_name, row_key, rule_id, column_name, name, value, batch_id, source_key,
    opened_on, due_at, reopened_from
)
select distinct on (fresh.rule_id, fresh.column_name, fresh.row_key)
    fresh.department, %(source)s, %(table_name)s, fresh.row_key, fresh.rule_id, fresh.column_name, fresh.name,
    fresh.value, held._batch_id, {source_key}, %(today)s,
    case
        when former.closed_as in ('mended', 'gone') and former.closed_on >= %(returns_since)s
            then former.due_at
        else %(due_at)s
    end,
    former.correction_id
from fresh
inner join {judged} as held on fresh.row_key::uuid = held._row_key
    and coalesce(held._counted_by = fresh.rule_id, true)
{landed}
left join pg_temp.successor as successor on fresh.row_key = successor.row_key
left join lateral (
    select closed.correction_id, closed.due_at, closed.closed_as, closed.closed_on
    from quality.correction as closed
    where closed.table_name = %(table_name)s and closed.row_key in (fresh.row_key, successor.former_key)
        and closed.rule_id = fresh.rule_id and closed.column_name = fresh.column_name
        and closed.closed_at is not null
    order by closed.closed_at desc
    limit 1
) as former on true
""")

# A version that failed at the gate is not settled by an older one in staging, nor by none: its batch is held,
# or waits for the build. Gone is only what the source's last word says is deleted.
CLOSE = sql.SQL("""
with settled as materialized (
    select open.correction_id, open.row_key, open.rule_id, coalesce(open.batch_id, 0) as batch_id
    from quality.correction as open
    inner join {known} using (rule_id, column_name)
    where open.table_name = %(table_name)s and open.closed_at is null
        and not exists (
            select from pg_temp.failing as failing
            where failing.rule_id = open.rule_id and failing.column_name = open.column_name
                and failing.row_key = open.row_key
        )
)

update quality.correction as closing
set closed_at = clock_timestamp(), closed_on = %(today)s,
    closed_as = case when held._row_key is null then 'gone' else 'mended' end,
    closed_because = case
        when held._batch_id > settled.batch_id then 'reloaded'
        when held._row_key is not null then 'settled_elsewhere'
    end
from settled
left join {judged} as held on settled.row_key::uuid = held._row_key
    and coalesce(held._counted_by = settled.rule_id, true)
where closing.correction_id = settled.correction_id and (
    held._batch_id >= settled.batch_id
    or held._row_key is null and 'D' = coalesce((
        select sent._op from {raw} as sent
        inner join ops.load_run as loaded on sent._batch_id = loaded.batch_id and loaded.status = 'landed'
        where sent._row_key = settled.row_key::uuid
        order by sent._batch_id desc
        limit 1
    ), 'D')
)
""")

MOVE = sql.SQL("""
update quality.correction as open
set department = known.department
from {known}
where open.table_name = %(table_name)s and open.closed_at is null and open.rule_id = known.rule_id
    and open.column_name = known.column_name and open.department <> known.department
""")

SUPPRESS = sql.SQL("""
update quality.correction as open
set closed_at = clock_timestamp(), closed_on = %(today)s, closed_as = 'suppressed',
    suppression_id = suppression.suppression_id
from quality.suppression as suppression
where open.table_name = %(table_name)s and open.closed_at is null and {in_force} and {open_matches}
""")

# Loaded again and still wrong: the list shows what the department sent last.
STILL_FAILING = sql.SQL("""
update quality.correction as open
set batch_id = held._batch_id, value = failing.value
from pg_temp.failing as failing
inner join {judged} as held on failing.row_key::uuid = held._row_key
    and coalesce(held._counted_by = failing.rule_id, true)
where open.table_name = %(table_name)s and open.closed_at is null
    and failing.rule_id = open.rule_id and failing.column_name = open.column_name
    and failing.row_key = open.row_key and held._batch_id > open.batch_id
""")

USES = sql.SQL("""
insert into quality.suppression_use (suppression_id, batch_id, rows)
select suppression.suppression_id, %(scoring)s, count(*)
from quality.suppression as suppression
inner join pg_temp.failing as failing on {failing_matches}
where {in_force}
group by suppression.suppression_id
""")

# The row versions that all checks look at, and what one of them counts beside.
VERSIONS = sql.SQL("""(
    select judged._row_key, judged._batch_id, null::text as _counted_by from {judged} as judged
    {counted}
)""")

COUNTED = sql.SQL("""
    union all
    select beside.row_key::uuid, beside.batch_id, beside.counted_by
    from {} as beside
    where beside.batch_id is not null
""")

# The versions of a batch that are not deleted by a later one.
IN_BATCH = sql.SQL("""(
    select sent._row_key, sent._batch_id
    from {raw} as sent
    where sent._batch_id = {batch_id} and not exists (
        select from {raw} as later
        where later._row_key = sent._row_key and later._batch_id > sent._batch_id and later._op = 'D'
    )
)""")
