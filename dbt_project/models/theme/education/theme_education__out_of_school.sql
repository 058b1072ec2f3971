-- Children of the age of compulsory schooling (6 to 14 when the school year began) who live here and are on no roll.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='person_key',
    touched_by={
        'base_population__person': 'person_key',
        'theme_education__pupil_year': 'person_key',
        'theme_social_security__support': 'person_key'
    },
    due_keys="
        select person_key from {{ ref('base_population__person') }}
        where
            extract(year from {{ last_as_of() }} - interval '8 months')
            <> extract(year from {{ as_of() }} - interval '8 months')
            and birth_date > {{ last_as_of() }} - interval '17 years'
    ",
    indexes=[{'columns': ['person_key'], 'unique': true}, {'columns': ['township_code']}]
) }}
{%- set of_touched -%}
{% if is_incremental() %} and person_key in (select key from {{ touched() }}){% endif %}
{%- endset %}

with build as (
    select
        int_build_dated.as_of,
        extract(year from int_build_dated.as_of - interval '8 months')::integer as school_year
    from {{ ref('int_build_dated') }} as int_build_dated
),

person as (
    select * from {{ ref('base_population__person') }}
    where is_resident{{ of_touched }}
),

pupil_year as (
    select * from {{ ref('theme_education__pupil_year') }}
    where true{{ of_touched }}
),

support as (
    select * from {{ ref('theme_social_security__support') }}
    where true{{ of_touched }}
),

child as (
    select
        person.*,
        build.school_year,
        (build.school_year - extract(year from person.birth_date - interval '8 months'))::integer - 1 as age
    from person
    cross join build
    where
        person.birth_date < make_date(build.school_year - 6, 9, 1)
        and person.birth_date >= make_date(build.school_year - 15, 9, 1)
),

last_roll as (
    select distinct on (person_key) *
    from pupil_year
    order by person_key asc, school_year desc, is_open desc, entered_on desc, enrolment_no asc
)

select
    child.person_key,
    child.school_year,
    child.age,
    child.township_code,
    last_roll.school_code as last_school_code,
    last_roll.school_year as last_school_year,
    last_roll.ended_on as left_on,
    coalesce(last_roll.status, '从未入学') as how,
    coalesce(support.is_disabled, false) as is_disabled,
    coalesce(support.in_assistance or support.is_monitored, false) as is_supported
from child
left join last_roll on child.person_key = last_roll.person_key
left join support on child.person_key = support.person_key
where not coalesce(last_roll.is_open, false)
