-- Each unit with an address: who owns it, and whether power and water say that somebody lives there.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='home_key',
    touched_by={
        'stg_real_estate__title': 'home_key',
        'stg_real_estate__mortgage': 'home_key',
        'stg_power__account': 'home_key',
        'stg_utilities__account': 'home_key',
        'theme_housing__holding': 'home_key',
        'theme_housing__usage': 'home_key',
        'base_region__division': '*'
    },
    touches={'home_key': 'home_key', 'township_code': 'township_code'},
    indexes=[{'columns': ['home_key'], 'unique': true}, {'columns': ['township_code']}]
) }}
{%- set touched_keys -%}
{% if is_incremental() %} and home_key in (select key from {{ touched() }}){% endif %}
{%- endset %}

with title as (
    select * from {{ ref('stg_real_estate__title') }}
    where is_usable{{ touched_keys }}
),

mortgage as (
    select * from {{ ref('stg_real_estate__mortgage') }}
    where is_usable{{ touched_keys }}
),

power_account as (
    select * from {{ ref('stg_power__account') }}
    where is_usable{{ touched_keys }}
),

utility_account as (
    select * from {{ ref('stg_utilities__account') }}
    where is_usable{{ touched_keys }}
),

holding as (
    select * from {{ ref('theme_housing__holding') }}
    where kind = '产权' and held_until is null{{ touched_keys }}
),

usage as (
    select * from {{ ref('theme_housing__usage') }}
    where is_low is not null{{ touched_keys }}
),

division as (
    select * from {{ ref('base_region__division') }}
    where level = 'township'
),

recorded as (
    select
        home_key, 1 as precedence, address, unit_no, village_code, left(village_code, 9) as township_code,
        home_use, area, false as is_power, null as power_kind
    from title
    union all
    select
        home_key, 2 as precedence, address, null as unit_no, null as village_code, township_code,
        null as home_use, null as area, true as is_power, kind as power_kind
    from power_account
    union all
    select
        home_key, 3 as precedence, address, null as unit_no, null as village_code, township_code,
        null as home_use, null as area, false as is_power, null as power_kind
    from utility_account
),

-- The register speaks before the suppliers; among equals the longest writing of an address, then values.
home as (
    select
        home_key,
        (array_agg(address order by precedence asc, length(address) desc, address asc))[1] as address,
        min(unit_no) as unit_no,
        min(village_code) as village_code,
        (array_agg(township_code order by precedence, township_code) filter (where township_code is not null))[1]
            as township_code,
        min(home_use) as home_use,
        cast(max(area) as numeric(14, 2)) as area,
        bool_or(is_power) as has_power,
        bool_or(power_kind = '工商业用电') as is_business
    from recorded
    group by home_key
),

owned as (
    select
        home_key,
        cast(count(distinct holder_key) as integer) as owner_count,
        array_agg(distinct person_key) filter (where person_key is not null) as owner_person_keys,
        array_agg(distinct uscc) filter (where uscc is not null) as owner_usccs,
        max(held_from) as owned_since
    from holding
    group by home_key
),

mortgaged as (
    select distinct home_key from mortgage
    where released_on is null
),

-- The last three months of each home that any of its meters tells of.
numbered as (
    select
        *,
        dense_rank() over (partition by home_key order by month desc) as month_no
    from usage
),

monthly as (
    select
        home_key,
        month,
        bool_and(is_low) as is_low,
        sum(quantity) filter (where kind = '居民生活用电') as power_kwh,
        sum(quantity) filter (where kind = '供水') as water_m3
    from numbered
    where month_no <= 3
    group by home_key, month
),

observed as (
    select
        home_key,
        max(month) as last_month,
        cast(count(*) as integer) as months_known,
        cast(count(*) filter (where is_low) as integer) as months_low,
        (array_agg(is_low order by month desc))[1] as is_low_last,
        cast(sum(power_kwh) as numeric(16, 2)) as power_kwh,
        cast(sum(water_m3) as numeric(16, 2)) as water_m3
    from monthly
    group by home_key
)

select
    home.home_key,
    home.address,
    home.unit_no,
    home.village_code,
    coalesce(left(division.successor_code, 9), home.township_code) as township_code,
    coalesce(home.home_use, case when home.is_business then '商业服务' when home.has_power then '住宅' end) as home_use,
    home.area,
    coalesce(owned.owner_count, 0) as owner_count,
    coalesce(owned.owner_person_keys, '{}') as owner_person_keys,
    coalesce(owned.owner_usccs, '{}') as owner_usccs,
    owned.owned_since,
    mortgaged.home_key is not null as is_mortgaged,
    observed.last_month,
    observed.power_kwh,
    observed.water_m3,
    coalesce(observed.months_known, 0) as months_known,
    coalesce(observed.months_low, 0) as months_low,
    case
        when observed.home_key is null then '不明'
        when not observed.is_low_last then '有人居住'
        when observed.months_low = observed.months_known and observed.months_known >= 2 then '疑似空置'
        else '不明'
    end as occupancy
from home
left join owned on home.home_key = owned.home_key
left join mortgaged on home.home_key = mortgaged.home_key
left join observed on home.home_key = observed.home_key
left join division on home.township_code = left(division.region_code, 9)
