-- Registered firms, one row a credit code (or a name, where the code is missing); repeated rows are merged, not lost.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='organisation_key',
    touched_by={'stg_enterprise_registry__enterprise': 'organisation', 'base_region__division': '*'},
    indexes=[{'columns': ['organisation_key'], 'unique': true}, {'columns': ['uscc']}]
) }}

with enterprise as (
    select * from {{ ref('stg_enterprise_registry__enterprise') }}
    where
        is_usable
        {% if is_incremental() %} and coalesce(uscc, name) in (select key from {{ touched() }}){% endif %}
),

division as (
    select * from {{ ref('base_region__division') }}
    where level = 'district'
),

keyed as (
    select
        *,
        coalesce(uscc, name) as organisation_key
    from enterprise
),

ranked as (
    select
        *,
        count(*) over (partition by organisation_key) as row_count,
        row_number() over (
            partition by organisation_key
            order by
                num_nulls(name, established_on, capital_amount, address), established_on, name, capital, address,
                enterprise_type
        ) as row_no
    from keyed
),

organisation as (
    select * from ranked
    where row_no = 1
),

-- What people write for a district: its name, its name without 区, 市 or 县, or the short form of a development zone.
-- Names of units that are gone count too, for the unit that followed.
district_name as (
    select
        left(coalesce(division.successor_code, division.region_code), 6) as district_code,
        spelling.name,
        spelling.is_full
    from division
    cross join
        lateral (
            values
            (division.name, true),
            (case when division.name like '%开发区' then overlay(division.name placing '市' from 3 for 0) end, true),
            (replace(division.name, '经济技术开发区', '开发区'), false),
            (replace(division.name, '高新技术产业开发区', '高新区'), false),
            (case when length(division.name) = 3 then left(division.name, 2) end, false)
        ) as spelling (name, is_full)
    where spelling.name is not null
),

-- The address says where a firm is; the code only where it was registered, which may be the city's own office.
-- A short form may also be part of a street's name, so it comes after the code.
candidate as (
    select
        organisation.organisation_key,
        district_name.district_code,
        'address' as district_source,
        case when district_name.is_full then 1 else 3 end as preference,
        position(district_name.name in organisation.address) as found_at,
        length(district_name.name) as name_length
    from organisation
    inner join district_name on position(district_name.name in organisation.address) > 0
    union all
    select
        organisation.organisation_key,
        left(coalesce(division.successor_code, division.region_code), 6) as district_code,
        'uscc' as district_source,
        2 as preference,
        0 as found_at,
        0 as name_length
    from organisation
    inner join division on substr(organisation.uscc, 3, 6) = left(division.region_code, 6)
    union all
    select
        organisation.organisation_key,
        district_name.district_code,
        'name' as district_source,
        4 as preference,
        position(district_name.name in organisation.name) as found_at,
        length(district_name.name) as name_length
    from organisation
    inner join district_name on position(district_name.name in organisation.name) > 0
),

placed as (
    select distinct on (organisation_key)
        organisation_key,
        district_code,
        district_source
    from candidate
    order by organisation_key asc, preference asc, found_at asc, name_length desc, district_code asc
)

select
    organisation.organisation_key,
    organisation.uscc,
    organisation.uscc_is_valid,
    organisation.name,
    organisation.enterprise_type,
    organisation.established_on,
    organisation.capital as capital_text,
    organisation.capital_amount,
    organisation.capital_currency,
    organisation.capital_yuan,
    placed.district_code,
    placed.district_source,
    organisation.address,
    cast(organisation.row_count as integer) as row_count
from organisation
left join placed on organisation.organisation_key = placed.organisation_key
