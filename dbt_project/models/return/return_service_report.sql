-- What a township or district is told of the service it gets: were its packages whole and in time, and how good are
-- its data. The report's own deliveries are left out: they happen after it is written.
{{ config(materialized='table') }}

with delivery as (
    select * from {{ ref('int_delivery_judged') }}
    where package <> 'service_report'
),

quality_score as (
    select * from {{ ref('int_quality_scored') }}
    where level = 'region'
),

division as (
    select * from {{ ref('base_region__division') }}
    where level in ('district', 'township') and valid_until is null
),

month as (
    select period from delivery
    union
    select period from quality_score
),

returned as (
    select
        month.period,
        division.consumer_code,
        count(delivery.delivery_id) as due_count,
        count(*) filter (where delivery.is_complete) as complete_count,
        count(*) filter (where delivery.is_timely) as timely_count
    from month
    cross join division
    left join delivery
        on
            month.period = delivery.period
            and division.consumer_code = delivery.consumer_code
    group by month.period, division.consumer_code
),

measured as (
    select
        consumer_code,
        period,
        'return_completeness' as item,
        'overall' as dimension,
        complete_count as numerator,
        due_count as denominator,
        cast(null as numeric) as score
    from returned
    union all
    select
        consumer_code,
        period,
        'return_timeliness' as item,
        'overall' as dimension,
        timely_count as numerator,
        due_count as denominator,
        null as score
    from returned
    union all
    select
        division.consumer_code,
        quality_score.period,
        'quality_score' as item,
        quality_score.dimension,
        null as numerator,
        null as denominator,
        quality_score.score
    from quality_score
    inner join division on quality_score.name = division.consumer_code
),

delivered as (
    select
        consumer_code,
        period,
        item,
        dimension,
        cast(numerator as numeric(18, 2)) as numerator,
        cast(denominator as numeric(18, 2)) as denominator,
        cast(coalesce(score, round(cast(numerator as numeric) / nullif(denominator, 0), 6)) as numeric(9, 6)) as value,
        case
            when item = 'quality_score' and score is null then '本月无已检验的规则'
            when item <> 'quality_score' and denominator = 0 then '本月无到期交付'
        end as note
    from measured
)

select
    *,
    md5(cast(delivered as text)) as _row_hash
from delivered
