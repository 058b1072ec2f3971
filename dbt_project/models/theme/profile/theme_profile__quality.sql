-- Tags of how well somebody is known. Each is a column of the YAML beside, with its rule (docs/tags.md).
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='person_key',
    touched_by={'base_population__person': 'person_key'},
    due_keys="{{ tags_due() }}",
    indexes=[{'columns': ['person_key'], 'unique': true}]
) }}

with person as (
    select * from {{ ref('base_population__person') }}
    where {{ of_touched_people() }}
),

build as (
    select * from {{ ref('int_build_dated') }}
),

subject as materialized (
    select
        {{ tag_basics() }},
        person.has_number,
        person.in_police,
        person.name,
        person.name_source,
        person.names,
        person.sex,
        person.birth_date,
        person.birth_date_source,
        person.nation,
        person.village_code,
        person.household_no,
        person.phone,
        person.phone_on,
        person.conflicts,
        person.sources,
        person.record_count
    from person
    cross join build
)

select {{ tags('subject') }}
from subject
