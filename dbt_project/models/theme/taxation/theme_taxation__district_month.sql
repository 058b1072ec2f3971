{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='district_month',
    touched_by={'theme_taxation__organisation_month': 'district_month'},
    indexes=[{'columns': ['district_month'], 'unique': true}]
) }}

with organisation_month as (
    select * from {{ ref('theme_taxation__organisation_month') }}
    {% if is_incremental() %} where district_month in (select key from {{ touched() }}){% endif %}
)

select
    district_month,
    min(district_code) as district_code,
    min(period) as period,
    cast(count(*) as integer) as payer_count,
    sum(payment_count) as payment_count,
    sum(late_count) as late_count,
    cast(sum(amount) as numeric(18, 2)) as amount
from organisation_month
group by district_month
