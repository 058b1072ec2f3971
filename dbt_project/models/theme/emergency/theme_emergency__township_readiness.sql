-- What a township faces and what it has, today.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='township_code',
    touched_by='everything',
    indexes=[{'columns': ['township_code'], 'unique': true}]
) }}

with division as (
    select * from {{ ref('base_region__division') }}
    where level = 'township' and successor_code is null
),

place as (
    select * from {{ ref('base_geography__place') }}
    where valid_until is null
),

counted as (
    select
        township_code,
        count(*) filter (where place_type = 'hazard_point') as hazard_count,
        count(*) filter (where place_type = 'hazard_point' and grade in ('一级', '二级')) as grave_hazard_count,
        sum(threatened_people) as threatened_people,
        count(*) filter (where place_type = 'shelter') as shelter_count,
        sum(greatest(capacity - coalesce(occupied, 0), 0)) as shelter_room,
        count(*) filter (where place_type = 'store') as store_count,
        sum(tents) as tents,
        count(*) filter (where place_type = 'rescue_team') as team_count,
        sum(members) as team_members
    from place
    where township_code is not null
    group by township_code
)

select
    left(division.region_code, 9) as township_code,
    left(division.region_code, 6) as district_code,
    cast(coalesce(counted.hazard_count, 0) as integer) as hazard_count,
    cast(coalesce(counted.grave_hazard_count, 0) as integer) as grave_hazard_count,
    cast(coalesce(counted.threatened_people, 0) as bigint) as threatened_people,
    cast(coalesce(counted.shelter_count, 0) as integer) as shelter_count,
    cast(coalesce(counted.shelter_room, 0) as bigint) as shelter_room,
    cast(coalesce(counted.store_count, 0) as integer) as store_count,
    cast(coalesce(counted.tents, 0) as bigint) as tents,
    cast(coalesce(counted.team_count, 0) as integer) as team_count,
    cast(coalesce(counted.team_members, 0) as bigint) as team_members,
    coalesce(counted.shelter_room, 0) >= coalesce(counted.threatened_people, 0) as has_room_for_all
from division
left join counted on left(division.region_code, 9) = counted.township_code
