-- Doors (district, road, number) that are one building, and the addresses that lead to them.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='door_key',
    touched_by={'int_address_named': 'door_key', 'base_geography__building': 'door_key'},
    touches={'address_key': 'unnest(address_keys)'},
    indexes=[{'columns': ['door_key'], 'unique': true}]
) }}
{%- set touched_keys -%}
{% if is_incremental() %} and door_key in (select key from {{ touched() }}){% endif %}
{%- endset %}

with named as (
    select * from {{ ref('int_address_named') }}
    where door_key is not null{{ touched_keys }}
),

building as (
    select * from {{ ref('base_geography__building') }}
    where door_key is not null{{ touched_keys }}
),

waiting as (
    select
        door_key,
        array_agg(address_key order by address_key) as address_keys
    from named
    group by door_key
)

select
    building.door_key,
    building.building_key,
    building.village_code,
    building.lon,
    building.lat,
    waiting.address_keys
from building
inner join waiting on building.door_key = waiting.door_key
