-- Buildings, one row a door; rows entered twice under two numbers are one building.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='building_key',
    touched_by={'stg_buildings__building': 'building_key', 'base_region__division': '*'},
    touches={'building_key': 'building_key', 'door_key': 'door_key', 'township_code': 'township_code'},
    indexes=[
        {'columns': ['building_key'], 'unique': true}, {'columns': ['door_key']}, {'columns': ['township_code']}
    ]
) }}

with building as (
    select * from {{ ref('stg_buildings__building') }}
    where
        is_usable
        {% if is_incremental() %} and building_key in (select key from {{ touched() }}){% endif %}
),

division as (
    select * from {{ ref('base_region__division') }}
),

ranked as (
    select
        *,
        count(*) over (partition by building_key) as row_count,
        row_number() over (
            partition by building_key
            order by num_nulls(name, kind, address, floors, lon, village_code), building_no
        ) as row_no
    from building
)

select
    ranked.building_key,
    ranked.building_no,
    ranked.door_key,
    ranked.name,
    ranked.kind,
    ranked.address,
    ranked.address_key,
    ranked.road,
    ranked.door_number,
    ranked.floors,
    ranked.built_year,
    ranked.lon,
    ranked.lat,
    coalesce(division.successor_code, division.region_code) as village_code,
    left(coalesce(division.successor_code, division.region_code), 9) as township_code,
    left(coalesce(division.successor_code, division.region_code), 6) as district_code,
    (ranked.row_count)::integer as row_count
from ranked
left join division on ranked.village_code = division.region_code
where ranked.row_no = 1
