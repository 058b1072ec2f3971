{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='district_month',
    touched_by={'theme_market_regulation__event': 'district_month'},
    indexes=[{'columns': ['district_month', 'subject_kind'], 'unique': true}]
) }}

with event as (
    select * from {{ ref('theme_market_regulation__event') }}
    {% if is_incremental() %} where district_month in (select key from {{ touched() }}){% endif %}
)

select
    district_month,
    min(district_code) as district_code,
    min(month) as month,
    subject_kind,
    cast(count(*) filter (where event_kind = '设立') as integer) as founded_count,
    cast(count(*) filter (where event_kind in ('注销', '吊销')) as integer) as closed_count,
    cast(count(*) filter (where event_kind = '吊销') as integer) as revoked_count,
    cast(count(*) filter (where event_kind like '%变更') as integer) as change_count
from event
group by district_month, subject_kind
