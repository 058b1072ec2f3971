-- Tags of schooling and degrees. Each is a column of the YAML beside, with its rule (docs/tags.md).
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='person_key',
    touched_by={
        'base_population__person': 'person_key',
        'theme_education__pupil_year': 'person_key',
        'theme_education__out_of_school': 'person_key',
        'theme_education__attainment': 'person_key'
    },
    due_keys="{{ tags_due() }}",
    indexes=[{'columns': ['person_key'], 'unique': true}]
) }}

with person as (
    select * from {{ ref('base_population__person') }}
    where {{ of_touched_people() }}
),

pupil_year as (
    select * from {{ ref('theme_education__pupil_year') }}
    where {{ of_touched_people() }}
),

out_of_school as (
    select * from {{ ref('theme_education__out_of_school') }}
    where {{ of_touched_people() }}
),

attainment as (
    select * from {{ ref('theme_education__attainment') }}
    where {{ of_touched_people() }}
),

build as (
    select * from {{ ref('int_build_dated') }}
),

schooled as (
    select
        person_key,
        count(distinct school_year) as year_count,
        max(open_count) filter (where is_open) as open_count,
        max(grade) filter (where is_open) as grade,
        count(*) filter (where status = '辍学') as dropped_count,
        max(ended_on) filter (where status = '转出') as last_transferred_on,
        max(ended_on) filter (where status = '毕业') as last_graduated_on
    from pupil_year
    group by person_key
),

-- A person with two numbers has the higher of the two degrees, then the earlier.
graduated as (
    select distinct on (person_key)
        person_key,
        level as degree_level,
        level_no as degree_no,
        graduated_on as degree_on
    from attainment
    order by person_key asc, level_no desc, graduated_on asc
),

subject as materialized (
    select
        {{ tag_basics() }},
        schooled.year_count,
        coalesce(schooled.open_count, 0) as open_count,
        schooled.grade,
        schooled.dropped_count,
        schooled.last_transferred_on,
        schooled.last_graduated_on,
        out_of_school.person_key is not null as out_of_school,
        out_of_school.how as out_of_school_how,
        graduated.degree_level,
        graduated.degree_no,
        graduated.degree_on
    from person
    cross join build
    left join schooled on person.person_key = schooled.person_key
    left join out_of_school on person.person_key = out_of_school.person_key
    left join graduated on person.person_key = graduated.person_key
)

select {{ tags('subject') }}
from subject
