-- The grades of the day: from how many points on each is given.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='grade',
    touched_by='everything',
    indexes=[{'columns': ['grade'], 'unique': true}]
) }}

with scale as (
    select * from {{ ref('base_credit_grades') }}
),

build as (
    select * from {{ ref('int_build_dated') }}
)

select
    scale.grade,
    scale.least_score
from scale
inner join build
    on
        scale.valid_from <= build.as_of
        and (scale.valid_to is null or scale.valid_to > build.as_of)
