-- The golden record of everyone any source knows. Numbered people: values by the precedence of sources, and where they
-- live from the police's registers. People known from records without a number only: what their records say.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='person_key',
    touched_by={
        'base_population__identity': 'person_key',
        'base_region__division': '*',
        'int_identity_merged': 'identifier_key',
        'int_household_placed': 'identifier_key',
        'stg_police__resident': 'identifier_key',
        'stg_police__cancellation': 'identifier_key',
        'stg_police__move': 'identifier_key',
        'stg_health__death': 'identifier_key',
        'stg_funeral__cremation': 'identifier_key'
    },
    touches={'person_key': 'person_key', 'household_no': 'household_no', 'village_code': 'village_code'},
    indexes=[
        {'columns': ['person_key'], 'unique': true}, {'columns': ['household_no']}, {'columns': ['village_code']},
        {'columns': ['birth_date']}
    ]
) }}
{%- set touched_keys -%}
{% if is_incremental() %} and identifier_key in (select key from {{ touched() }}){% endif %}
{%- endset %}
{%- set golden_attributes = [
    'name', 'sex', 'birth_date', 'nation', 'hukou_type', 'village_code', 'household_no', 'relation', 'phone', 'died_on'
] %}

with identity as (
    select * from {{ ref('base_population__identity') }}
    where true{{ touched_keys | replace('identifier_key', 'person_key') }}
),

merged as (
    select * from {{ ref('int_identity_merged') }}
    where true{{ touched_keys }}
),

resident as (
    select * from {{ ref('stg_police__resident') }}
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

-- A record without a number is not enough to declare somebody dead.
cremation as (
    select * from {{ ref('stg_funeral__cremation') }}
    where is_usable and has_number{{ touched_keys }}
),

division as (
    select * from {{ ref('base_region__division') }}
),

household_placed as (
    select * from {{ ref('int_household_placed') }}
),

-- The systems that know a person, by number or by record.
known as (
    select
        identity.person_key,
        array_agg(distinct listed.source) as sources,
        count(*) filter (where identity.identifier_kind = 'record') as record_count
    from identity
    cross join lateral unnest(identity.sources) as listed (source)
    group by identity.person_key
),

-- Of records alone: the one that says most, then the smallest key.
unnumbered as (
    select distinct on (record.person_key) record.*
    from identity as record
    where
        record.identifier_kind = 'record'
        and not exists (
            select 1 from merged
            where merged.identifier_key = record.person_key
        )
    order by
        record.person_key asc, record.birth_date is null asc, record.name is null asc, record.sex is null asc,
        record.identifier_key asc
),

-- A police row in force that is blank on the hukou beside one that speaks does not agree with it.
registered as (
    select
        identifier_key,
        (array_agg(status order by updated_at desc nulls last, status asc) filter (where status is not null))[1]
            as status,
        min(hukou_type) <> max(hukou_type)
        or (count(hukou_type) > 0 and bool_or(hukou_type is null and status is distinct from '0'))
            as hukou_type_differs
    from resident
    group by identifier_key
),

death_known as (
    select
        evidence.identifier_key,
        array_agg(distinct evidence.source) as death_sources
    from (
        select identifier_key, 'health' as source from death
        union all
        select identifier_key, 'police' as source from cancellation
        where reason = '死亡'
        union all
        select identifier_key, 'funeral' as source from cremation
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

combined as (
    select
        merged.*,
        registered.identifier_key is not null as in_police,
        registered.status,
        -- Whose own row is unreadable still lives with the household.
        coalesce(merged.village_code, departure_merged.to_village_code, household_placed.village_code)
            as reported_village_code,
        coalesce(death_known.death_sources, '{}') as death_sources,
        case when departure_merged.is_departure then departure_merged.happened_on end as left_on,
        merged.conflicts || array_remove(array[
            case when registered.hukou_type_differs then 'hukou_type' end
        ], null) as all_conflicts
    from merged
    left join registered on merged.identifier_key = registered.identifier_key
    left join death_known on merged.identifier_key = death_known.identifier_key
    left join departure_merged on merged.identifier_key = departure_merged.identifier_key
    left join household_placed on merged.household_no = household_placed.household_no
),

-- A village that was renamed or merged resolves to the one that followed it; a code nobody knows resolves to nothing.
placed as (
    select
        combined.*,
        coalesce(division.successor_code, division.region_code) as placed_code
    from combined
    left join division on combined.reported_village_code = division.region_code
)

select
    placed.identifier_key as person_key,
    placed.pid,
    true as has_number,
    placed.name,
    placed.name_source,
    placed.name_on,
    placed.names,
    placed.sex,
    placed.sex_source,
    placed.sex_on,
    placed.birth_date,
    placed.birth_date_source,
    placed.birth_date_on,
    placed.nation,
    placed.nation_source,
    placed.nation_on,
    placed.hukou_type,
    placed.hukou_type_source,
    placed.hukou_type_on,
    placed.placed_code as village_code,
    left(placed.placed_code, 9) as township_code,
    left(placed.placed_code, 6) as district_code,
    case when placed.placed_code is not null then coalesce(placed.village_code_source, 'police') end
        as village_code_source,
    placed.village_code_on,
    placed.household_no,
    placed.household_no_source,
    placed.household_no_on,
    placed.relation,
    placed.relation_source,
    placed.relation_on,
    placed.phone,
    placed.phone_source,
    placed.phone_on,
    placed.in_police,
    coalesce(placed.status = '1' and cardinality(placed.death_sources) = 0 and placed.left_on is null, false)
        as is_resident,
    placed.died_on,
    placed.died_on_source,
    placed.died_on_on as death_reported_on,
    placed.death_sources,
    placed.left_on,
    placed.all_conflicts as conflicts,
    placed.lost_candidates,
    known.sources,
    cast(known.record_count as integer) as record_count
from placed
inner join known on placed.identifier_key = known.person_key
union all
select
    unnumbered.person_key,
    null as pid,
    false as has_number,
    unnumbered.name,
    unnumbered.sources[1] as name_source,
    null as name_on,
    array_remove(array[unnumbered.name], null) as names,
    unnumbered.sex,
    case when unnumbered.sex is not null then unnumbered.sources[1] end as sex_source,
    null as sex_on,
    unnumbered.birth_date,
    case when unnumbered.birth_date is not null then unnumbered.sources[1] end as birth_date_source,
    null as birth_date_on,
    {%- for attribute in ['nation', 'hukou_type'] %}
    null as {{ attribute }},
    null as {{ attribute }}_source,
    null as {{ attribute }}_on,
    {%- endfor %}
    null as village_code,
    null as township_code,
    null as district_code,
    null as village_code_source,
    null as village_code_on,
    {%- for attribute in ['household_no', 'relation', 'phone'] %}
    null as {{ attribute }},
    null as {{ attribute }}_source,
    null as {{ attribute }}_on,
    {%- endfor %}
    false as in_police,
    false as is_resident,
    null as died_on,
    null as died_on_source,
    null as death_reported_on,
    '{}' as death_sources,
    null as left_on,
    '{}' as conflicts,
    '{}' as lost_candidates,
    known.sources,
    cast(known.record_count as integer) as record_count
from unnumbered
inner join known on unnumbered.person_key = known.person_key
