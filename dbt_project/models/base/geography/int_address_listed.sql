-- Every different address text of the sources, cleaned. People are left out: the police say their village by its code.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='address_key',
    touched_by={
        'stg_enterprise_registry__enterprise': 'address_key',
        'stg_market_regulation__entity': 'address_key',
        'stg_organisations__social_organisation': 'address_key',
        'stg_organisations__institution': 'address_key',
        'stg_taxation__taxpayer': 'address_key',
        'stg_buildings__building': 'address_key',
        'stg_emergency__hazard_point': 'address_key',
        'stg_emergency__shelter': 'address_key',
        'stg_emergency__store': 'address_key',
        'stg_emergency__rescue_team': 'address_key',
        'stg_ecology__permit': 'address_key'
    },
    indexes=[{'columns': ['address_key'], 'unique': true}]
) }}
{%- set touched_keys -%}
{% if is_incremental() %} and address_key in (select key from {{ touched() }}){% endif %}
{%- endset %}

with enterprise as (
    select * from {{ ref('stg_enterprise_registry__enterprise') }}
    where is_usable and address_key is not null{{ touched_keys }}
),

entity as (
    select * from {{ ref('stg_market_regulation__entity') }}
    where is_usable and address_key is not null{{ touched_keys }}
),

social_organisation as (
    select * from {{ ref('stg_organisations__social_organisation') }}
    where is_usable and address_key is not null{{ touched_keys }}
),

institution as (
    select * from {{ ref('stg_organisations__institution') }}
    where is_usable and address_key is not null{{ touched_keys }}
),

taxpayer as (
    select * from {{ ref('stg_taxation__taxpayer') }}
    where is_usable and address_key is not null{{ touched_keys }}
),

building as (
    select * from {{ ref('stg_buildings__building') }}
    where is_usable and address_key is not null{{ touched_keys }}
),

hazard_point as (
    select * from {{ ref('stg_emergency__hazard_point') }}
    where is_usable and address_key is not null{{ touched_keys }}
),

shelter as (
    select * from {{ ref('stg_emergency__shelter') }}
    where is_usable and address_key is not null{{ touched_keys }}
),

store as (
    select * from {{ ref('stg_emergency__store') }}
    where is_usable and address_key is not null{{ touched_keys }}
),

rescue_team as (
    select * from {{ ref('stg_emergency__rescue_team') }}
    where is_usable and address_key is not null{{ touched_keys }}
),

permit as (
    select * from {{ ref('stg_ecology__permit') }}
    where is_usable and address_key is not null{{ touched_keys }}
),

listed as (
    select address_key, address, 'enterprise_registry' as source from enterprise
    union all
    select address_key, address, 'market_regulation' as source from entity
    union all
    select address_key, address, 'organisations' as source from social_organisation
    union all
    select address_key, address, 'organisations' as source from institution
    union all
    select address_key, address, 'taxation' as source from taxpayer
    union all
    select address_key, address, 'buildings' as source from building
    union all
    select address_key, address, 'emergency' as source from hazard_point
    union all
    select address_key, address, 'emergency' as source from shelter
    union all
    select address_key, address, 'emergency' as source from store
    union all
    select address_key, address, 'emergency' as source from rescue_team
    union all
    select address_key, address, 'ecology' as source from permit
)

select
    address_key,
    min(std.clean_code(address)) as address,
    array_agg(distinct source order by source) as sources
from listed
group by address_key
