-- The library of natural disasters: every object in exactly one of 人, 地, 物, 组织, 事, with position and valid time.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='object_key',
    touched_by={
        'base_geography__place': 'place_key',
        'base_population__person': 'person_key',
        'theme_civil_affairs__assistance': 'person_key'
    },
    due_keys="
        select 'person:' || keys.key
        from (
            {{ touched_since(['base_population__person', 'theme_civil_affairs__assistance'], 'person_key') }}
        ) as keys
    ",
    indexes=[{'columns': ['object_key'], 'unique': true}, {'columns': ['township_code']}]
) }}
{%- set of_touched_people -%}
{% if is_incremental() %} and person_key in (
        select touched.key::uuid from {{ touched() }} as touched
        where touched.key ~ '^[0-9a-f-]{36}$'
    ){% endif %}
{%- endset %}

with place as (
    select * from {{ ref('base_geography__place') }}
    {% if is_incremental() %} where place_key in (select key from {{ touched() }}){% endif %}
),

person as (
    select * from {{ ref('base_population__person') }}
    where is_resident{{ of_touched_people }}
),

assistance as (
    select * from {{ ref('theme_civil_affairs__assistance') }}
    where true{{ of_touched_people }}
),

-- Who will need help first: members of assisted households.
in_need as (
    select
        person.person_key,
        min(person.village_code) as village_code,
        min(assistance.approved_on) as valid_from,
        case when count(*) = count(assistance.ended_on) then max(assistance.ended_on) end as valid_until
    from assistance
    inner join person on assistance.person_key = person.person_key
    group by person.person_key
),

combined as (
    select
        place_key as object_key,
        case place_type
            when 'hazard_point' then '事' when 'shelter' then '地' when 'store' then '物' when 'rescue_team' then '组织'
        end as dimension,
        place_type as object_type,
        cast(null as uuid) as person_key,
        name,
        case
            when place_type = 'hazard_point' then array[kind]
            when kind = '森林消防队' then array['森林火灾']
            when kind = '水上救援队' then array['内涝积水', '洪涝']
            when kind = '矿山救护队' then array['崩塌', '滑坡']
            else array['内涝积水', '危险化学品', '崩塌', '森林火灾', '洪涝', '滑坡']
        end as hazards,
        region_code,
        lon,
        lat,
        valid_from,
        valid_until
    from place
    union all
    select
        'person:' || person_key as object_key,
        '人' as dimension,
        'person_in_need' as object_type,
        person_key,
        null as name,
        array['内涝积水', '危险化学品', '崩塌', '森林火灾', '洪涝', '滑坡'] as hazards,
        village_code as region_code,
        null as lon,
        null as lat,
        valid_from,
        valid_until
    from in_need
)

select
    object_key,
    dimension,
    object_type,
    person_key,
    name,
    array_remove(hazards, null) as hazards,
    region_code,
    case when length(region_code) > 6 then left(region_code, 9) end as township_code,
    case when length(region_code) > 4 then left(region_code, 6) end as district_code,
    cast(lon as numeric(9, 6)) as lon,
    cast(lat as numeric(8, 6)) as lat,
    valid_from,
    valid_until
from combined
