-- What batches look like, and alarms where that changes all of a sudden: docs/profiling.md. Column names are an interface.
create table if not exists quality.profile_batch (
    batch_id bigint not null,
    table_name text not null,
    stage text not null check (stage in ('staging_gate', 'score')),
    mode text not null,
    business_date date not null,
    row_count bigint not null,
    profiled_at timestamptz not null default clock_timestamp(),
    primary key (table_name, batch_id)
);
create index if not exists profile_batch_alike on quality.profile_batch (table_name, stage, mode, batch_id);
comment on table quality.profile_batch is '画像批次：每批每表一行；同表、同阶段、同装载方式的批次互相比较';
comment on column quality.profile_batch.stage is 'staging_gate 闸门处的一批变更；score 评分时的整表';
comment on column quality.profile_batch.mode is '装载方式（ops.load_run.mode）；补采为 backfill，整表为 whole';
comment on column quality.profile_batch.row_count is '行数（精确值，不计删除）';

create table if not exists quality.profile (
    batch_id bigint not null,
    table_name text not null,
    column_name text not null default '',
    measure text not null check (measure in
        ('rows', 'null_share', 'distinct_count', 'values', 'ranks', 'quantiles', 'ages', 'forms')),
    value double precision,
    parts jsonb,
    primary key (table_name, batch_id, column_name, measure),
    foreign key (table_name, batch_id) references quality.profile_batch on delete cascade
);
comment on table quality.profile is '画像：每批每表每列每项度量一行；由统计信息取得（至多抽样三万行），不含个人数据';
comment on column quality.profile.column_name is '空串为整表';
comment on column quality.profile.measure is 'rows 行数、null_share 空值率、distinct_count 不同值数、values 各取值占比（仅公开与内部列）、ranks 由大到小的占比（不含取值）、quantiles 数值分位数（三位有效数字）、ages 日期距业务日期、forms 文本形式与长度';
comment on column quality.profile.value is '数值；分布类度量为与近期常态的距离（占比：总变差距离；分位数：最大对数偏移），首批为空';
comment on column quality.profile.parts is '分布：占比合计为一；分位数为第 5、25、50、75、95 百分位';

create table if not exists quality.drift_alarm (
    alarm_id bigint generated always as identity primary key,
    batch_id bigint not null,
    source text not null,
    table_name text not null,
    column_name text not null,
    measure text not null,
    value double precision not null,
    expected double precision not null,
    low double precision not null,
    high double precision not null,
    reason text not null,
    business_date date not null,
    raised_at timestamptz not null default clock_timestamp(),
    acknowledged_at timestamptz,
    acknowledged_by text,
    acknowledged_reason text,
    unique (table_name, batch_id, column_name, measure),
    check (num_nulls(acknowledged_at, acknowledged_by, acknowledged_reason) in (0, 3))
);
create index if not exists drift_alarm_source on quality.drift_alarm (source, alarm_id desc);
comment on table quality.drift_alarm is '突变告警：某批某度量超出可比批次的常态范围；只提示，不扣留批次';
comment on column quality.drift_alarm.expected is '常态值；low、high 为常态范围，单位同 value';
comment on column quality.drift_alarm.reason is '中文说明：度量、现值、常态范围与比较依据';
comment on column quality.drift_alarm.acknowledged_by is '确认人；确认须写明理由，不影响后续判断';

create table if not exists quality.drift_threshold (
    measure text not null,
    stage text not null default '' check (stage in ('', 'staging_gate', 'score')),
    table_name text not null default '',
    valid_from date not null,
    valid_to date,
    spreads double precision not null check (spreads > 0),
    floor double precision not null check (floor > 0),
    sampling double precision not null check (sampling >= 0),
    min_history integer not null check (min_history >= 5),
    settle_after integer not null check (settle_after > 0),
    primary key (measure, stage, table_name, valid_from),
    check (valid_to > valid_from)
);
comment on table quality.drift_threshold is '突变阈值及其有效期（止日不含当日）；表名优先于阶段，空串为通用；改阈值即截止旧行、另立新行';
comment on column quality.drift_threshold.spreads is '容许离差为 1.4826·MAD 的多少倍';
comment on column quality.drift_threshold.floor is '最小容许离差（计数为对数差，空值率为反正弦平方根差，占比为总变差距离，分位数为对数差）';
comment on column quality.drift_threshold.sampling is '小批次的偶然误差的多少倍以内不告警';
comment on column quality.drift_threshold.min_history is '可比批次少于此数不判断';
comment on column quality.drift_threshold.settle_after is '告警后多少个可比批次以内，同一新水平不重复告警';

