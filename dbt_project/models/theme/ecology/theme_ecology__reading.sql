-- Measured discharges against what their permits allow.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='permit_no',
    touched_by={'stg_ecology__reading': 'permit_no', 'theme_ecology__permit': 'permit_no'},
    touches={'permit_no': 'permit_no', 'township_month': 'township_month'},
    indexes=[
        {'columns': ['reading_no'], 'unique': true}, {'columns': ['permit_no']}, {'columns': ['township_month']}
    ]
) }}
{%- set touched_keys -%}
{% if is_incremental() %} and permit_no in (select key from {{ touched() }}){% endif %}
{%- endset %}

with reading as (
    select * from {{ ref('stg_ecology__reading') }}
    where is_usable{{ touched_keys }}
),

permit as (
    select * from {{ ref('theme_ecology__permit') }}
    where true{{ touched_keys }}
)

select
    reading.reading_no,
    reading.permit_no,
    permit.uscc,
    coalesce(reading.pollutant, permit.pollutant) as pollutant,
    reading.measured_on,
    to_char(reading.measured_on, 'YYYYMM') as month,
    permit.township_code,
    permit.district_code,
    coalesce(permit.township_code, '未知') || '|' || to_char(reading.measured_on, 'YYYYMM') as township_month,
    reading.value,
    permit.limit_value,
    permit.unit,
    cast(reading.value / nullif(permit.limit_value, 0) as numeric(18, 3)) as ratio,
    reading.value > permit.limit_value as exceeds,
    reading.measured_on between permit.valid_from and permit.valid_until as in_term
from reading
left join permit on reading.permit_no = permit.permit_no
