-- Exceedances of a township, month and pollutant.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='township_month',
    touched_by={'theme_ecology__reading': 'township_month'},
    indexes=[{'columns': ['township_month', 'pollutant'], 'unique': true}]
) }}

with reading as (
    select * from {{ ref('theme_ecology__reading') }}
    {% if is_incremental() %}where township_month in (select key from {{ touched() }}){% endif %}
)

select
    township_month,
    min(township_code) as township_code,
    min(district_code) as district_code,
    min(month) as month,
    coalesce(pollutant, '未知') as pollutant,
    cast(count(*) as integer) as reading_count,
    cast(count(*) filter (where exceeds) as integer) as exceedance_count,
    cast(count(distinct permit_no) filter (where exceeds) as integer) as exceeding_permit_count,
    cast(max(ratio) as numeric(18, 3)) as worst_ratio
from reading
group by township_month, coalesce(pollutant, '未知')