insert into quality.drift_threshold
    (measure, stage, valid_from, spreads, floor, sampling, min_history, settle_after)
values
('rows', '', '2000-01-01', 4, 0.35, 4, 8, 10),
('rows', 'score', '2000-01-01', 4, 0.1, 4, 8, 10),
('distinct_count', '', '2000-01-01', 4, 0.35, 4, 8, 10),
('distinct_count', 'score', '2000-01-01', 4, 0.2, 4, 8, 10),
('null_share', '', '2000-01-01', 4.5, 0.1, 4, 8, 10),
('values', '', '2000-01-01', 4, 0.1, 0.4, 8, 10),
('ranks', '', '2000-01-01', 4, 0.1, 0.4, 8, 10),
('ages', '', '2000-01-01', 4, 0.1, 0.4, 8, 10),
('forms', '', '2000-01-01', 4, 0.1, 0.4, 8, 10),
('quantiles', '', '2000-01-01', 5, 0.7, 4, 8, 10)
on conflict do nothing;

-- Statistics of its own for each profile of a staging table, which scoring does not own: else a figure would depend on
-- when autovacuum came by. A session's own table has them from the gate.
drop function if exists quality.analyze_if_changed(regclass);
create or replace function quality.analyze_staging(relation regclass) returns void
language plpgsql security definer set search_path = '' as $$
begin
    if exists (
        select from pg_catalog.pg_class as held
        inner join pg_catalog.pg_namespace as place on held.relnamespace = place.oid
        where held.oid = relation and place.nspname = 'staging' and held.relkind = 'r'
    ) then
        execute pg_catalog.format('analyze %s', relation);
    end if;
end;
$$;
comment on function quality.analyze_staging(regclass) is '画像前更新落地表的统计信息';
revoke execute on function quality.analyze_staging(regclass) from public;
grant execute on function quality.analyze_staging(regclass) to huiliu_score;

-- One column's class of a value, in words without it: 数字18, 汉字3, 混合30+.
create or replace function quality.form_of(value text) returns text
language sql immutable parallel safe as
$$
    select case
        when value ~ '^\d+$' then '数字'
        when value ~ '^[A-Za-z]+$' then '字母'
        when value ~ '^[A-Za-z\d]+$' then '字母数字'
        when value ~ '^[一-鿿·]+$' then '汉字'
        else '混合'
    end || case
        when length(value) <= 20 then length(value)::text
        when length(value) <= 60 then (length(value) / 10 * 10)::text || '+'
        else '60+'
    end
$$;
comment on function quality.form_of(text) is '文本的形式与长度，不含内容';

-- How long before a day: dates of a batch move on with it, their distance from it does not.
create or replace function quality.age_of(value timestamp, day date) returns text
language sql immutable parallel safe as
$$
    select case
        when value >= day + 1 then '未来'
        when value > day - 7 then '一周内'
        when value > day - interval '1 month' then '一月内'
        when value > day - interval '3 months' then '三月内'
        when value > day - interval '1 year' then '一年内'
        when value > day - interval '2 years' then '两年内'
        when value > day - interval '5 years' then '五年内'
        when value > day - interval '10 years' then '十年内'
        when value > day - interval '20 years' then '二十年内'
        when value > day - interval '40 years' then '四十年内'
        when value > day - interval '60 years' then '六十年内'
        when value > day - interval '80 years' then '八十年内'
        when value > day - interval '110 years' then '一百一十年内'
        else '更早'
    end
$$;
comment on function quality.age_of(timestamp, date) is '日期距业务日期的远近';

