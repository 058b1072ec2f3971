-- How many pupils a school has in a school year.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='school_year_key',
    touched_by={
        'theme_education__pupil_year': 'school_year_key',
        'stg_education__school': 'school_code'
    },
    touches={'school_year_key': 'school_year_key', 'township_year': 'township_year'},
    due_keys="
        select school_year_key from {{ this }}
        where school_code in ({{ touched_since(['stg_education__school'], 'school_code') }})
    ",
    indexes=[
        {'columns': ['school_year_key'], 'unique': true}, {'columns': ['school_code']}, {'columns': ['township_year']}
    ]
) }}

with pupil_year as (
    select * from {{ ref('theme_education__pupil_year') }}
    where
        school_code is not null
        {% if is_incremental() -%}
        and school_year_key in (select key from {{ touched() }})
        {%- endif %}
),

school as (
    select * from {{ ref('stg_education__school') }}
    where is_usable
),

-- One row a school: of repeated rows the newest speaks, and what it leaves blank comes from the next.
school_merged as (
    select
        school_code,
        (array_agg(name order by updated_at desc nulls last, school_id asc) filter (where name is not null))[1] as name,
        (
            array_agg(school_stage order by updated_at desc nulls last, school_id asc)
            filter (where school_stage is not null)
        )[1] as school_stage,
        (
            array_agg(township_code order by updated_at desc nulls last, school_id asc)
            filter (where township_code is not null)
        )[1] as township_code
    from school
    group by school_code
),

counted as (
    select
        school_year_key,
        min(school_code) as school_code,
        min(school_year) as school_year,
        count(*) as pupil_count,
        count(*) filter (where sex = '2') as girl_count,
        count(*) filter (where is_open) as open_count,
        count(*) filter (where status = '转出') as transferred_count,
        count(*) filter (where status = '辍学') as dropped_count
    from pupil_year
    group by school_year_key
)

select
    counted.school_year_key,
    counted.school_code,
    counted.school_year,
    school_merged.name as school_name,
    school_merged.school_stage,
    school_merged.township_code,
    coalesce(school_merged.township_code, '000000000') || '-' || cast(counted.school_year as text) as township_year,
    cast(counted.pupil_count as integer) as pupil_count,
    cast(counted.girl_count as integer) as girl_count,
    cast(counted.open_count as integer) as open_count,
    cast(counted.transferred_count as integer) as transferred_count,
    cast(counted.dropped_count as integer) as dropped_count
from counted
left join school_merged on counted.school_code = school_merged.school_code
