-- How old changes were when they became usable, of those that came by the stream: the 95th percentile of each month and
-- department, every changed row counted. What still waits (held, failed) is as old as when the stream last worked.
with freshness as (
    select * from {{ source('ops', 'freshness') }}
),

load_run as (
    select * from {{ source('ops', 'load_run') }}
),

-- Their rows came again, in later batches.
set_aside as (
    select batch_id from {{ source('ops', 'batch_gate') }}
    where status = 'replaced'
),

last_look as (
    select max(finished_at) as looked_at from {{ source('ops', 'micro_batch') }}
),

resource as (
    select * from {{ source('ops', 'resource') }}
),

timed as (
    select
        to_char(load_run.business_date, 'YYYY-MM') as period,
        resource.department,
        freshness.row_count,
        -- A source's clock may run ahead of ours.
        greatest(
            extract(epoch from coalesce(freshness.usable_at, last_look.looked_at) - freshness.changed_at) / 60, 0
        ) as minutes
    from freshness
    cross join last_look
    inner join load_run on freshness.batch_id = load_run.batch_id
    inner join resource
        on
            load_run.source = resource.source
            and load_run.table_name = resource.table_name
    where freshness.batch_id not in (select set_aside.batch_id from set_aside)
),

named as (
    select
        period,
        department,
        row_count,
        minutes
    from timed
    union all
    select
        period,
        '全部部门' as department,
        row_count,
        minutes
    from timed
),

ranked as (
    select
        period,
        department,
        minutes,
        sum(row_count) over (partition by period, department order by minutes) as rows_so_far,
        sum(row_count) over (partition by period, department) as rows_in_all
    from named
)

select
    period,
    department,
    cast(min(rows_in_all) as bigint) as change_count,
    round(min(minutes) filter (where rows_so_far >= 0.95 * rows_in_all), 6) as p95_minutes
from ranked
group by period, department
