-- Who is kin to whom, when, and by which records. Every edge has its mirror, as every record is read from both sides:
-- so the relatives of somebody re-keyed are found by his own identifier, which is what the records are indexed by.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='person_key',
    touched_by={
        'base_population__identity': 'person_key',
        'int_death_merged': 'person_key',
        'stg_marriage_registry__registration': 'identifier_key',
        'stg_marriage_archive__record': 'identifier_key',
        'stg_health__birth': 'identifier_key',
        'int_household_pair': 'identifier_key'
    },
    due_keys="
        {{ touched_people([
            'stg_marriage_registry__registration', 'stg_marriage_archive__record', 'stg_health__birth', 'int_household_pair'
        ]) }}
        union all
        select relative.person_key from {{ ref('int_kin_stated') }} as stated
        inner join {{ ref('base_population__identity') }} as relative
            on stated.relative_identifier_key = relative.identifier_key
        where stated.identifier_key = any(array(
            select rekeyed.key::uuid from ({{ touched_since(['base_population__identity'], 'identifier_key') }}) as rekeyed
        ))
        union all
        select edge.person_key from {{ this }} as edge
        where edge.relative_key in (
            select gone.key::uuid from ({{ touched_since(['int_death_merged'], 'person_key') }}) as gone
        )
    ",
    indexes=[
        {'columns': ['person_key', 'relative_key', 'kind', 'edge_no'], 'unique': true}, {'columns': ['relative_key']}
    ]
) }}

with own as (
    select * from {{ ref('base_population__identity') }}
    {% if is_incremental() %} where person_key in (select key from {{ touched() }}){% endif %}
),

identity as (
    select * from {{ ref('base_population__identity') }}
),

kin_stated as (
    select * from {{ ref('int_kin_stated') }}
    {% if is_incremental() %} where identifier_key = any(array(select own.identifier_key from own)){% endif %}
),

death as not materialized (
    select * from {{ ref('int_death_merged') }}
),

stated as (
    select
        own.person_key,
        identity.person_key as relative_key,
        kin_stated.kind,
        kin_stated.from_date,
        kin_stated.to_date,
        kin_stated.source,
        kin_stated.evidence_rank,
        case kin_stated.kind when 'parent' then own.birth_date when 'child' then identity.birth_date end
            as child_born_on
    from own
    inner join kin_stated on own.identifier_key = kin_stated.identifier_key
    inner join identity on kin_stated.relative_identifier_key = identity.identifier_key
    where own.person_key <> identity.person_key
),

-- Registrations of a couple in the order of their days; a marriage behind a divorce begins another one.
registered as (
    select
        *,
        coalesce(from_date, to_date) as registered_on,
        to_date is not null as is_divorce,
        coalesce(lag(to_date is not null) over (
            partition by person_key, relative_key
            order by coalesce(from_date, to_date), to_date is not null, evidence_rank
        ), false) as is_behind_divorce
    from stated
    where kind = 'spouse' and coalesce(from_date, to_date) is not null
),

marriage_numbered as (
    select
        *,
        count(*) filter (where is_behind_divorce and not is_divorce) over (
            partition by person_key, relative_key order by registered_on, is_divorce, evidence_rank
        ) as episode
    from registered
),

-- The best record dates a marriage: the registry before the archive, the newer digitisation before the older.
marriage as (
    select
        person_key,
        relative_key,
        'spouse' as kind,
        episode,
        (array_agg(from_date order by evidence_rank, from_date) filter (where from_date is not null))[1] as from_date,
        (array_agg(source order by evidence_rank, from_date) filter (where from_date is not null))[1]
            as from_date_source,
        (array_agg(to_date order by evidence_rank, to_date) filter (where to_date is not null))[1] as to_date,
        array_agg(distinct source) as sources,
        count(distinct from_date) > 1 as from_date_differs,
        count(distinct to_date) > 1 as to_date_differs,
        row_number() over (partition by person_key, relative_key order by episode desc) = 1 as is_last
    from marriage_numbered
    group by person_key, relative_key, episode
),

-- Couples that the police list as such: with a registration one more witness to the last of their marriages.
listed as (
    select distinct
        person_key,
        relative_key,
        source,
        true as is_last
    from stated
    where kind = 'spouse' and from_date is null and to_date is null
),

couple as (
    select
        coalesce(marriage.person_key, listed.person_key) as person_key,
        coalesce(marriage.relative_key, listed.relative_key) as relative_key,
        'spouse' as kind,
        marriage.from_date,
        marriage.from_date_source,
        marriage.to_date,
        '离婚' as end_reason,
        array_remove(marriage.sources || listed.source, null) as sources,
        coalesce(marriage.from_date_differs, false) as from_date_differs,
        coalesce(marriage.to_date_differs, false) as to_date_differs
    from marriage
    full outer join listed
        on
            marriage.person_key = listed.person_key
            and marriage.relative_key = listed.relative_key
            and marriage.is_last = listed.is_last
),

descent as (
    select
        person_key,
        relative_key,
        kind,
        coalesce(min(from_date), min(child_born_on)) as from_date,
        case when min(from_date) is not null then 'health' else 'identity' end as from_date_source,
        null::date as to_date,
        null::text as end_reason,
        array_agg(distinct source) as sources,
        count(distinct from_date) > 1 as from_date_differs,
        false as to_date_differs
    from stated
    where kind in ('parent', 'child')
    group by person_key, relative_key, kind
),

-- Times in one household that overlap or follow each other at once are one time.
household_ordered as (
    select
        *,
        max(coalesce(to_date, 'infinity')) over (
            partition by person_key, relative_key
            order by coalesce(from_date, '-infinity'), coalesce(to_date, 'infinity')
            rows between unbounded preceding and 1 preceding
        ) as together_until
    from stated
    where kind = 'household_member'
),

household_numbered as (
    select
        *,
        count(*) filter (where coalesce(from_date, '-infinity') > together_until) over (
            partition by person_key, relative_key
            order by coalesce(from_date, '-infinity'), coalesce(to_date, 'infinity')
        ) as episode
    from household_ordered
),

household as (
    select
        person_key,
        relative_key,
        kind,
        nullif(min(coalesce(from_date, '-infinity')), '-infinity') as from_date,
        case when min(coalesce(from_date, '-infinity')) > '-infinity' then 'police' end as from_date_source,
        nullif(max(coalesce(to_date, 'infinity')), 'infinity') as to_date,
        '离户' as end_reason,
        array_agg(distinct source) as sources,
        false as from_date_differs,
        false as to_date_differs
    from household_numbered
    group by person_key, relative_key, kind, episode
),

edge as (
    select * from couple
    union all
    select * from descent
    union all
    select * from household
),

-- The first death of the two ends every edge.
ended as (
    select
        edge.*,
        least(own_death.died_on, relative_death.died_on) as death_on
    from edge
    left join death as own_death on edge.person_key = own_death.person_key
    left join death as relative_death on edge.relative_key = relative_death.person_key
)

select
    person_key,
    relative_key,
    kind,
    (row_number() over (
        partition by person_key, relative_key, kind
        order by from_date asc nulls first, to_date asc nulls last
    ))::integer as edge_no,
    from_date,
    from_date_source,
    case when least(to_date, death_on) is not null then greatest(least(to_date, death_on), from_date) end as to_date,
    case when death_on <= coalesce(to_date, death_on) then '死亡' when to_date is not null then end_reason end
        as end_reason,
    sources,
    array_remove(array[
        case when from_date_differs then 'from_date' end,
        case when to_date_differs then 'to_date' end,
        case when death_on < from_date then 'death' end
    ], null) as conflicts
from ended
