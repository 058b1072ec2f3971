-- Where the roads are that are named without a district, learnt from the addresses that name both.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='road',
    touched_by={'int_address_named': 'road'},
    touches={'address_key': 'unnest(address_keys)'},
    indexes=[{'columns': ['road'], 'unique': true}]
) }}

with named as (
    select * from {{ ref('int_address_named') }}
    where
        road is not null
        {% if is_incremental() %} and road in (select key from {{ touched() }}){% endif %}
),

counted as (
    select
        road,
        district_code,
        count(*) as address_count
    from named
    where district_code is not null
    group by road, district_code
),

shared as (
    select
        road,
        sum(address_count) as address_count,
        (array_agg(district_code order by address_count desc, district_code asc))[1] as district_code,
        max(address_count) / sum(address_count) as agreement
    from counted
    group by road
),

waiting as (
    select
        road,
        array_agg(address_key order by address_key) as address_keys
    from named
    where district_code is null
    group by road
)

select
    shared.road,
    shared.district_code,
    -- In tenths, so that one address more seldom changes what is said of all the others.
    cast(round(0.85 * shared.agreement, 1) as numeric(3, 2)) as confidence,
    waiting.address_keys
from shared
inner join waiting on shared.road = waiting.road
where shared.agreement >= 0.7 and shared.address_count >= 2
