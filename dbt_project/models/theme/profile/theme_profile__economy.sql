-- Tags of offices in organisations, licences and public credit, each a column of the YAML beside (docs/tags.md).
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='person_key',
    touched_by={
        'base_population__person': 'person_key',
        'base_legal_person__officer': 'person_key',
        'base_licence__licence': 'person_key',
        'base_credit__subject': 'person_key'
    },
    due_keys="
        {{ tags_due() }}
        union all
        select person_key from {{ ref('base_legal_person__officer') }}
        where {{ fell_due('ended_on') }} or {{ fell_due('started_on') }}
    ",
    indexes=[{'columns': ['person_key'], 'unique': true}]
) }}

with person as (
    select * from {{ ref('base_population__person') }}
    where {{ of_touched_people() }}
),

officer as (
    select * from {{ ref('base_legal_person__officer') }}
    where {{ of_touched_people() }}
),

licence as (
    select * from {{ ref('base_licence__licence') }}
    where {{ of_touched_people() }}
),

credit_subject as (
    select * from {{ ref('base_credit__subject') }}
    where {{ of_touched_people() }}
),

build as (
    select * from {{ ref('int_build_dated') }}
),

office as (
    select
        officer.*,
        coalesce(officer.started_on <= build.as_of, true) and coalesce(officer.ended_on > build.as_of, true)
            as is_held,
        officer.ended_on <= build.as_of as is_over
    from officer
    cross join build
),

held as (
    select
        person_key,
        count(distinct organisation_key) as ever_count,
        count(distinct organisation_key) filter (where is_held) as held_count,
        count(distinct organisation_key) filter (where is_held and office_held = '法定代表人') as headed_count,
        count(distinct organisation_key) filter (where is_held and office_held = '股东') as owned_count,
        max(share_held) filter (where is_held) as largest_share,
        array_agg(distinct office_held) filter (where is_held) as offices,
        max(started_on) filter (where is_held) as last_started_on,
        max(ended_on) filter (where is_over) as last_ended_on
    from office
    group by person_key
),

licensed as (
    select
        person_key,
        count(*) filter (where status = 'valid') as valid_count,
        count(*) filter (where status = 'expired') as expired_count,
        count(*) filter (where status = 'revoked') as revoked_count,
        array_agg(distinct type_code) filter (where status = 'valid' and type_code is not null) as valid_types,
        min(valid_until) filter (where status = 'valid') as licence_ends_on,
        max(issued_on) as last_issued_on
    from licence
    group by person_key
),

subject as materialized (
    select
        {{ tag_basics() }},
        held.ever_count,
        coalesce(held.held_count, 0) as held_count,
        coalesce(held.headed_count, 0) as headed_count,
        coalesce(held.owned_count, 0) as owned_count,
        held.largest_share,
        held.offices,
        held.last_started_on,
        held.last_ended_on,
        coalesce(licensed.valid_count, 0) as valid_count,
        licensed.expired_count,
        licensed.revoked_count,
        licensed.valid_types,
        licensed.licence_ends_on,
        licensed.last_issued_on,
        credit_subject.grade as credit_grade,
        credit_subject.listing_count,
        credit_subject.penalty_count,
        credit_subject.reward_count,
        credit_subject.repaired_count
    from person
    cross join build
    left join held on person.person_key = held.person_key
    left join licensed on person.person_key = licensed.person_key
    left join credit_subject on person.person_key = credit_subject.person_key
)

select {{ tags('subject') }}
from subject
