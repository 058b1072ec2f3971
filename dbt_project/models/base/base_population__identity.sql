-- The crosswalk from an identifier to the person, with what each source says of the three facts that identify someone.
-- Every identifier is a cluster of its own for now; linkage will let the smallest key name a larger cluster.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='identifier_key',
    touched_by={
        'stg_police__resident': 'identifier_key',
        'stg_police__household_member': 'identifier_key',
        'stg_police__cancellation': 'identifier_key',
        'stg_social_security__insurance': 'identifier_key',
        'stg_social_security__employment': 'identifier_key',
        'stg_civil_affairs__assisted_person': 'identifier_key',
        'stg_civil_affairs__subsidy_award': 'identifier_key',
        'stg_health__birth': 'child_identifier_key',
        'stg_health__death': 'identifier_key',
        'stg_veterans__service_record': 'identifier_key'
    },
    touches={'identifier_key': 'identifier_key', 'person_key': 'person_key'},
    indexes=[{'columns': ['identifier_key'], 'unique': true}, {'columns': ['person_key']}]
) }}
{%- set touched_keys -%}
{% if is_incremental() %} and identifier_key in (select key::uuid from {{ touched() }}){% endif %}
{%- endset %}

with resident as (
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

insurance as (
    select * from {{ ref('stg_social_security__insurance') }}
    where is_usable{{ touched_keys }}
),

employment as (
    select * from {{ ref('stg_social_security__employment') }}
    where is_usable{{ touched_keys }}
),

assisted_person as (
    select * from {{ ref('stg_civil_affairs__assisted_person') }}
    where is_usable{{ touched_keys }}
),

subsidy_award as (
    select * from {{ ref('stg_civil_affairs__subsidy_award') }}
    where is_usable{{ touched_keys }}
),

birth as (
    select * from {{ ref('stg_health__birth') }}
    where is_usable{{ touched_keys | replace('identifier_key', 'child_identifier_key') }}
),

death as (
    select * from {{ ref('stg_health__death') }}
    where is_usable{{ touched_keys }}
),

service_record as (
    select * from {{ ref('stg_veterans__service_record') }}
    where is_usable{{ touched_keys }}
),

-- Which source speaks first: 1 police … 5 veterans.
observed as (
    select
        identifier_key, pid, 'police' as source, 1 as precedence,
        updated_at, name, sex, birth_date
    from resident
    union all
    select
        identifier_key, pid, 'police' as source, 1 as precedence,
        null as updated_at, null as name, null as sex, null as birth_date
    from household_member
    union all
    select
        identifier_key, pid, 'police' as source, 1 as precedence,
        updated_at, name, null as sex, null as birth_date
    from cancellation
    union all
    select
        identifier_key, pid, 'social_security' as source, 2 as precedence,
        updated_at, name, null as sex, null as birth_date
    from insurance
    union all
    select
        identifier_key, pid, 'social_security' as source, 2 as precedence,
        updated_at, name, null as sex, null as birth_date
    from employment
    union all
    select
        identifier_key, pid, 'civil_affairs' as source, 3 as precedence,
        updated_at, name, null as sex, null as birth_date
    from assisted_person
    union all
    select
        identifier_key, pid, 'civil_affairs' as source, 3 as precedence,
        updated_at, name, null as sex, null as birth_date
    from subsidy_award
    union all
    select
        child_identifier_key as identifier_key, child_pid as pid, 'health' as source, 4 as precedence,
        updated_at, child_name as name, sex, born_on as birth_date
    from birth
    union all
    select
        identifier_key, pid, 'health' as source, 4 as precedence,
        updated_at, name, sex, null as birth_date
    from death
    union all
    select
        identifier_key, pid, 'veterans' as source, 5 as precedence,
        null as updated_at, name, sex, birth_date
    from service_record
),

-- The number itself holds a birth date and a sex; a row that contradicts it ranks behind one that agrees.
compared as (
    select
        *,
        to_date(substr(pid, 7, 8), 'YYYYMMDD') as birth_date_of_pid,
        case when substr(pid, 17, 1) in ('1', '3', '5', '7', '9') then '1' else '2' end as sex_of_pid
    from observed
    where identifier_key is not null
),

-- Ranked on values alone, never on the order of arrival: a day's build equals a rebuild.
ranked as (
    select
        *,
        row_number() over (
            partition by identifier_key
            order by
                precedence asc, coalesce(birth_date <> birth_date_of_pid, false), coalesce(sex <> sex_of_pid, false),
                updated_at desc nulls last, name asc, birth_date asc, sex asc
        ) as evidence_rank
    from compared
),

merged as (
    select
        identifier_key,
        min(pid) as pid,
        min(birth_date_of_pid) as birth_date_of_pid,
        min(sex_of_pid) as sex_of_pid,
        array_agg(distinct source) as sources,
        array_agg(distinct name) filter (where name is not null) as names,
        array_agg(distinct sex) filter (where sex is not null) as sexes,
        array_agg(distinct birth_date) filter (where birth_date is not null) as birth_dates,
        (array_agg(name order by evidence_rank) filter (where name is not null))[1] as name,
        (array_agg(source order by evidence_rank) filter (where name is not null))[1] as name_source,
        (array_agg(sex order by evidence_rank) filter (where sex is not null))[1] as sex,
        (array_agg(source order by evidence_rank) filter (where sex is not null))[1] as sex_source,
        (array_agg(birth_date order by evidence_rank) filter (where birth_date is not null))[1] as birth_date,
        (array_agg(source order by evidence_rank) filter (where birth_date is not null))[1] as birth_date_source
    from ranked
    group by identifier_key
)

select
    identifier_key,
    identifier_key as person_key,
    pid,
    sources,
    name,
    name_source,
    coalesce(names, '{}') as names,
    coalesce(sex, sex_of_pid) as sex,
    coalesce(sex_source, 'identifier') as sex_source,
    coalesce(birth_date, birth_date_of_pid) as birth_date,
    coalesce(birth_date_source, 'identifier') as birth_date_source,
    array_remove(array[
        case when cardinality(names) > 1 then 'name' end,
        case when not (sexes <@ array[sex_of_pid]) then 'sex' end,
        case when not (birth_dates <@ array[birth_date_of_pid]) then 'birth_date' end
    ], null) as conflicts
from merged
