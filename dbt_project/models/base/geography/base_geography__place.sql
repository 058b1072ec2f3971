-- What the emergency bureau keeps on the map: hazard points, shelters, stores and teams, with the time they stand.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='place_key',
    touched_by='everything',
    indexes=[{'columns': ['place_key'], 'unique': true}, {'columns': ['township_code']}]
) }}

with hazard_point as (
    select * from {{ ref('stg_emergency__hazard_point') }}
    where is_usable
),

shelter as (
    select * from {{ ref('stg_emergency__shelter') }}
    where is_usable
),

store as (
    select * from {{ ref('stg_emergency__store') }}
    where is_usable
),

rescue_team as (
    select * from {{ ref('stg_emergency__rescue_team') }}
    where is_usable
),

address as (
    select * from {{ ref('base_geography__address') }}
),

combined as (
    select
        'hazard_point' as place_type,
        code, name, kind, address, address_key, lon, lat, since_on, ended_on,
        grade,
        threatened_people,
        null::integer as capacity,
        null::integer as occupied,
        null::integer as tents,
        null::integer as quilts,
        null::integer as boats,
        null::integer as pumps,
        null::integer as members
    from hazard_point
    union all
    select
        'shelter' as place_type,
        code, name, kind, address, address_key, lon, lat, since_on, ended_on,
        null as grade,
        null as threatened_people,
        capacity,
        occupied,
        null as tents,
        null as quilts,
        null as boats,
        null as pumps,
        null as members
    from shelter
    union all
    select
        'store' as place_type,
        code, name, kind, address, address_key, lon, lat, since_on, ended_on,
        null as grade,
        null as threatened_people,
        null as capacity,
        null as occupied,
        tents,
        quilts,
        boats,
        pumps,
        null as members
    from store
    union all
    select
        'rescue_team' as place_type,
        code, name, kind, address, address_key, lon, lat, since_on, ended_on,
        null as grade,
        null as threatened_people,
        null as capacity,
        null as occupied,
        null as tents,
        null as quilts,
        null as boats,
        null as pumps,
        members
    from rescue_team
),

-- A number given twice is one object; the row that says more speaks.
ranked as (
    select
        *,
        row_number() over (
            partition by place_type, code
            order by
                num_nulls(name, kind, address, lon, since_on), since_on, name, address, ended_on,
                kind, lon, lat, grade, threatened_people, capacity, occupied, tents, quilts, boats, pumps, members
        ) as row_no
    from combined
)

select
    ranked.place_type || ':' || ranked.code as place_key,
    ranked.place_type,
    ranked.name,
    ranked.kind,
    ranked.address,
    ranked.address_key,
    address.region_code,
    address.township_code,
    address.district_code,
    address.confidence as region_confidence,
    ranked.lon,
    ranked.lat,
    ranked.since_on as valid_from,
    ranked.ended_on as valid_until,
    ranked.grade,
    ranked.threatened_people,
    ranked.capacity,
    ranked.occupied,
    ranked.tents,
    ranked.quilts,
    ranked.boats,
    ranked.pumps,
    ranked.members
from ranked
left join address on ranked.address_key = address.address_key
where ranked.row_no = 1
