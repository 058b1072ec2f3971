-- The thresholds in force on the day. When a date passes that changes one, everybody is judged again.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='only_row',
    touched_by='everything'
) }}

with threshold as (
    select * from {{ ref('special_veterans_thresholds') }}
),

build as (
    select * from {{ ref('int_build_dated') }}
),

in_force as (
    select threshold.*
    from threshold
    where
        threshold.valid_from <= (select build.as_of from build)
        and (threshold.valid_to is null or threshold.valid_to > (select build.as_of from build))
)

select
    true as only_row,
    cast(max(value) filter (where threshold_code = 'age_years') as integer) as age_years,
    cast(max(value) filter (where threshold_code = 'enlisted_from') as date) as enlisted_from,
    cast(max(value) filter (where threshold_code = 'enlisted_until') as date) as enlisted_until
from in_force
