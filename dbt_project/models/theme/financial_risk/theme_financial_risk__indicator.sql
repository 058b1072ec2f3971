-- The evidence: every indicator of an organisation in being that reached its threshold of the day. Nearly every value
-- moves with the date, so all are taken anew each day and only what differs is written.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='organisation_key',
    touched_by='everything',
    indexes=[{'columns': ['organisation_key', 'indicator'], 'unique': true}]
) }}

with organisation as (
    select * from {{ ref('base_legal_person__organisation') }}
    where coalesce(status, '存续') = '存续'
),

threshold as (
    select * from {{ ref('theme_financial_risk_thresholds') }}
),

taxpayer as (
    select * from {{ ref('theme_taxation__taxpayer') }}
),

organisation_month as (
    select * from {{ ref('theme_taxation__organisation_month') }}
),

subject as (
    select * from {{ ref('base_credit__subject') }}
),

event as (
    select * from {{ ref('theme_market_regulation__event') }}
),

officer as (
    select * from {{ ref('base_legal_person__officer') }}
    where office_held = '法定代表人'
),

build as (
    select
        as_of,
        date_trunc('month', as_of) as month_start
    from {{ ref('int_build_dated') }}
),

owed as (
    select
        taxpayer.organisation_key,
        sum(taxpayer.arrears) as arrears,
        max(build.as_of - taxpayer.arrears_since) filter (where taxpayer.arrears > 0) as arrears_days,
        count(*) filter (where taxpayer.credit_level = 'D') as level_d_count
    from taxpayer
    cross join build
    group by taxpayer.organisation_key
),

-- The tax of a month is paid in the next, so the last three whole months end a month before this one.
paid as (
    select
        organisation_month.organisation_key,
        sum(organisation_month.amount) filter (
            where organisation_month.period >= to_char(build.month_start - interval '4 months', 'YYYYMM')
        ) as recent,
        sum(organisation_month.amount) filter (
            where organisation_month.period < to_char(build.month_start - interval '4 months', 'YYYYMM')
        ) as previous
    from organisation_month
    cross join build
    where
        organisation_month.period >= to_char(build.month_start - interval '7 months', 'YYYYMM')
        and organisation_month.period < to_char(build.month_start - interval '1 month', 'YYYYMM')
    group by organisation_month.organisation_key
),

changed as (
    select
        event.organisation_key,
        count(*) as change_count
    from event
    cross join build
    where
        event.event_kind = '法定代表人变更'
        and event.happened_on <= build.as_of
        and event.happened_on > build.as_of - interval '12 months'
    group by event.organisation_key
),

headed as (
    select
        officer.organisation_key,
        sum(subject.listing_count) as listing_count
    from officer
    cross join build
    inner join subject on officer.person_key = subject.person_key
    where
        (officer.started_on is null or officer.started_on <= build.as_of)
        and (officer.ended_on is null or officer.ended_on > build.as_of)
    group by officer.organisation_key
),

measured as (
    select
        organisation_key,
        'tax_arrears' as indicator,
        cast(arrears as numeric) as value
    from owed
    union all
    select
        organisation_key,
        'arrears_days' as indicator,
        cast(arrears_days as numeric) as value
    from owed
    union all
    select
        organisation_key,
        'tax_level_d' as indicator,
        cast(level_d_count as numeric) as value
    from owed
    union all
    select
        organisation_key,
        'tax_drop' as indicator,
        round(1 - coalesce(recent, 0) / previous, 4) as value
    from paid
    where previous > 0
    union all
    select
        organisation_key,
        'dishonest_listing' as indicator,
        cast(listing_count as numeric) as value
    from subject
    where organisation_key is not null
    union all
    select
        organisation_key,
        'penalties' as indicator,
        cast(penalty_count as numeric) as value
    from subject
    where organisation_key is not null
    union all
    select
        organisation_key,
        'representative_changes' as indicator,
        cast(change_count as numeric) as value
    from changed
    union all
    select
        organisation_key,
        'representative_listed' as indicator,
        cast(listing_count as numeric) as value
    from headed
)

select
    measured.organisation_key,
    measured.indicator,
    cast(measured.value as numeric(18, 4)) as value,
    cast(threshold.threshold as numeric(18, 4)) as threshold,
    threshold.points,
    threshold.valid_from as threshold_valid_from,
    organisation.district_code
from measured
inner join organisation on measured.organisation_key = organisation.organisation_key
inner join threshold on measured.indicator = threshold.indicator
cross join build
where
    threshold.valid_from <= build.as_of
    and (threshold.valid_to is null or threshold.valid_to > build.as_of)
    and measured.value >= threshold.threshold
