-- What the quality rules found. Column names here are a public interface.
create table if not exists quality.rule (
    rule_id text primary key,
    dimension text not null check (dimension in
        ('completeness', 'accuracy', 'conformity', 'consistency', 'association', 'uniqueness')),
    title text not null
);
comment on table quality.rule is '质量规则目录：六类三十七条';

create table if not exists quality.score_run (
    batch_id bigint primary key default nextval('ops.batch_id_seq'),
    stage text not null check (stage in ('staging_gate', 'score')),
    business_date date not null,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    status text not null check (status in ('running', 'succeeded', 'failed'))
);
comment on table quality.score_run is '评分批次：一次闸门检验或一次评分';

create table if not exists quality.check_result (
    batch_id bigint not null,
    rule_id text not null,
    dimension text not null,
    layer text not null,
    table_name text not null,
    column_name text not null default '',
    qualifier text not null default '',
    blocking boolean not null,
    weight numeric not null default 1,
    source text,
    department text,
    tested bigint,
    failed bigint,
    outcome text not null check (outcome in ('passed', 'failed', 'not_evaluated')),
    message text,
    primary key (batch_id, table_name, column_name, rule_id, qualifier)
);
comment on table quality.check_result is '规则结果：每批每表每列每条规则的检验数与不合格数';

create table if not exists quality.score (
    batch_id bigint not null,
    level text not null check (level in ('column', 'table', 'source', 'department', 'city', 'region')),
    name text not null,
    dimension text not null,
    score numeric,
    primary key (batch_id, level, name, dimension)
);
comment on table quality.score is '得分：列、表、来源、部门、城市、区域逐级汇总；未检验为空，不计满分';

create table if not exists quality.failed_row (
    batch_id bigint not null,
    rule_id text not null,
    table_name text not null,
    row_key text not null,
    column_name text not null default '',
    value text
);
create index if not exists failed_row_batch on quality.failed_row (batch_id, table_name, rule_id);
comment on table quality.failed_row is '不合格数据：键为哈希，值已脱敏';

create table if not exists quality.correction (
    correction_id bigint generated always as identity primary key,
    department text not null,
    source text not null,
    table_name text not null,
    row_key text not null,
    rule_id text not null,
    column_name text not null default '',
    opened_at timestamptz not null default clock_timestamp(),
    opened_on date not null,
    due_at date not null,
    closed_at timestamptz,
    unique nulls not distinct (table_name, row_key, rule_id, column_name, closed_at)
);
comment on table quality.correction is '纠错单：问题数据退回来源部门，限期更正';
create index if not exists correction_open on quality.correction (table_name, rule_id, column_name, row_key)
where closed_at is null;
create index if not exists score_latest on quality.score (level, name, dimension, batch_id desc);

create or replace view quality.score_trend as
select
    score_run.batch_id, score_run.stage, score_run.business_date, score.level, score.name, score.dimension, score.score
from quality.score
inner join quality.score_run using (batch_id)
where score_run.status = 'succeeded';
comment on view quality.score_trend is '得分历史：各级对象每次闸门检验、每次评分的得分，按批次与业务日期排列即为趋势；未检验为空，不计满分';
comment on column quality.score_trend.batch_id is '批次号：闸门为到货批次，评分为其自身批次；同一业务日期可有多次';
comment on column quality.score_trend.stage is '环节：staging_gate 为闸门，score 为评分';
comment on column quality.score_trend.business_date is '业务日期';
comment on column quality.score_trend.level is '层级：列、表、来源、部门、城市、区域';
comment on column quality.score_trend.name is '对象名称';
comment on column quality.score_trend.dimension is '质量类别，overall 为总分';
comment on column quality.score_trend.score is '得分（0 至 1）；未检验为空';

-- Failing values are kept to be recognised by whoever mends them, not to be read: a code of up to two characters stays, of a
-- Chinese text its first character, of anything else at most its first four.
create or replace function quality.mask_value(value text) returns text
language sql immutable parallel safe as
$$
    select case
        when value is null then null
        when value ~ '[一-鿿]' then left(value, 1) || repeat('*', least(length(value) - 1, 17))
        when length(value) <= 2 then value
        else left(value, least(4, length(value) / 3)) || repeat('*', least(length(value), 18) - least(4, length(value) / 3))
    end
$$;
comment on function quality.mask_value(text) is '问题值脱敏：保留少量首字符，其余以星号代替';

-- The gate reads a batch's typed rows once, into a temporary table of its session.
do $$ begin execute format('grant temporary on database %I to huiliu_score', current_database()); end $$;
