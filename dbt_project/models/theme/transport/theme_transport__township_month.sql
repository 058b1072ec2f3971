{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='township_code',
    touched_by={'theme_transport__vehicle': 'township_code', 'theme_transport__finding': 'township_code'},
    indexes=[{'columns': ['township_code', 'month'], 'unique': true}]
) }}
{%- set touched_keys -%}
{% if is_incremental() %} and township_code in (select key from {{ touched() }}){% endif %}
{%- endset %}

with vehicle as (
    select * from {{ ref('theme_transport__vehicle') }}
    where true{{ touched_keys }}
),

finding as (
    select * from {{ ref('theme_transport__finding') }}
    where true{{ touched_keys }}
),

event as (
    select
        township_code,
        to_char(registered_on, 'YYYYMM') as month,
        'registered' as kind
    from vehicle
    where registered_on is not null
    union all
    select
        township_code,
        to_char(scrapped_on, 'YYYYMM') as month,
        'scrapped' as kind
    from vehicle
    where scrapped_on is not null
    union all
    select
        township_code,
        month,
        finding_kind as kind
    from finding
    where month is not null
)

select
    township_code,
    month,
    cast(count(*) filter (where kind = 'registered') as integer) as registered_count,
    cast(count(*) filter (where kind = 'scrapped') as integer) as scrapped_count,
    cast(count(*) filter (where kind = 'inspection_expired') as integer) as inspection_expired_count,
    cast(count(*) filter (where kind = 'operator_unlicensed') as integer) as operator_unlicensed_count
from event
group by township_code, month
