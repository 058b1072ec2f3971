{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='identifier_key',
    touched_by={
        'int_land_contract_merged': 'identifier_key',
        'base_population__identity': 'identifier_key',
        'base_region__division': '*'
    },
    touches={
        'identifier_key': 'identifier_key',
        'person_key': 'person_key',
        'village_code': 'village_code'
    },
    due_keys="
        select identifier_key from {{ this }}
        where {{ fell_due('term_from') }} or {{ fell_due('term_to + 1') }}
    ",
    indexes=[
        {'columns': ['contract_no'], 'unique': true}, {'columns': ['identifier_key']}, {'columns': ['person_key']},
        {'columns': ['village_code']}
    ]
) }}

with merged as (
    select * from {{ ref('int_land_contract_merged') }}
    where
        contract_no = counted_no
        {% if is_incremental() %} and identifier_key in (select key from {{ touched() }}){% endif %}
),

identity as (
    select * from {{ ref('base_population__identity') }}
),

township as (
    select
        left(region_code, 9) as code,
        left(coalesce(successor_code, region_code), 9) as code_now
    from {{ ref('base_region__division') }}
    where level = 'township'
),

build as (
    select * from {{ ref('int_build_dated') }}
)

select
    merged.contract_no,
    merged.identifier_key,
    identity.person_key,
    merged.has_number,
    merged.name,
    merged.household_no,
    merged.village_code,
    coalesce(township.code_now, left(merged.village_code, 9)) as township_code,
    merged.parcels,
    merged.area_mu,
    merged.term_from,
    merged.term_to,
    case
        when merged.term_to < build.as_of then 'ended'
        when merged.term_from > build.as_of then 'future'
        else 'in_force'
    end as status,
    merged.row_count
from merged
cross join build
left join identity on merged.identifier_key = identity.identifier_key
left join township on left(merged.village_code, 9) = township.code
