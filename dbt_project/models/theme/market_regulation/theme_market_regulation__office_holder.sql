-- People who hold or held offices: in how many organisations, and how many of them they head today.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='person_key',
    touched_by={'base_legal_person__officer': 'person_key'},
    due_keys="
        select person_key from {{ ref('base_legal_person__officer') }}
        where {{ fell_due('ended_on') }} or {{ fell_due('started_on') }}
    ",
    indexes=[{'columns': ['person_key'], 'unique': true}]
) }}

with officer as (
    select * from {{ ref('base_legal_person__officer') }}
    {% if is_incremental() %} where person_key in (select key from {{ touched() }}){% endif %}
),

build as (
    select * from {{ ref('int_build_dated') }}
),

dated as (
    select
        officer.*,
        coalesce(officer.started_on <= build.as_of, true) and coalesce(officer.ended_on > build.as_of, true)
            as is_held
    from officer
    cross join build
)

select
    person_key,
    cast(count(distinct organisation_key) as integer) as organisation_count,
    cast(count(distinct organisation_key) filter (where is_held) as integer) as held_count,
    cast(
        count(distinct organisation_key) filter (where is_held and office_held = '法定代表人') as integer
    ) as headed_count,
    cast(count(distinct organisation_key) filter (where is_held and office_held = '股东') as integer) as owned_count
from dated
group by person_key
