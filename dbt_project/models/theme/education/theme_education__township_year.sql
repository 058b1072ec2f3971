-- The schools of a township and their size in a school year.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='township_year',
    touched_by={'theme_education__school_year': 'township_year'},
    indexes=[{'columns': ['township_year', 'school_stage'], 'unique': true}]
) }}

with school_year as (
    select * from {{ ref('theme_education__school_year') }}
    {% if is_incremental() %} where township_year in (select key from {{ touched() }}){% endif %}
)

select
    township_year,
    min(township_code) as township_code,
    min(school_year) as school_year,
    coalesce(school_stage, '未知') as school_stage,
    cast(count(*) as integer) as school_count,
    cast(sum(pupil_count) as integer) as pupil_count,
    cast(sum(girl_count) as integer) as girl_count,
    cast(sum(dropped_count) as integer) as dropped_count
from school_year
group by township_year, coalesce(school_stage, '未知')