-- Columns of a relation from its statistics, without a scan: exact up to 30,000 rows, beyond that of a sample of as many.
-- Which values may be told is what the comments of `documented` say: 分级：公开 or 内部.
create or replace function quality.profile_of(relation regclass, documented regclass, row_count bigint, day date)
returns table (column_name text, measure text, value double precision, parts jsonb)
language sql stable as
$$
    with
    known as (
        select
            held.attname::text as column_name,
            case
                -- Identifiers count up: their size tells nothing.
                when type.typname in ('int2', 'int4', 'int8', 'numeric', 'float4', 'float8')
                    then case when held.attname ~ '_(id|no)$' then 'other' else 'number' end
                when type.typname in ('date', 'timestamp', 'timestamptz') then 'date'
                when type.typcategory = 'S' then 'text'
                else 'other'
            end as category,
            coalesce(col_description(documented, described.attnum) ~ '分级：(公开|内部)', false) as is_open,
            stats.null_frac::double precision as null_share,
            round(case
                when stats.n_distinct < 0 then -stats.n_distinct * row_count else stats.n_distinct
            end)::double precision as distinct_count,
            coalesce(stats.most_common_vals::text::text[], '{}') as common,
            coalesce(stats.most_common_freqs, '{}') as freqs,
            coalesce(stats.histogram_bounds::text::text[], '{}') as bounds
        from pg_class as place
        inner join pg_attribute as held on place.oid = held.attrelid
        inner join pg_type as type on held.atttypid = type.oid
        inner join pg_stats as stats
            on stats.schemaname = place.relnamespace::regnamespace::text
            and stats.tablename = place.relname and stats.attname = held.attname
        left join pg_attribute as described
            on described.attrelid = documented and described.attname = held.attname
        where place.oid = relation and held.attname !~ '^_'
            -- A typed column speaks for the source's text beside it.
            and not exists (
                select from pg_attribute as typed
                where typed.attrelid = held.attrelid and held.attname = typed.attname || '_raw'
            )
    ),

    -- The most common values with their shares, the others by the bounds of their histogram, each for as many rows.
    weighed as (
        select
            known.column_name, known.category, known.is_open,
            -- Dates move on with the batches, they are no codes.
            known.category <> 'date' and known.distinct_count between 1 and 30 as is_code,
            each.value, sum(each.share) as share
        from known
        cross join lateral (
            select common.value, common.share::double precision
            from unnest(known.common, known.freqs) as common (value, share)
            union all
            select bound.value, greatest(
                1 - known.null_share - coalesce((select sum(freq) from unnest(known.freqs) as freq), 0), 0
            ) / cardinality(known.bounds)
            from unnest(known.bounds) as bound (value)
        ) as each (value, share)
        group by known.column_name, known.category, known.is_open, known.distinct_count, each.value
    ),

    -- A value of fewer than five rows is not told by name.
    classed as (
        select weighed.column_name, class.measure, class.part, sum(weighed.share) as share
        from weighed
        cross join lateral (
            select 'values', case when share * row_count < 4.5 then '其他' else weighed.value end
            where is_code and is_open
            union all
            select 'forms', quality.form_of(weighed.value)
            where category = 'text' and not (is_code and is_open)
            union all
            select 'ages', case
                when not isfinite(weighed.value::timestamp) then '更早' else quality.age_of(weighed.value::timestamp, day)
            end
            where category = 'date'
        ) as class (measure, part)
        group by weighed.column_name, class.measure, class.part
    ),

    ranked as (
        select
            column_name, 'ranks' as measure, share,
            row_number() over (partition by column_name order by share desc)::text as part
        from weighed where is_code and not is_open
    ),

    shared as (
        select column_name, measure, part, share from classed
        union all
        select column_name, measure, part, share from ranked
    ),

    spread as (
        select
            column_name, number,
            sum(share) over (partition by column_name order by number) as below,
            sum(share) over (partition by column_name) as whole
        from (
            select column_name, share, case when category = 'number' then value::double precision end as number
            from weighed
        ) as numbers
        where number not in ('NaN', 'Infinity', '-Infinity')
    ),

    quantiles as (
        select spread.column_name, part, min(number) filter (where below >= whole * part / 100 - 1e-6) as number
        from spread cross join unnest(array[5, 25, 50, 75, 95]) as part
        group by spread.column_name, part
    )

    select column_name, 'null_share', null_share, null::jsonb from known
    union all
    select column_name, 'distinct_count', distinct_count, null from known
    union all
    select column_name, measure, null, jsonb_object_agg(part, round((share / whole)::numeric, 6)) from (
        select shared.*, sum(share) over (partition by column_name, measure) as whole from shared
    ) as parted where whole > 0 group by column_name, measure
    union all
    -- To three digits: enough to see a shift, and no single row's figure.
    select column_name, 'quantiles', null, jsonb_object_agg(part, case
        when number = 0 then 0 else round(number::numeric, 2 - floor(log(abs(number)))::integer)
    end)
    from quantiles where number is not null group by column_name
$$;
comment on function quality.profile_of(regclass, regclass, bigint, date) is '由统计信息得出各列画像，不扫描表';

grant select on quality.drift_alarm to huiliu_watch;
