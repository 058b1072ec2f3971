-- The risk list: organisations with at least one indicator, how high the risk is, and why.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='organisation_key',
    touched_by='everything',
    indexes=[{'columns': ['organisation_key'], 'unique': true}]
) }}

with indicator as (
    select * from {{ ref('theme_financial_risk__indicator') }}
),

organisation as (
    select * from {{ ref('base_legal_person__organisation') }}
),

threshold as (
    select * from {{ ref('theme_financial_risk_thresholds') }}
),

build as (
    select * from {{ ref('int_build_dated') }}
),

level as (
    select
        max(threshold.threshold) filter (where threshold.indicator = 'level_medium') as medium,
        max(threshold.threshold) filter (where threshold.indicator = 'level_high') as high
    from threshold
    cross join build
    where
        threshold.valid_from <= build.as_of
        and (threshold.valid_to is null or threshold.valid_to > build.as_of)
),

summed as (
    select
        organisation_key,
        cast(sum(points) as integer) as points,
        cast(count(*) as integer) as indicator_count,
        jsonb_agg(
            jsonb_build_object('indicator', indicator, 'value', value, 'threshold', threshold, 'points', points)
            order by indicator
        ) as evidence
    from indicator
    group by organisation_key
)

select
    summed.organisation_key,
    organisation.name,
    organisation.subject_kind,
    organisation.district_code,
    case
        when summed.points >= level.high then '高'
        when summed.points >= level.medium then '中'
        else '低'
    end as risk_level,
    summed.points,
    summed.indicator_count,
    summed.evidence
from summed
cross join level
inner join organisation on summed.organisation_key = organisation.organisation_key
