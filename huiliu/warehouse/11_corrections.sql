-- Corrections: how each closed, what was let off by whom, who was urged, and which lists were sent (docs/corrections.md).
alter table ops.resource
add column if not exists key_columns text[],
add column if not exists source_title text;
comment on column ops.resource.key_columns is '来源主键列；为空表示整行内容即主键';
comment on column ops.resource.source_title is '来源系统名称；为空表示登记后尚未再采集';

create table if not exists quality.suppression (
    suppression_id bigint generated always as identity primary key,
    table_name text not null,
    rule_id text not null,
    column_name text,
    row_key text,
    reason text not null check (btrim(reason) <> ''),
    by_name text not null check (btrim(by_name) <> ''),
    from_date date not null,
    until_date date not null,
    created_at timestamptz not null default clock_timestamp(),
    withdrawn_at timestamptz,
    withdrawn_by text check (btrim(withdrawn_by) <> ''),
    constraint suppression_within_a_year check (until_date <= from_date + interval '1 year'),
    constraint suppression_withdrawn_by_someone check ((withdrawn_at is null) = (withdrawn_by is null))
);
-- The first form of this table refused a period of one day, by a constraint of this name.
alter table quality.suppression
drop constraint if exists suppression_check,
drop constraint if exists suppression_period,
add constraint suppression_period check (until_date >= from_date);
comment on table quality.suppression is '豁免：某规则在某表（列、行）上暂不开纠错单，须有理由、姓名与截止日；得分照计';
comment on column quality.suppression.column_name is '字段；为空表示该规则的全部字段';
comment on column quality.suppression.row_key is '行键；为空表示全部行';
comment on column quality.suppression.until_date is '截止日（含当日），最长一年';

create table if not exists quality.suppression_use (
    suppression_id bigint not null references quality.suppression,
    batch_id bigint not null references quality.score_run,
    rows bigint not null,
    primary key (suppression_id, batch_id)
);
comment on table quality.suppression_use is '豁免使用记录：每次评分每条豁免挡下的不合格数';

alter table quality.correction
add column if not exists name text,
add column if not exists value text,
add column if not exists batch_id bigint,
add column if not exists source_key text,
add column if not exists closed_on date,
add column if not exists closed_as text check (closed_as in ('mended', 'gone', 'withdrawn', 'suppressed')),
add column if not exists closed_because text check (closed_because in ('reloaded', 'settled_elsewhere')),
add column if not exists suppression_id bigint references quality.suppression,
add column if not exists reopened_from bigint references quality.correction,
add column if not exists escalated_level integer,
add column if not exists escalated_on date;
comment on column quality.correction.name is '问题：检查项名称';
comment on column quality.correction.value is '问题值（已脱敏）';
comment on column quality.correction.batch_id is '批次：最近一次仍不合格的版本所在批次';
comment on column quality.correction.source_key is '来源主键（标签与值）；含个人信息时为空，以行键代之';
comment on column quality.correction.closed_on is '关闭时的业务日期';
comment on column quality.correction.closed_as is '关闭方式：mended 已更正、gone 来源已删除、withdrawn 规则停用或到期、suppressed 已豁免';
comment on column quality.correction.closed_because is '更正方式：reloaded 本行重新报送后通过、settled_elsewhere 因其他数据、日期或规则变化而通过';
comment on column quality.correction.reopened_from is '同一问题上一张已关闭的纠错单；三十日内再现的沿用其应更正日';
comment on column quality.correction.escalated_level is '催办级别（quality.escalation_level）';
-- Those closed before it was kept how: they had closed as their rows passed.
update quality.correction
set closed_as = 'mended', closed_on = (closed_at at time zone 'Asia/Shanghai')::date
where closed_at is not null and closed_as is null;
create index if not exists correction_due on quality.correction (due_at) where closed_at is null;
create index if not exists correction_department on quality.correction (department, closed_on);

create table if not exists quality.escalation_level (
    level integer not null check (level > 0),
    title text not null,
    workdays_overdue integer not null check (workdays_overdue >= 0),
    valid_from date not null,
    valid_to date check (valid_to > valid_from),
    primary key (level, valid_from)
);
comment on table quality.escalation_level is '催办级别：过了应更正日后再过多少个工作日仍未更正即升级；按业务日期生效';
comment on column quality.escalation_level.valid_to is '失效日期（不含）；为空表示至今有效';
do $$
begin
    if to_regclass('quality.one_row_a_level_on_each_day') is null then
        alter table quality.escalation_level add constraint one_row_a_level_on_each_day exclude using gist (
            int4range(level, level, '[]') with &&, daterange(valid_from, valid_to) with &&
        );
    end if;
