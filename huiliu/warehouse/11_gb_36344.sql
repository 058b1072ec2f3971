-- Scores by the indicators of GB/T 36344-2018, from the same counts as all others: docs/quality.md has the crosswalk.
create table if not exists quality.gb_36344 (
    code text primary key,
    indicator text not null,
    part text not null
);
comment on table quality.gb_36344 is '国标数据质量评价指标（GB/T 36344-2018）：一级指标与二级指标';
comment on column quality.gb_36344.code is '指标编号：按国标，前两位为一级指标';
comment on column quality.gb_36344.indicator is '一级指标';
comment on column quality.gb_36344.part is '二级指标';

alter table quality.rule add column if not exists gb_36344 text references quality.gb_36344 (code);
comment on column quality.rule.gb_36344 is '对应的国标指标编号（GB/T 36344-2018）';

create or replace view quality.score_gb_36344 as
with place as (
    select check_result.*, place.level, place.name
    from quality.check_result
    left join lateral (
        select score.name from quality.score
        where score.batch_id = check_result.batch_id and score.level = 'city'
        limit 1
    ) as city on true
    cross join lateral (values
        ('table', check_result.table_name), ('source', check_result.source),
        ('department', check_result.department), ('city', city.name)
    ) as place (level, name)
    where place.name is not null
),

-- Late loads and failed probes are no failing rows: their scores stand beside those of the rules.
scored as (
    select
        place.batch_id, place.level, place.name, rule.gb_36344 as code,
        1 - sum(place.weight * place.failed) / nullif(sum(place.weight * place.tested), 0) as score
    from place
    inner join quality.rule as rule using (rule_id)
    group by place.batch_id, place.level, place.name, rule.gb_36344
    union all
    select
        batch_id, level, name, case dimension when 'timeliness' then '0502' else '0601' end as code, score
    from quality.score
    where dimension in ('timeliness', 'accessibility')
)

select
    scored.batch_id, score_run.business_date, scored.level, scored.name, gb_36344.indicator, gb_36344.part,
    round(avg(scored.score), 6) as score
from scored
inner join quality.gb_36344 as gb_36344 using (code)
inner join quality.score_run as score_run using (batch_id)
where score_run.status = 'succeeded'
group by
    scored.batch_id, score_run.business_date, scored.level, scored.name, gb_36344.indicator,
    grouping sets ((gb_36344.part), ());
comment on view quality.score_gb_36344 is '按国标指标（GB/T 36344-2018）的得分：同一批检验数另按国标归类；一级指标为其已检验二级指标的平均；未检验为空';
comment on column quality.score_gb_36344.batch_id is '批次号';
comment on column quality.score_gb_36344.business_date is '业务日期';
comment on column quality.score_gb_36344.level is '层级：表、来源、部门、城市';
comment on column quality.score_gb_36344.name is '对象名称';
comment on column quality.score_gb_36344.indicator is '一级指标';
comment on column quality.score_gb_36344.part is '二级指标；为空的行是一级指标的得分';
comment on column quality.score_gb_36344.score is '得分（0 至 1）；未检验为空';
