-- A month is computed until it has closed, then kept as it was: `full_refresh` is off on purpose.
{{ config(
    materialized='incremental', incremental_strategy='delete+insert', unique_key='period', full_refresh=false
) }}

with build as (
    select * from {{ ref('int_build_dated') }}
),

business as (
    select * from {{ source('ops', 'business_date') }}
),

-- A build may look ahead of the business date; a month that is not over yet stays open all the same.
closing as (
    select to_char(least(build.as_of, business.business_date), 'YYYY-MM') as first_open_period
    from build
    cross join business
),

delivery as (
    select * from {{ ref('int_delivery_judged') }}
    -- The service report goes out after these figures are written: its deliveries of a day count from the next day on,
    -- or figures computed once more on the same day would differ.
    where package <> 'service_report' or business_date < (select build.as_of from build)
),

quality_score as (
    select * from {{ ref('int_quality_scored') }}
    -- The city stands among the regions and at a level of its own: once is enough.
    where dimension = 'overall' and not (level = 'region' and length(name) = 4)
),

resource as (
    select * from {{ ref('int_resource_probed') }}
),

freshness as (
    select * from {{ ref('int_freshness_timed') }}
),

correction as (
    select * from {{ ref('int_correction_judged') }}
),

division as (
    select * from {{ ref('base_region__division') }}
    where consumer_code is not null and valid_until is null
),

month as (
    select period from delivery
    union
    select period from quality_score
    union
    select period from resource
),

-- A district's figure holds its townships', the city's all of them.
delivery_of_region as (
    select
        *,
        consumer_code as region_code
    from delivery
    union all
    select
        *,
        left(consumer_code, 6) as region_code
    from delivery
    where length(consumer_code) > 6
    union all
    select
        *,
        left(consumer_code, 4) as region_code
    from delivery
    where length(consumer_code) > 4
),

-- Every region has its row in every month, so that one without deliveries is seen to be without.
returned as (
    select
        month.period,
        division.consumer_code as region_code,
        count(delivery_of_region.delivery_id) as due_count,
        count(*) filter (where delivery_of_region.is_complete) as complete_count,
        count(*) filter (where delivery_of_region.is_timely) as timely_count
    from month
    cross join division
    left join delivery_of_region
        on
            month.period = delivery_of_region.period
            and division.consumer_code = delivery_of_region.region_code
    group by month.period, division.consumer_code
),

hooked_up as (
    select
        resource.period,
        coalesce(resource.department, '全部部门') as department,
        count(*) filter (where resource.is_live) as live_count,
        count(*) as resource_count
    from resource
    group by grouping sets ((resource.period, resource.department), (resource.period))
),

corrected as (
    select
        correction.period,
        coalesce(correction.department, '全部部门') as department,
        count(*) filter (where correction.is_timely) as timely_count,
        count(*) filter (where not correction.is_set_aside) as judged_count,
        count(*) filter (where correction.is_set_aside) as set_aside_count,
        count(*) as due_count
    from correction
    group by grouping sets ((correction.period, correction.department), (correction.period))
),

city as (
    select min(consumer_code) as region_code
    from division
    where level = 'city'
),

measured as (
    select
        period,
        'hook_up_rate' as kpi,
        department,
        (select city.region_code from city) as region_code,
        live_count as numerator,
        resource_count as denominator,
        cast(null as numeric) as score
    from hooked_up
    union all
    select
        period,
        'correction_timeliness' as kpi,
        department,
        (select city.region_code from city) as region_code,
        timely_count as numerator,
        judged_count as denominator,
        null as score
    from corrected
    union all
    select
        period,
        'corrections_set_aside' as kpi,
        department,
        (select city.region_code from city) as region_code,
        set_aside_count as numerator,
        due_count as denominator,
        null as score
    from corrected
    union all
    select
        period,
        'return_completeness' as kpi,
        '市大数据局' as department,
        region_code,
        complete_count as numerator,
        due_count as denominator,
        null as score
    from returned
    union all
    select
        period,
        'return_timeliness' as kpi,
        '市大数据局' as department,
        region_code,
        timely_count as numerator,
        due_count as denominator,
        null as score
    from returned
    union all
    select
        period,
        'quality_score' as kpi,
        case level when 'department' then name else '全部部门' end as department,
        case level when 'region' then name else (select city.region_code from city) end as region_code,
        null as numerator,
        null as denominator,
        score
    from quality_score
    union all
    -- In minutes; more than the column holds says the same: far too late.
    select
        period,
        'freshness' as kpi,
        department,
        (select city.region_code from city) as region_code,
        null as numerator,
        null as denominator,
        least(p95_minutes, 999.999999) as score
    from freshness
)

select
    period,
    kpi,
    department,
    region_code,
    cast(numerator as numeric(18, 2)) as numerator,
    cast(denominator as numeric(18, 2)) as denominator,
    cast(coalesce(score, round(cast(numerator as numeric) / nullif(denominator, 0), 6)) as numeric(9, 6)) as value,
    case
        when kpi = 'quality_score' and score is null then '本月无已检验的规则'
        when kpi = 'correction_timeliness' and denominator = 0 then '本月到期的纠错单均免计'
        when kpi <> 'quality_score' and denominator = 0 then '本月无到期交付'
    end as note,
    period < (select closing.first_open_period from closing) as _is_closed
from measured
{% if is_incremental() %}
where
    period not in (
        select closed.period from {{ this }} as closed
        where closed._is_closed and closed.period < (select closing.first_open_period from closing)
    )
{% endif %}
