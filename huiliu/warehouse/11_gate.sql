-- Every decision about a batch is kept: ops.batch_gate says what holds now, this what was decided before, by whom and why.
-- Without a foreign key, as a log outlives what it is about. A held batch that is tested again and fails alike says nothing new.
create table if not exists ops.batch_decision (
    decision_id bigint generated always as identity primary key,
    batch_id bigint not null,
    status text not null,
    decided_at timestamptz not null,
    decided_by text not null,
    reason text,
    business_date date
);
create index if not exists batch_decision_batch on ops.batch_decision (batch_id, decision_id);
comment on table ops.batch_decision is '闸门决定流水：每个批次历次的通过、扣留、放行、作废，何人何时何因；只增不改';
comment on column ops.batch_decision.batch_id is '批次号（ops.load_run）';
comment on column ops.batch_decision.status is '决定：passed 通过、held 扣留、released 放行、replaced 作废';
comment on column ops.batch_decision.decided_by is '决定人：闸门自动决定记“闸门”';
comment on column ops.batch_decision.business_date is '作出决定时的业务日期';

create or replace function ops.keep_decision() returns trigger
language plpgsql security definer set search_path = ops, pg_temp as
$$
begin
    insert into batch_decision (batch_id, status, decided_at, decided_by, reason, business_date)
    values (
        new.batch_id, new.status, new.decided_at, new.decided_by, new.reason,
        (select business_date.business_date from business_date)
    );
    return null;
end
$$;
comment on function ops.keep_decision() is '把闸门的每个新决定记入流水';
create or replace trigger batch_decided_first after insert on ops.batch_gate
for each row execute function ops.keep_decision();
create or replace trigger batch_decided_again after update on ops.batch_gate
for each row when ((old.status, old.decided_by, old.reason) is distinct from (new.status, new.decided_by, new.reason))
execute function ops.keep_decision();

-- Of batches decided before decisions were kept, the last one is known.
insert into ops.batch_decision (batch_id, status, decided_at, decided_by, reason)
select batch_id, status, decided_at, decided_by, reason from ops.batch_gate
where not exists (select from ops.batch_decision as kept where kept.batch_id = batch_gate.batch_id);

-- Few batches are held at any time, among all that ever landed.
create index if not exists batch_gate_held on ops.batch_gate (batch_id) where status = 'held';

-- What an operator must decide about. Read by the operators' pages, so without the values of any row. Both views are made
-- anew: one that is replaced may not change its columns.
drop view if exists ops.resource_standing, ops.held_batch;
create view ops.held_batch as
select
    loaded.batch_id, loaded.source, loaded.table_name, resource.title, resource.department,
    loaded.business_date as landed_on, gate.reason,
    (
        select min(decision.decided_at) from ops.batch_decision as decision
        where decision.batch_id = loaded.batch_id and decision.status = 'held'
    ) as held_since,
    (
        select count(*) from ops.load_run as behind
        where behind.source = loaded.source and behind.table_name = loaded.table_name
            and behind.status = 'landed' and behind.batch_id > loaded.batch_id
            and not exists (select from ops.batch_gate as decided where decided.batch_id = behind.batch_id)
    ) as waiting
from ops.batch_gate as gate
inner join ops.load_run as loaded using (batch_id)
left join ops.resource as resource using (source, table_name)
where gate.status = 'held';
comment on view ops.held_batch is '被扣留、待处理的批次：原因、扣留时间、其后排队的批次数';

-- Which tables of the sources a model stands on: written by each build, read to tell consumers whose data are not of the day.
create table if not exists ops.model_source (
    model text not null,
    source text not null,
    table_name text not null,
    primary key (model, source, table_name)
);
comment on table ops.model_source is '回流模型的来源表：每个模型直接或间接依据的来源表一行，由构建登记';

-- How each table of the catalogue stands. What is held counts before what failed, and that before what is late.
create view ops.resource_standing as
with
-- Asked so, it is one row to the planner too.
today as (
    select (select business_date from ops.business_date) as day
),

-- A back-fill reads old days beside the ordinary loads and says nothing of today's.
ordinary as not materialized (
    select * from ops.load_run where first_day is null
),

loaded as (
    select
        resource.source, resource.table_name, resource.title, resource.department, resource.cadence, today.day,
        (
            select ordinary.business_date from ordinary inner join ops.batch_gate as gate using (batch_id)
            where ordinary.source = resource.source and ordinary.table_name = resource.table_name
                and gate.status in ('passed', 'released')
            order by ordinary.batch_id desc limit 1
        ) as as_of,
        held.landed_on as held_on,
        last_landed.business_date as landed_on,
        (
            select min(ordinary.business_date) from ordinary
            where ordinary.source = resource.source and ordinary.table_name = resource.table_name
                and ordinary.status in ('failed', 'abandoned')
                and ordinary.batch_id > coalesce(last_landed.batch_id, 0)
        ) as failed_on
    from ops.resource as resource
    cross join today
    left join lateral (
        select held_batch.landed_on from ops.held_batch as held_batch
        where held_batch.source = resource.source and held_batch.table_name = resource.table_name
        order by held_batch.batch_id limit 1
    ) as held on true
    left join lateral (
        select ordinary.batch_id, ordinary.business_date from ordinary
        where ordinary.source = resource.source and ordinary.table_name = resource.table_name
            and ordinary.status = 'landed'
        order by ordinary.batch_id desc limit 1
    ) as last_landed on true
    where resource.retired_on is null
),

judged as materialized (
    select loaded.*, ops.first_missed_day(cadence, landed_on, day) as missed_on
    from loaded
)

select
    source, table_name, title, department, as_of,
    case
        when held_on is not null then 'held'
        when failed_on is not null then 'failed'
        when missed_on is not null then 'late'
        when landed_on is null then 'never'
        else 'good'
    end as state,
    coalesce(held_on, failed_on, missed_on) as since,
    (
        select min(coming.day::date) from generate_series(judged.day + 1, judged.day + 366, interval '1 day') as coming (day)
        where coalesce(held_on, failed_on, missed_on) is not null and ops.cron_falls_on(cadence, coming.day::date)
    ) as expected_by
from judged;
comment on view ops.resource_standing is '每个来源表的现状：good 正常、held 批次被扣留、failed 采集失败、late 迟到、never 尚未采集；数据截至何日、何时起异常、预计何日再采';

grant select on ops.batch_decision to huiliu_score, huiliu_watch;
grant select on ops.held_batch to huiliu_score, huiliu_watch;
grant select, insert, delete on ops.model_source to huiliu_build;
grant select on ops.model_source, ops.resource_standing to huiliu_return;

comment on column quality.score.dimension is '六类规则之一、overall 总分；来源表及其来源、部门、城市另有 timeliness 时效性、accessibility 可访问性，不计入总分';
