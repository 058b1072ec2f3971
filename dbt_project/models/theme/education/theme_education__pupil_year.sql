-- One roll a child and school year: the one that counts, of those that cover the year. A school year is named by the
-- year in which it begins on 1 September: eight months back, it is the calendar year.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='identifier_key',
    touched_by={
        'stg_education__enrolment': 'identifier_key',
        'base_population__identity': 'identifier_key'
    },
    touches={
        'identifier_key': 'identifier_key', 'person_key': 'person_key', 'school_year_key': 'school_year_key'
    },
    due_keys="
        select identifier_key from {{ ref('stg_education__enrolment') }}
        where
            (ended_on is null or ended_on > {{ last_as_of() }})
            and extract(year from {{ last_as_of() }} - interval '8 months')
            <> extract(year from {{ as_of() }} - interval '8 months')
    ",
    indexes=[
        {'columns': ['identifier_key', 'school_year'], 'unique': true},
        {'columns': ['person_key']}, {'columns': ['school_year_key']}, {'columns': ['school_code']}
    ]
) }}
{%- set of_touched -%}
{% if is_incremental() %} and identifier_key in (select key from {{ touched() }}){% endif %}
{%- endset %}

with enrolment as (
    select * from {{ ref('stg_education__enrolment') }}
    where is_usable{{ of_touched }}
),

identity as (
    select * from {{ ref('base_population__identity') }}
    where true{{ of_touched }}
),

build as (
    select * from {{ ref('int_build_dated') }}
),

-- Who is off the roll without a day given was so when the row was written: the year before that day is the last known.
dated as (
    select
        *,
        case
            when ended_on is not null then ended_on - 1
            when status = '在读' then (select build.as_of from build)
            else greatest(updated_at::date - 1, entered_on)
        end as last_on
    from enrolment
),

-- The same time on the same roll under a second number is one.
distinct_enrolment as (
    select distinct on (identifier_key, school_code, entered_on)
        *,
        status = '在读' and ended_on is null as is_open,
        extract(year from entered_on - interval '8 months')::integer as first_year,
        extract(
            year from least(last_on, (select build.as_of from build)) - interval '8 months'
        )::integer as last_year
    from dated
    order by
        identifier_key asc, school_code asc, entered_on asc,
        updated_at desc nulls last, ended_on desc nulls first, grade desc nulls last, enrolment_no asc
),

covered as (
    select
        distinct_enrolment.*,
        covered_year.school_year,
        distinct_enrolment.is_open and covered_year.school_year = distinct_enrolment.last_year as is_open_in_year
    from distinct_enrolment
    cross join
        lateral generate_series(
            distinct_enrolment.first_year, distinct_enrolment.last_year
        ) as covered_year (school_year)
),

ranked as (
    select
        *,
        row_number() over (
            partition by identifier_key, school_year
            order by is_open_in_year desc, entered_on desc, ended_on desc nulls first, enrolment_no asc
        ) as choice,
        count(*) filter (where is_open_in_year) over (partition by identifier_key, school_year) as open_count
    from covered
)

select
    ranked.identifier_key,
    coalesce(identity.person_key, ranked.identifier_key) as person_key,
    ranked.has_number,
    ranked.school_year,
    ranked.enrolment_no,
    ranked.school_code,
    coalesce(ranked.school_code, '') || '-' || ranked.school_year::text as school_year_key,
    ranked.sex,
    ranked.grade - (ranked.last_year - ranked.school_year) as grade,
    ranked.entered_on,
    case when ranked.school_year = ranked.last_year then ranked.ended_on end as ended_on,
    case when ranked.school_year = ranked.last_year then ranked.status else '在读' end as status,
    ranked.is_open_in_year as is_open,
    ranked.open_count::integer as open_count
from ranked
left join identity on ranked.identifier_key = identity.identifier_key
where ranked.choice = 1
