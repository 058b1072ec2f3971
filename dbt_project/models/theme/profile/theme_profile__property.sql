-- Tags of homes, vehicles and contracted land. Each is a column of the YAML beside, with its rule (docs/tags.md).
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='person_key',
    touched_by={
        'base_population__person': 'person_key',
        'theme_housing__holding': 'person_key',
        'theme_housing__transaction': 'person_key',
        'theme_transport__vehicle': 'person_key',
        'theme_transport__licence': 'person_key',
        'theme_agriculture__contract': 'person_key',
        'theme_agriculture__subsidy': 'person_key'
    },
    due_keys="{{ tags_due() }}",
    indexes=[{'columns': ['person_key'], 'unique': true}]
) }}

with person as (
    select * from {{ ref('base_population__person') }}
    where {{ of_touched_people() }}
),

holding as (
    select * from {{ ref('theme_housing__holding') }}
    where {{ of_touched_people() }}
),

transaction as (
    select * from {{ ref('theme_housing__transaction') }}
    where status = '有效' and not is_repeat and {{ of_touched_people() }}
),

vehicle as (
    select * from {{ ref('theme_transport__vehicle') }}
    where inspection_status <> 'scrapped' and {{ of_touched_people() }}
),

transport_licence as (
    select * from {{ ref('theme_transport__licence') }}
    where status = 'valid' and {{ of_touched_people() }}
),

contract as (
    select * from {{ ref('theme_agriculture__contract') }}
    where status = 'in_force' and {{ of_touched_people() }}
),

subsidy as (
    select * from {{ ref('theme_agriculture__subsidy') }}
    where not is_repeat and {{ of_touched_people() }}
),

build as (
    select * from {{ ref('int_build_dated') }}
),

held as (
    select
        person_key,
        {%- for counted, kind in [('power', '用电'), ('water', '供水'), ('gas', '供气'), ('heating', '供热')] %}
        count(*) filter (where kind = '{{ kind }}' and held_until is null) as {{ counted }}_count,
        {%- endfor %}
        count(distinct home_key) filter (where kind = '产权' and held_until is null) as title_count,
        count(*) filter (where kind = '产权' and held_until is null and share_percent = 100) as whole_count,
        count(*) filter (where kind = '产权' and held_until is null and share_percent < 100) as part_count,
        count(*) filter (where kind = '产权' and held_until is null and way = '继承') as inherited_count,
        count(*) filter (where kind = '产权' and held_until is null and way = '买卖') as bought_count,
        max(held_from) filter (where kind = '产权' and held_until is null) as last_title_on,
        max(held_until) filter (where kind = '产权') as last_title_ended_on
    from holding
    group by person_key
),

traded as (
    select
        person_key,
        max(signed_on) filter (where role = '出卖') as last_sold_on,
        max(signed_on) filter (where role = '买受') as last_bought_on,
        count(*) filter (where role = '出租') as let_count,
        count(*) filter (where role = '承租') as rented_count
    from transaction
    group by person_key
),

driven as (
    select
        person_key,
        count(*) as vehicle_count,
        count(*) filter (where use_kind = '营运') as commercial_count,
        count(*) filter (where inspection_status = 'expired') as uninspected_count,
        count(*) filter (where operation_status = 'unlicensed') as unlicensed_count,
        max(registered_on) as last_vehicle_on
    from vehicle
    group by person_key
),

licensed as (
    select
        person_key,
        count(*) filter (where licence_kind = '道路运输从业资格') as qualification_count,
        count(*) filter (where licence_kind <> '道路运输从业资格') as transport_licence_count
    from transport_licence
    group by person_key
),

farmed as (
    select
        person_key,
        count(*) as land_count,
        sum(area_mu) as land_mu,
        min(term_to) as land_term_to
    from contract
    group by person_key
),

subsidised as (
    select
        subsidy.person_key,
        bool_or(cast(subsidy.year as integer) = extract(year from build.as_of)) as subsidised_this_year,
        bool_or(cast(subsidy.year as integer) = extract(year from build.as_of) - 1) as subsidised_last_year,
        sum(subsidy.amount) filter (where cast(subsidy.year as integer) = extract(year from build.as_of) - 1)
            as farm_amount_last_year,
        count(*) filter (where subsidy.verdict = 'over') as over_count
    from subsidy
    cross join build
    group by subsidy.person_key
),

subject as materialized (
    select
        {{ tag_basics() }},
        held.power_count,
        held.water_count,
        held.gas_count,
        held.heating_count,
        held.title_count,
        held.whole_count,
        held.part_count,
        held.inherited_count,
        held.bought_count,
        held.last_title_on,
        held.last_title_ended_on,
        traded.last_sold_on,
        traded.last_bought_on,
        traded.let_count,
        traded.rented_count,
        driven.vehicle_count,
        driven.commercial_count,
        driven.uninspected_count,
        driven.unlicensed_count,
        driven.last_vehicle_on,
        licensed.qualification_count,
        licensed.transport_licence_count,
        farmed.land_count,
        farmed.land_mu,
        farmed.land_term_to,
        coalesce(subsidised.subsidised_this_year, false) as subsidised_this_year,
        coalesce(subsidised.subsidised_last_year, false) as subsidised_last_year,
        subsidised.farm_amount_last_year,
        subsidised.over_count
    from person
    cross join build
    left join held on person.person_key = held.person_key
    left join traded on person.person_key = traded.person_key
    left join driven on person.person_key = driven.person_key
    left join licensed on person.person_key = licensed.person_key
    left join farmed on person.person_key = farmed.person_key
    left join subsidised on person.person_key = subsidised.person_key
)

select {{ tags('subject') }}
from subject
