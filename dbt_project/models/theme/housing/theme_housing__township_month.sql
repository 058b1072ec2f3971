-- What a township's homes and firms used in a month, and how many homes stood empty.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='township_month',
    touched_by={'theme_housing__usage': 'township_month'},
    indexes=[{'columns': ['township_month'], 'unique': true}]
) }}

with usage as (
    select * from {{ ref('theme_housing__usage') }}
    {% if is_incremental() %} where township_month in (select key from {{ touched() }}){% endif %}
)

select
    township_month,
    min(township_code) as township_code,
    min(month) as month,
    cast(count(*) filter (where kind = '居民生活用电') as integer) as homes,
    cast(count(*) filter (where kind = '居民生活用电' and is_low) as integer) as homes_low,
    cast(
        count(*) filter (where kind = '居民生活用电' and is_low)
        * 1.0 / nullif(count(*) filter (where kind = '居民生活用电'), 0) as numeric(7, 4)
    ) as low_share,
    cast(coalesce(sum(quantity) filter (where kind = '居民生活用电'), 0) as numeric(16, 2)) as homes_kwh,
    cast(count(*) filter (where kind = '工商业用电') as integer) as firms,
    cast(coalesce(sum(quantity) filter (where kind = '工商业用电'), 0) as numeric(16, 2)) as firms_kwh,
    cast(coalesce(sum(quantity) filter (where kind = '供水'), 0) as numeric(16, 2)) as water_m3,
    cast(coalesce(sum(quantity) filter (where kind = '供气'), 0) as numeric(16, 2)) as gas_m3
from usage
group by township_month
