-- The three nearest shelters with room of each open hazard point. Great-circle distance (haversine, radius 6,371 km).
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='hazard_key',
    touched_by='everything',
    indexes=[{'columns': ['hazard_key', 'nearness'], 'unique': true}]
) }}

with place as (
    select * from {{ ref('base_geography__place') }}
    where valid_until is null and lon is not null
),

hazard as (
    select * from place
    where place_type = 'hazard_point'
),

shelter as (
    select
        *,
        capacity - coalesce(occupied, 0) as room
    from place
    where place_type = 'shelter' and capacity > coalesce(occupied, 0)
),

-- Nobody is sent to another district; a hazard whose district is not known is compared with all.
measured as (
    select
        hazard.place_key as hazard_key,
        hazard.kind,
        hazard.grade,
        hazard.township_code,
        hazard.district_code,
        hazard.threatened_people,
        shelter.place_key as shelter_key,
        shelter.room,
        cast(2 * 6371 * asin(sqrt(
            power(sin(radians(shelter.lat - hazard.lat) / 2), 2)
            + cos(radians(hazard.lat))
            * cos(radians(shelter.lat))
            * power(sin(radians(shelter.lon - hazard.lon) / 2), 2)
        )) as numeric(8, 3)) as distance_km
    from hazard
    inner join shelter on coalesce(hazard.district_code, shelter.district_code) = shelter.district_code
),

ranked as (
    select
        *,
        row_number() over (partition by hazard_key order by distance_km, shelter_key) as nearness
    from measured
)

select
    hazard_key,
    cast(nearness as integer) as nearness,
    shelter_key,
    kind,
    grade,
    township_code,
    district_code,
    threatened_people,
    room,
    room >= threatened_people as holds_all,
    distance_km
from ranked
where nearness <= 3
