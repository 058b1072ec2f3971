-- Where a household lives, by those of its members whom the police's register places; and who its members are.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='household_no',
    touched_by={'stg_police__resident': 'household_no', 'stg_police__household_member': 'household_no'},
    touches={'identifier_key': 'unnest(member_keys)'},
    indexes=[{'columns': ['household_no'], 'unique': true}]
) }}
{%- set touched_keys -%}
{% if is_incremental() %} and household_no in (select key from {{ touched() }}){% endif %}
{%- endset %}

with resident as (
    select * from {{ ref('stg_police__resident') }}
    where is_usable{{ touched_keys }}
),

household_member as (
    select * from {{ ref('stg_police__household_member') }}
    where is_usable{{ touched_keys }}
),

counted as (
    select
        household_no,
        village_code,
        count(*) as member_count
    from resident
    where household_no is not null and village_code is not null and status = '1'
    group by household_no, village_code
),

placed as (
    select distinct on (household_no)
        household_no,
        village_code
    from counted
    order by household_no asc, member_count desc, village_code asc
),

-- Whoever any row names in it, present or not: a key too many costs little, one too few leaves a stale place.
named as (
    select
        household_no,
        identifier_key
    from resident
    union
    select
        household_no,
        identifier_key
    from household_member
),

membership as (
    select
        household_no,
        array_agg(identifier_key order by identifier_key) as member_keys
    from named
    where household_no is not null
    group by household_no
)

select
    placed.household_no,
    placed.village_code,
    coalesce(membership.member_keys, '{}') as member_keys
from placed
left join membership on placed.household_no = membership.household_no
