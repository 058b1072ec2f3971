-- Numbered people as linkage compares them with records without a number: names, birth, spouses, where they lived.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='identifier_key',
    touched_by={
        'int_identity_merged': 'identifier_key',
        'int_household_couple': 'identifier_key',
        'stg_police__resident': 'identifier_key',
        'stg_police__move': 'identifier_key',
        'stg_marriage_registry__registration': 'identifier_key'
    },
    touches={'identifier_key': 'identifier_key'},
    indexes=[{'columns': ['identifier_key'], 'unique': true}]
) }}
{%- set touched_keys -%}
{% if is_incremental() %} and identifier_key in (select key from {{ touched() }}){% endif %}
{%- endset %}

with merged as (
    select * from {{ ref('int_identity_merged') }}
    where true{{ touched_keys }}
),

household_couple as not materialized (
    select * from {{ ref('int_household_couple') }}
),

registration as not materialized (
    select * from {{ ref('stg_marriage_registry__registration') }}
    where is_usable
),

resident as (
    select * from {{ ref('stg_police__resident') }}
    where is_usable{{ touched_keys }}
),

move as (
    select * from {{ ref('stg_police__move') }}
    where is_usable{{ touched_keys }}
),

spouse as (
    select
        identifier_key,
        array_agg(distinct name) as spouse_names
    from (
        select head_identifier_key as identifier_key, spouse_name as name from household_couple
        where true{{ touched_keys | replace('identifier_key', 'head_identifier_key') }}
        union all
        select spouse_identifier_key as identifier_key, head_name as name from household_couple
        where true{{ touched_keys | replace('identifier_key', 'spouse_identifier_key') }}
        union all
        select husband_identifier_key as identifier_key, wife_name as name from registration
        where true{{ touched_keys | replace('identifier_key', 'husband_identifier_key') }}
        union all
        select wife_identifier_key as identifier_key, husband_name as name from registration
        where true{{ touched_keys | replace('identifier_key', 'wife_identifier_key') }}
    ) as named
    where identifier_key is not null and name is not null
    group by identifier_key
),

place as (
    select
        identifier_key,
        array_agg(distinct left(village_code, 9)) as region_codes
    from (
        select identifier_key, village_code from resident
        union all
        select identifier_key, from_village_code as village_code from move
        union all
        select identifier_key, to_village_code as village_code from move
    ) as lived
    where village_code is not null
    group by identifier_key
)

select
    merged.identifier_key,
    merged.pid,
    merged.name,
    merged.names,
    merged.sex,
    merged.birth_date,
    merged.died_on,
    coalesce(spouse.spouse_names, '{}') as spouse_names,
    coalesce(place.region_codes, '{}') as region_codes
from merged
left join spouse on merged.identifier_key = spouse.identifier_key
left join place on merged.identifier_key = place.identifier_key
