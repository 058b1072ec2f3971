-- A table that is in no spec any more keeps its entry, its probes and its loads, and is asked for nothing.
alter table ops.resource add column if not exists retired_on date;
comment on column ops.resource.retired_on is '自该业务日期起不在任何来源规格中（退出目录，历史保留）；空为现行';

-- Is a source late? By the business date, from its cadence and what landed: it shows also when Airflow never ran.
-- A cadence is digits, *, lists, ranges and steps: ingestion/spec.py lets no other through.
create or replace function ops.cron_field_holds(field text, value integer, least_value integer, most_value integer)
returns boolean
language sql immutable parallel safe as
$$
    select bool_or(value between first_value and last_value and (value - first_value) % step = 0)
    from (
        select
            coalesce(substring(part from '^\d+')::integer, least_value) as first_value,
            coalesce(
                substring(part from '-(\d+)')::integer,
                case when part ~ '^\d+$' then part::integer end,
                most_value
            ) as last_value,
            coalesce(substring(part from '/(\d+)$')::integer, 1) as step
        from regexp_split_to_table(field, ',') as part
    ) as parts
$$;
comment on function ops.cron_field_holds(text, integer, integer, integer) is 'cron 单个字段是否包含某值（*、列表、区间、步长）';

create or replace function ops.cron_falls_on(cadence text, day date) returns boolean
language sql immutable parallel safe as
$$
    select ops.cron_field_holds(fields[4], extract(month from day)::integer, 1, 12) and case
        -- As every cron has it: of two restricted fields, day of month or day of week is enough.
        when fields[3] like '*%' or fields[5] like '*%' then on_month_day and on_week_day
        else on_month_day or on_week_day
    end
    from (select regexp_split_to_array(trim(cadence), '\s+') as fields) as split
    cross join lateral (
        select
            ops.cron_field_holds(fields[3], extract(day from day)::integer, 1, 31) as on_month_day,
            ops.cron_field_holds(fields[5], extract(dow from day)::integer, 0, 6)
            -- Sunday is 0 and 7.
            or (fields[5] like '%7%' and ops.cron_field_holds(fields[5], extract(isodow from day)::integer, 1, 7))
            as on_week_day
    ) as met
$$;
comment on function ops.cron_falls_on(text, date) is '该日是否有采集计划（cron 的日、月、星期三个字段）';

create or replace function ops.first_missed_day(cadence text, counts_from date, today date) returns date
language sql immutable parallel safe as
$$
    select min(missed.day::date)
    from generate_series(greatest(counts_from + 1, today - 366), today - 1, interval '1 day') as missed (day)
    where counts_from is not null and ops.cron_falls_on(cadence, missed.day::date)
$$;
comment on function ops.first_missed_day(text, date, date) is '自上次到达之后、今日之前，首个应到而未到的采集日；没有则为空';

-- Made anew: a view that is replaced may not change its columns.
drop view if exists ops.source_lateness;
create view ops.source_lateness as
with
today as (
    select business_date as day from ops.business_date
),

-- A source is as late as its latest table; one that was tried and never landed counts from its first try. A back-fill
-- reads old days beside the ordinary loads and says nothing of today's.
landed as (
    select
        resource.source, min(resource.department) as department, min(resource.level) as level,
        min(resource.cadence) as cadence,
        case when bool_and(last_load.landed_on is not null) then min(last_load.landed_on) end as landed_on,
        max(last_load.landed_at) as landed_at,
        min(coalesce(last_load.landed_on, first_load.tried_on - 1)) as counts_from
    from ops.resource as resource
    left join lateral (
        select load_run.business_date as landed_on, load_run.finished_at as landed_at
        from ops.load_run as load_run
        where load_run.source = resource.source and load_run.table_name = resource.table_name
            and load_run.status = 'landed' and load_run.first_day is null
        order by load_run.batch_id desc limit 1
    ) as last_load on true
    cross join lateral (
        select min(load_run.business_date) as tried_on
        from ops.load_run as load_run
        where load_run.source = resource.source and load_run.table_name = resource.table_name
            and load_run.first_day is null
    ) as first_load
    where resource.retired_on is null
    group by resource.source
),

judged as (
    select
        landed.*,
        today.day,
        ops.first_missed_day(landed.cadence, landed.counts_from, today.day) as missed_on
    from landed cross join today
)

select
    source, department, level, cadence, landed_on, landed_at, missed_on,
    case
        when counts_from is null then 'never'
        when missed_on is not null then 'late'
        when counts_from < day and ops.cron_falls_on(cadence, day) then 'due'
        else 'in time'
    end as state,
    coalesce(day - missed_on, 0) as days_late
from judged;
comment on view ops.source_lateness is '来源是否迟到（按业务日期与采集周期）：in time 按时、due 今日应到、late 迟到、never 尚未采集';

-- What Airflow said when a run passed its deadline.
create table if not exists ops.late_alert (
    source text not null,
    run_id text not null,
    due_at timestamptz not null,
    raised_at timestamptz not null default clock_timestamp(),
    business_date date not null,
    primary key (source, run_id)
);
comment on table ops.late_alert is '采集超时告警：到期限仍未完成的采集，由 Airflow 期限告警写入';

grant insert on ops.late_alert to huiliu_ingest;
grant select on ops.source_lateness to huiliu_ingest;
