-- Read whole every time (some thousand rows); only what differs is written, so readers of regions are seldom touched.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='region_code',
    touched_by='everything',
    indexes=[{'columns': ['region_code'], 'unique': true}]
) }}

with recursive division as (
    select * from {{ ref('stg_region_codes__division') }}
    where is_usable
),

change as (
    select * from {{ ref('stg_region_codes__change') }}
    where is_usable
),

-- The day after the last of its forerunners ended.
begun as (
    select
        new_code as region_code,
        max(valid_until) + 1 as valid_from
    from change
    group by new_code
),

current_division as (
    select
        division.code as region_code,
        division.name,
        division.level,
        division.parent_code,
        begun.valid_from,
        cast(null as date) as valid_until,
        cast(null as text) as successor_code
    from division
    left join begun on division.code = begun.region_code
),

-- From one unit to the next until one still stands. UNION drops pairs met before, so a circle comes to an end too.
followed as (
    select
        change.old_code as region_code,
        change.new_code as successor_code
    from change
    union
    select
        followed.region_code,
        change.new_code as successor_code
    from followed
    inner join change on followed.successor_code = change.old_code
    where
        not exists (
            select 1 from division
            where division.code = followed.successor_code
        )
),

successor as (
    select
        followed.region_code,
        min(current_division.region_code) as region_code_now,
        min(current_division.level) as level,
        min(current_division.parent_code) as parent_code
    from followed
    inner join current_division on followed.successor_code = current_division.region_code
    group by followed.region_code
),

-- A unit that is gone takes its level and its parent from the one that stands in its place now.
former_division as (
    select
        change.old_code as region_code,
        min(change.old_name) as name,
        min(successor.level) as level,
        min(successor.parent_code) as parent_code,
        cast(null as date) as valid_from,
        max(change.valid_until) as valid_until,
        coalesce(min(successor.region_code_now), min(change.new_code)) as successor_code
    from change
    left join successor on change.old_code = successor.region_code
    where
        not exists (
            select 1 from division
            where division.code = change.old_code
        )
    group by change.old_code
),

combined as (
    select * from current_division
    union all
    select * from former_division
)

select
    region_code,
    case level
        when 'city' then left(region_code, 4)
        when 'district' then left(region_code, 6)
        when 'township' then left(region_code, 9)
    end as consumer_code,
    name,
    level,
    parent_code,
    valid_from,
    valid_until,
    successor_code
from combined
