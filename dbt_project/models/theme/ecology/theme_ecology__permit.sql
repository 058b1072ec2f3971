-- Permits to discharge, where their holders are, and how they kept to them.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='permit_no',
    touched_by={
        'stg_ecology__permit': 'permit_no',
        'stg_ecology__reading': 'permit_no',
        'base_geography__address': 'address_key'
    },
    touches={'permit_no': 'permit_no', 'uscc': 'uscc'},
    due_keys="
        select permit.permit_no from {{ ref('stg_ecology__permit') }} as permit
        where permit.address_key in (
            select keys.key::uuid from ({{ touched_since(['base_geography__address'], 'address_key') }}) as keys
        )
    ",
    indexes=[{'columns': ['permit_no'], 'unique': true}, {'columns': ['uscc']}]
) }}
{%- set of_touched -%}
{% if is_incremental() %} and permit_no in (select key from {{ touched() }}){% endif %}
{%- endset %}

with permit as (
    select * from {{ ref('stg_ecology__permit') }}
    where is_usable{{ of_touched }}
),

reading as (
    select * from {{ ref('stg_ecology__reading') }}
    where is_usable{{ of_touched }}
),

address as (
    select * from {{ ref('base_geography__address') }}
),

measured as (
    select
        permit.permit_no,
        count(*) as reading_count,
        count(*) filter (where reading.value > permit.limit_value) as exceedance_count,
        count(*) filter (where reading.measured_on not between permit.granted_on and permit.expires_on)
            as out_of_term_count,
        max(reading.measured_on) as last_measured_on,
        max(reading.value / nullif(permit.limit_value, 0)) as worst_ratio
    from permit
    inner join reading on permit.permit_no = reading.permit_no
    group by permit.permit_no
)

select
    permit.permit_no,
    permit.uscc,
    permit.name,
    permit.address,
    address.region_code,
    address.township_code,
    address.district_code,
    permit.pollutant,
    permit.unit,
    permit.limit_value,
    permit.granted_on as valid_from,
    permit.expires_on as valid_until,
    cast(coalesce(measured.reading_count, 0) as integer) as reading_count,
    cast(coalesce(measured.exceedance_count, 0) as integer) as exceedance_count,
    cast(coalesce(measured.out_of_term_count, 0) as integer) as out_of_term_count,
    measured.last_measured_on,
    cast(measured.worst_ratio as numeric(18, 3)) as worst_ratio
from permit
left join measured on permit.permit_no = measured.permit_no
left join address on permit.address_key = address.address_key
