-- Tags of who somebody is. Each is a column of the YAML beside, with its rule (docs/tags.md).
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='person_key',
    touched_by={'base_population__person': 'person_key', 'base_population__residence': 'person_key'},
    due_keys="{{ tags_due() }}",
    indexes=[{'columns': ['person_key'], 'unique': true}]
) }}

with person as (
    select * from {{ ref('base_population__person') }}
    where {{ of_touched_people() }}
),

residence as (
    select * from {{ ref('base_population__residence') }}
    where {{ of_touched_people() }}
),

build as (
    select * from {{ ref('int_build_dated') }}
),

housed as (
    select
        person_key,
        count(*) as residence_count,
        count(distinct township_code) as township_count,
        max(from_date) as last_moved_on
    from residence
    group by person_key
),

subject as materialized (
    select
        {{ tag_basics() }},
        extract(year from person.birth_date) as birth_year,
        person.sex,
        person.nation,
        person.hukou_type,
        person.died_on,
        person.death_sources,
        person.left_on,
        coalesce(housed.residence_count, 0) as residence_count,
        housed.township_count,
        housed.last_moved_on
    from person
    cross join build
    left join housed on person.person_key = housed.person_key
)

select {{ tags('subject') }}
from subject
