-- Where an address is: as deep as its text, the roads and the buildings known allow, with how sure that is.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='address_key',
    touched_by={
        'int_address_headed': 'address_key',
        'int_address_named': 'address_key',
        'int_road_located': 'address_key',
        'int_door_known': 'address_key'
    },
    touches={'address_key': 'address_key', 'district_code': 'district_code', 'township_code': 'township_code'},
    indexes=[
        {'columns': ['address_key'], 'unique': true}, {'columns': ['township_code']}, {'columns': ['building_key']}
    ]
) }}
{%- set touched_keys -%}
{% if is_incremental() %}where address_key in (select key from {{ touched() }}){% endif %}
{%- endset %}

with headed as (
    select * from {{ ref('int_address_headed') }}
    {{ touched_keys }}
),

named as (
    select * from {{ ref('int_address_named') }}
    {{ touched_keys }}
),

road as (
    select * from {{ ref('int_road_located') }}
),

door as (
    select * from {{ ref('int_door_known') }}
),

joined as (
    select
        headed.address_key,
        headed.address,
        headed.is_outside,
        headed.city_code,
        headed.names_city,
        headed.district_confidence,
        named.road,
        named.door_number,
        named.township_strength,
        named.village_strength,
        named.names_township,
        coalesce(named.candidate_count, 0) as candidate_count,
        coalesce(named.district_code, road.district_code) as district_code,
        -- A township the text names is believed before a building's.
        case
            when named.township_code is null or left(door.village_code, 9) = named.township_code then door.building_key
        end as building_key,
        named.township_code,
        named.village_code,
        road.confidence as road_confidence,
        door.village_code as building_village_code,
        door.lon,
        door.lat
    from headed
    left join named on headed.address_key = named.address_key
    left join road on named.road = road.road and named.district_code is null
    left join door on named.door_key = door.door_key and door.village_code is not null
),

judged as (
    select
        *,
        case
            when is_outside then 'outside'
            when building_key is not null then 'building'
            when village_code is not null then 'village'
            when township_code is not null then 'township'
            when road_confidence is not null then 'road'
            when district_code is not null then 'district'
            when names_city then 'city'
            else 'none'
        end as method
    from joined
),

located as (
    select
        *,
        case method
            when 'building' then building_village_code
            when 'village' then village_code
            when 'township' then township_code
            when 'road' then district_code
            when 'district' then district_code
            when 'city' then city_code
        end as region_code
    from judged
)

select
    address_key,
    address,
    region_code,
    case length(region_code) when 12 then 'village' when 9 then 'township' when 6 then 'district' when 4 then 'city' end
        as level,
    method,
    cast(case method
        when 'building' then 0.97
        -- A name that is unique without its township being named may still be another place of that name.
        when
            'village'
            then village_strength * case when names_township then 1 else 0.85 end * coalesce(district_confidence, 0.9)
        when 'township' then coalesce(township_strength, village_strength * 0.9) * coalesce(district_confidence, 0.9)
        when 'district' then district_confidence
        when 'road' then road_confidence
        when 'city' then 0.5
        else 0
    end as numeric(3, 2)) as confidence,
    case when length(region_code) > 6 then left(region_code, 9) end as township_code,
    case when length(region_code) > 4 then left(region_code, 6) end as district_code,
    building_key,
    cast(case when building_key is not null then lon end as numeric(9, 6)) as lon,
    cast(case when building_key is not null then lat end as numeric(8, 6)) as lat,
    road,
    door_number,
    candidate_count
from located
