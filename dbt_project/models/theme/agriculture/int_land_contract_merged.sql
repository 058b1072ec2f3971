-- Contracts entered twice are one: the lower number counts, as all else is alike; the other is kept, since claims may
-- name it. A village's are compared together.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='village_code',
    touched_by={'stg_agriculture__land_contract': 'village_code'},
    touches={'identifier_key': 'identifier_key', 'contract_no': 'contract_no'},
    indexes=[{'columns': ['contract_no'], 'unique': true}, {'columns': ['identifier_key']}]
) }}

with land_contract as (
    select * from {{ ref('stg_agriculture__land_contract') }}
    where
        is_usable
        {% if is_incremental() %} and village_code in (select key from {{ touched() }}){% endif %}
),

counted as (
    select
        *,
        count(*) over alike as row_count,
        min(contract_no) over alike as counted_no
    from land_contract
    window
        alike as (
            partition by
                village_code, pid, name, birth_date, birth_year, relative_name, parcels, area_mu, term_from, term_to
        )
)

select
    village_code,
    contract_no,
    counted_no,
    identifier_key,
    has_number,
    name,
    household_no,
    parcels,
    area_mu,
    term_from,
    term_to,
    cast(row_count as integer) as row_count
from counted
