-- Who is insured in a township, as of the business date.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='township_code',
    touched_by={'theme_social_security__insurance': 'township_code'},
    indexes=[{'columns': ['township_code', 'insurance_kind'], 'unique': true}]
) }}

with insurance as (
    select * from {{ ref('theme_social_security__insurance') }}
    where
        not is_repeat and is_resident and township_code is not null
        {% if is_incremental() %} and township_code in (select key from {{ touched() }}){% endif %}
)

select
    township_code,
    insurance_kind,
    cast(count(distinct person_key) filter (where status = '参保') as integer) as paying_count,
    cast(count(distinct person_key) filter (where status = '领取') as integer) as drawing_count,
    cast(count(distinct person_key) filter (where status = '停保') as integer) as stopped_count,
    cast(coalesce(sum(monthly_benefit) filter (where status = '领取'), 0) as numeric(16, 2)) as monthly_benefit,
    cast(avg(monthly_benefit) filter (where status = '领取') as numeric(14, 2)) as average_benefit
from insurance
group by township_code, insurance_kind
