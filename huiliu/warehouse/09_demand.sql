-- Demand lists 需求清单 and their task table 销号台账: who asked whom for which resource, by when, and which load met it.
create table if not exists ops.demand_task (
    list text not null,
    item integer not null,
    resource_id text not null,
    list_title text not null,
    what text not null,
    lead_department text not null,
    from_department text not null,
    issued_on date not null,
    due_on date not null,
    withdrawn boolean not null default false,
    closed_at timestamptz,
    closed_on date,
    closed_by_batch bigint references ops.load_run,
    primary key (list, item, resource_id),
    check ((closed_at is null) = (closed_by_batch is null))
);
create index if not exists demand_task_open on ops.demand_task (resource_id) where closed_at is null;
comment on table ops.demand_task is '需求任务：每份清单每项需求每个数据资源一行；只由验收通过的装载销号，销号后不再打开，新一轮需求列入新清单';
comment on column ops.demand_task.resource_id is '来源.表；尚未接入的系统也可列入，接入前保持未销号';
comment on column ops.demand_task.lead_department is '牵头责任部门：提出需求的部门';
comment on column ops.demand_task.from_department is '数据提供部门';
comment on column ops.demand_task.withdrawn is '已从清单撤下，不再催办';
comment on column ops.demand_task.closed_by_batch is '销号依据：验收通过的装载批次';

-- Accepted: the batch landed, agrees with its manifest if there is one, passed the gate or was released at it, and brought
-- at least one usable row, on or after the day the list was issued. The first such batch closes the task, for good. A back-fill is
-- no delivery of the resource: it reads days again beside the ordinary loads.
create or replace function ops.strike_off_tasks() returns bigint
language sql security definer set search_path = ops, pg_temp as
$$
    with accepted as (
        select distinct on (task.list, task.item, task.resource_id)
            task.list, task.item, task.resource_id, loaded.batch_id, loaded.business_date
        from demand_task as task
        inner join load_run as loaded on task.resource_id = loaded.source || '.' || loaded.table_name
        inner join batch_gate as gate using (batch_id)
        left join manifest using (batch_id)
        where task.closed_at is null and not task.withdrawn
            and loaded.status = 'landed' and loaded.first_day is null and gate.status in ('passed', 'released')
            and coalesce(manifest.matches, true)
            and loaded.rows_read > coalesce(loaded.rows_quarantined, 0)
            and loaded.business_date >= task.issued_on
        order by task.list, task.item, task.resource_id, loaded.batch_id
    ),

    closed as (
        update demand_task as task
        set closed_at = clock_timestamp(), closed_on = accepted.business_date, closed_by_batch = accepted.batch_id
        from accepted
        where (task.list, task.item, task.resource_id) = (accepted.list, accepted.item, accepted.resource_id)
            and task.closed_at is null
        returning 1
    )

    select count(*) from closed
$$;
comment on function ops.strike_off_tasks() is '销号：由验收通过的装载关闭需求任务，返回本次关闭数；可重复执行';

-- Made anew: a view that is replaced may not change its columns.
drop view if exists ops.demand_task_state;
create view ops.demand_task_state as
select
    case
        when task.closed_at is not null then 'closed'
        when task.withdrawn then 'withdrawn'
        when task.due_on < today.business_date then 'overdue'
        else 'open'
    end as state,
    task.*
from ops.demand_task as task
cross join ops.business_date as today;
comment on view ops.demand_task_state is '需求任务及其状态（按业务日期判断是否逾期）：open、overdue、closed、withdrawn';

revoke execute on function ops.strike_off_tasks() from public;
grant execute on function ops.strike_off_tasks() to huiliu_ingest, huiliu_score;
-- Whoever loads registers tasks and withdraws them; what closes one is written by ops.strike_off_tasks alone.
revoke insert, update on ops.demand_task from huiliu_ingest;
grant select on ops.demand_task to huiliu_ingest;
grant insert (
    list, item, resource_id, list_title, what, lead_department, from_department, issued_on, due_on
) on ops.demand_task to huiliu_ingest;
grant update (
    list_title, what, lead_department, from_department, issued_on, due_on, withdrawn
) on ops.demand_task to huiliu_ingest;
grant select on ops.demand_task_state to huiliu_ingest;
