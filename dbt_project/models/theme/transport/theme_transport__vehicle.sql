-- Vehicles, whether they are inspected, and whether their owner may carry others with them. The township is where a
-- vehicle is registered, as that is where it is looked after.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='owner_key',
    touched_by={
        'stg_transport__vehicle': 'owner_key',
        'theme_transport__licence': 'holder_key',
        'base_population__identity': 'identifier_key',
        'base_region__division': '*'
    },
    touches={'owner_key': 'owner_key', 'person_key': 'person_key', 'township_code': 'township_code'},
    due_keys="
        select owner_key from {{ this }}
        where {{ fell_due('inspection_valid_until + 1') }} or {{ fell_due('scrapped_on') }}
    ",
    indexes=[
        {'columns': ['owner_key', 'plate_no'], 'unique': true},
        {'columns': ['person_key']}, {'columns': ['township_code']}
    ]
) }}
{%- set touched_keys -%}
{% if is_incremental() %} in (select key from {{ touched() }}){% else %} is not null{% endif %}
{%- endset %}

with registered as (
    select * from {{ ref('stg_transport__vehicle') }}
    where is_usable and owner_key{{ touched_keys }}
),

licence as (
    select * from {{ ref('theme_transport__licence') }}
    where holder_key{{ touched_keys }}
),

identity as (
    select * from {{ ref('base_population__identity') }}
),

township as (
    select
        left(region_code, 9) as code,
        left(coalesce(successor_code, region_code), 9) as code_now
    from {{ ref('base_region__division') }}
    where level = 'township'
),

build as (
    select * from {{ ref('int_build_dated') }}
),

-- A vehicle entered twice is one: the same row of the two each time, chosen by its values.
vehicle as (
    select distinct on (owner_key, plate_no)
        *,
        case
            when use_kind = '营运' and vehicle_kind = '重型货车' then '道路货物运输经营许可'
            when use_kind = '营运' and vehicle_kind = '大型客车' then '道路旅客运输经营许可'
            when use_kind = '营运' and vehicle_kind = '出租客车' then '巡游出租汽车经营许可'
        end as licence_needed
    from registered
    order by
        owner_key asc, plate_no asc,
        num_nulls(registered_on, inspection_valid_until, township_code) asc, vehicle_id asc
),

operator as (
    select
        holder_key,
        licence_kind,
        bool_or(status = 'valid') as is_licensed,
        max(ended_on) as ended_on
    from licence
    group by holder_key, licence_kind
)

select
    vehicle.plate_no,
    vehicle.vehicle_id,
    vehicle.vehicle_kind,
    vehicle.use_kind,
    vehicle.owner_key,
    vehicle.owner_identifier_key as identifier_key,
    identity.person_key,
    vehicle.owner_uscc as uscc,
    vehicle.owner_name,
    coalesce(township.code_now, vehicle.township_code, '000000000') as township_code,
    vehicle.registered_on,
    vehicle.inspection_valid_until,
    vehicle.scrapped_on,
    case
        when vehicle.scrapped_on <= build.as_of then 'scrapped'
        when vehicle.inspection_valid_until < build.as_of then 'expired'
        when vehicle.inspection_valid_until is not null then 'valid'
        else 'unknown'
    end as inspection_status,
    vehicle.licence_needed,
    case
        when vehicle.scrapped_on <= build.as_of then 'scrapped'
        when vehicle.licence_needed is null then 'not_needed'
        when not vehicle.owner_has_number then 'unknown'
        when operator.is_licensed then 'licensed'
        else 'unlicensed'
    end as operation_status,
    operator.ended_on as licence_ended_on
from vehicle
cross join build
left join identity on vehicle.owner_identifier_key = identity.identifier_key
left join township on vehicle.township_code = township.code
left join operator on vehicle.owner_key = operator.holder_key and vehicle.licence_needed = operator.licence_kind
