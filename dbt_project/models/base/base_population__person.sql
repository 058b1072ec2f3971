-- The golden record. Identity facts come from the crosswalk (police first); place, hukou and household from the police.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='person_key',
    touched_by={
        'base_population__identity': 'person_key',
        'base_region__division': '*',
        'stg_police__resident': 'identifier_key',
        'stg_police__household_member': 'identifier_key',
        'stg_police__cancellation': 'identifier_key',
        'stg_police__move': 'identifier_key',
        'stg_health__death': 'identifier_key',
        'stg_veterans__service_record': 'identifier_key'
    },
    touches={'person_key': 'person_key', 'household_no': 'household_no', 'village_code': 'village_code'},
    indexes=[
        {'columns': ['person_key'], 'unique': true}, {'columns': ['household_no']}, {'columns': ['village_code']}
    ]
) }}
{%- set touched_keys -%}
{% if is_incremental() %} and identifier_key in (select key::uuid from {{ touched() }}){% endif %}
{%- endset %}

with identity as (
    select * from {{ ref('base_population__identity') }}
    where true{{ touched_keys | replace('identifier_key', 'person_key') }}
),

resident as (
    select * from {{ ref('stg_police__resident') }}
    where is_usable{{ touched_keys }}
),

household_member as (
    select * from {{ ref('stg_police__household_member') }}
    where is_usable{{ touched_keys }}
),

cancellation as (
    select * from {{ ref('stg_police__cancellation') }}
    where is_usable{{ touched_keys }}
),

move as (
    select * from {{ ref('stg_police__move') }}
    where is_usable{{ touched_keys }}
),

death as (
    select * from {{ ref('stg_health__death') }}
    where is_usable{{ touched_keys }}
),

service_record as (
    select * from {{ ref('stg_veterans__service_record') }}
    where is_usable{{ touched_keys }}
),

division as (
    select * from {{ ref('base_region__division') }}
),

-- The newest police row speaks; an attribute it leaves blank comes from the next.
resident_ranked as (
    select
        *,
        row_number() over (
            partition by identifier_key
            order by
                updated_at desc nulls last,
                village_code asc,
                hukou_type asc,
                household_no asc,
                relation asc,
                nation asc,
                phone asc,
                status asc
        ) as evidence_rank
    from resident
),

resident_merged as (
    select
        identifier_key,
        (array_agg(status order by evidence_rank) filter (where status is not null))[1] as status,
        (array_agg(nation order by evidence_rank) filter (where nation is not null))[1] as nation,
        (array_agg(hukou_type order by evidence_rank) filter (where hukou_type is not null))[1] as hukou_type,
        (array_agg(village_code order by evidence_rank) filter (where village_code is not null))[1] as village_code,
        (array_agg(household_no order by evidence_rank) filter (where household_no is not null))[1] as household_no,
        (array_agg(relation order by evidence_rank) filter (where relation is not null))[1] as relation,
        (array_agg(phone order by evidence_rank) filter (where phone is not null))[1] as phone,
        min(nation) <> max(nation) as nation_differs,
        -- A row in force that is blank beside one that speaks does not agree with it.
        min(hukou_type) <> max(hukou_type)
        or (
            count(hukou_type) > 0
            and bool_or(hukou_type is null and status is distinct from '0')
        ) as hukou_type_differs
    from resident_ranked
    group by identifier_key
),

membership_merged as (
    select distinct on (identifier_key)
        identifier_key,
        household_no,
        relation
    from household_member
    where left_on is null
    order by identifier_key asc, joined_on desc nulls last, household_no asc, relation asc
),

death_merged as (
    select
        evidence.identifier_key,
        array_agg(distinct evidence.source) as death_sources,
        (array_agg(evidence.died_on order by evidence.source, evidence.died_on))[1] as died_on
    from (
        select identifier_key, 'health' as source, died_on from death
        union all
        select identifier_key, 'police' as source, cancelled_on as died_on from cancellation
        where reason = '死亡'
    ) as evidence
    group by evidence.identifier_key
),

-- Someone has left if the last thing known of their moves is a departure; on one day, an arrival counts as later.
departure_merged as (
    select distinct on (departure.identifier_key)
        departure.identifier_key,
        departure.happened_on,
        departure.is_departure,
        departure.to_village_code
    from (
        select identifier_key, moved_on as happened_on, move_type = '迁出' as is_departure, to_village_code from move
        union all
        select identifier_key, cancelled_on as happened_on, true as is_departure, null as to_village_code
        from cancellation
        where reason = '迁出'
    ) as departure
    order by
        departure.identifier_key asc, departure.happened_on desc nulls last, departure.is_departure asc,
        departure.to_village_code asc nulls last
),

veteran_phone as (
    select
        identifier_key,
        min(phone) as phone
    from service_record
    group by identifier_key
),

combined as (
    select
        identity.*,
        resident_merged.identifier_key is not null as in_police,
        resident_merged.status,
        resident_merged.nation,
        resident_merged.hukou_type,
        coalesce(resident_merged.village_code, departure_merged.to_village_code) as reported_village_code,
        coalesce(resident_merged.household_no, membership_merged.household_no) as household_no,
        coalesce(resident_merged.relation, membership_merged.relation) as relation,
        coalesce(resident_merged.phone, veteran_phone.phone) as phone,
        case
            when resident_merged.phone is not null then 'police'
            when veteran_phone.phone is not null then 'veterans'
        end as phone_source,
        coalesce(death_merged.death_sources, '{}') as death_sources,
        death_merged.died_on,
        case when departure_merged.is_departure then departure_merged.happened_on end as left_on,
        identity.conflicts || array_remove(array[
            case when resident_merged.nation_differs then 'nation' end,
            case when resident_merged.hukou_type_differs then 'hukou_type' end
        ], null) as all_conflicts
    from identity
    left join resident_merged on identity.person_key = resident_merged.identifier_key
    left join membership_merged on identity.person_key = membership_merged.identifier_key
    left join death_merged on identity.person_key = death_merged.identifier_key
    left join departure_merged on identity.person_key = departure_merged.identifier_key
    left join veteran_phone on identity.person_key = veteran_phone.identifier_key
),

-- A village that was renamed or merged resolves to the one that followed it; a code nobody knows resolves to nothing.
placed as (
    select
        combined.*,
        coalesce(division.successor_code, division.region_code) as village_code
    from combined
    left join division on combined.reported_village_code = division.region_code
)

select
    person_key,
    pid,
    name,
    name_source,
    names,
    sex,
    sex_source,
    birth_date,
    birth_date_source,
    nation,
    case when nation is not null then 'police' end as nation_source,
    hukou_type,
    case when hukou_type is not null then 'police' end as hukou_type_source,
    village_code,
    left(village_code, 9) as township_code,
    left(village_code, 6) as district_code,
    case when village_code is not null then 'police' end as village_code_source,
    household_no,
    case when household_no is not null then 'police' end as household_no_source,
    relation,
    case when relation is not null then 'police' end as relation_source,
    phone,
    phone_source,
    in_police,
    coalesce(status = '1' and cardinality(death_sources) = 0 and left_on is null, false) as is_resident,
    died_on,
    death_sources,
    left_on,
    all_conflicts as conflicts,
    sources
from placed
