-- What each household of a village has contracted. A household whose number no register has stands under its contract.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='village_code',
    touched_by={'theme_agriculture__contract': 'village_code'},
    indexes=[{'columns': ['village_code', 'household_key'], 'unique': true}]
) }}

with contract as (
    select * from {{ ref('theme_agriculture__contract') }}
    where
        status = 'in_force'
        {% if is_incremental() %} and village_code in (select key from {{ touched() }}){% endif %}
)

select
    village_code,
    min(township_code) as township_code,
    coalesce(household_no, contract_no) as household_key,
    household_no,
    cast(count(*) as integer) as contract_count,
    cast(sum(parcels) as bigint) as parcels,
    cast(sum(area_mu) as numeric(16, 2)) as area_mu
from contract
group by village_code, coalesce(household_no, contract_no), household_no