exception when exclusion_violation then
    raise exception using
        errcode = 'exclusion_violation',
        message = 'quality.escalation_level has two rows of one level that hold on the same day',
        hint = 'give the older row a valid_to no later than the valid_from of the newer, then run huiliu prepare';
end
$$;
insert into quality.escalation_level (level, title, workdays_overdue, valid_from)
values (1, '催办', 0, '1900-01-01'), (2, '通报主管领导', 5, '1900-01-01'), (3, '报送市大数据局', 10, '1900-01-01')
on conflict do nothing;

create table if not exists quality.escalation (
    correction_id bigint not null references quality.correction,
    level integer not null,
    escalated_on date not null,
    primary key (correction_id, level)
);
comment on table quality.escalation is '催办记录：每张纠错单每级一次';

create table if not exists quality.correction_delivery (
    department text not null,
    business_date date not null,
    started_at timestamptz not null,
    rows bigint,
    checksum text,
    file text,
    rows_upserted bigint,
    rows_deleted bigint,
    destination_rows bigint,
    destination_checksum text,
    matches boolean,
    sent_at timestamptz,
    error text,
    primary key (department, business_date)
);
comment on table quality.correction_delivery is '纠错清单交付：每部门每业务日一行，含前置库回执';
comment on column quality.correction_delivery.file is '清单文件，相对于 HUILIU_HOME';
comment on column quality.correction_delivery.matches is '前置库的行数与校验和是否与清单一致';

-- What a department reads of its corrections. The labels are those of the dictionary, kept as comments of the staging tables.
drop view if exists quality.correction_list;
create view quality.correction_list as
with label as (
    select
        'staging.' || relation.relname as table_name,
        attribute.attname::text as column_name,
        split_part(described.description, '：', 1) as label
    from pg_class as relation
    inner join pg_attribute as attribute on attribute.attrelid = relation.oid and attribute.attnum > 0
    inner join pg_description as described
        on described.objoid = relation.oid and described.objsubid = attribute.attnum
        and described.classoid = 'pg_class'::regclass
    where relation.relnamespace = to_regnamespace('staging')
),

level as (
    select level.level, level.title
    from quality.escalation_level as level
    inner join ops.business_date as today
        on level.valid_from <= today.business_date
        and coalesce(level.valid_to > today.business_date, true)
)

select
    correction.correction_id,
    correction.department,
    coalesce(resource.source_title, correction.source) as source,
    coalesce(resource.title, correction.table_name) as table_title,
    coalesce(correction.source_key, correction.row_key) as record_key,
    case
        when correction.column_name = '' then '整行'
        else coalesce(label.label, correction.column_name)
    end as column_label,
    concat_ws(' ', correction.rule_id, rule.title) as rule,
    coalesce(correction.name, rule.title) as problem,
    correction.value,
    correction.batch_id,
    correction.opened_on,
    correction.due_at as due_on,
    case
        when correction.closed_as = 'mended' and correction.closed_because = 'settled_elsewhere' then '已消除（非本行更正）'
        when correction.closed_as = 'mended' then '已更正'
        when correction.closed_as = 'gone' then '来源已删除'
        when correction.closed_as = 'withdrawn' then '规则停用'
        when correction.closed_as = 'suppressed' then '已豁免'
        else
            case when correction.due_at < today.business_date then '逾期未更正' else '待更正' end
            || case when gate.batch_id is not null then '（批次被扣留）' else '' end
    end as status,
    level.title as urged,
    correction.reopened_from,
    correction.closed_on,
    correction.escalated_level,
    correction.closed_at is null and correction.due_at < today.business_date as is_overdue
from quality.correction as correction
cross join ops.business_date as today
left join ops.batch_gate as gate on correction.batch_id = gate.batch_id and gate.status = 'held'
left join quality.rule as rule on correction.rule_id = rule.rule_id
left join ops.resource as resource
    on correction.source = resource.source
    and correction.table_name = 'staging.stg_' || resource.source || '__' || resource.table_name
left join label on correction.table_name = label.table_name and correction.column_name = label.column_name
left join level on correction.escalated_level = level.level;
comment on view quality.correction_list is '纠错清单：各部门看到的纠错单（中文标签、脱敏值、状态、催办级别）';
