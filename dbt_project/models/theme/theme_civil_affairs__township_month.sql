{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='township_month',
    touched_by={'theme_civil_affairs__payment': 'township_month'},
    indexes=[{'columns': ['township_month', 'subsidy_kind'], 'unique': true}]
) }}

with payment as (
    select * from {{ ref('theme_civil_affairs__payment') }}
    {% if is_incremental() %} where township_month in (select key from {{ touched() }}){% endif %}
)

select
    township_month,
    min(township_code) as township_code,
    min(month) as month,
    subsidy_kind,
    cast(count(*) filter (where not is_repeat) as integer) as payment_count,
    cast(count(distinct person_key) as integer) as person_count,
    cast(coalesce(sum(amount) filter (where not is_repeat), 0) as numeric(16, 2)) as amount,
    cast(count(*) filter (where is_repeat) as integer) as repeat_count
from payment
group by township_month, subsidy_kind
