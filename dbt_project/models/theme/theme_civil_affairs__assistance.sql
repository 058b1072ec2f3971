{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='case_no',
    touched_by={
        'stg_civil_affairs__assisted_household': 'case_no',
        'stg_civil_affairs__assisted_person': 'case_no'
    },
    touches={'case_no': 'case_no', 'person_key': 'person_key', 'township_code': 'township_code'},
    due_keys="
        select case_no from {{ ref('stg_civil_affairs__assisted_household') }}
        where (approved_on > std.last_as_of('theme_civil_affairs__assistance') and approved_on <= std.as_of())
            or (ended_on > std.last_as_of('theme_civil_affairs__assistance') and ended_on <= std.as_of())
    ",
    indexes=[{'columns': ['case_no', 'person_key'], 'unique': true}, {'columns': ['person_key']}]
) }}

with assisted_household as (
    select * from {{ ref('stg_civil_affairs__assisted_household') }}
    where
        is_usable
        {% if is_incremental() %} and case_no in (select key from {{ touched() }}){% endif %}
),

assisted_person as (
    select * from {{ ref('stg_civil_affairs__assisted_person') }}
    where
        is_usable
        {% if is_incremental() %} and case_no in (select key from {{ touched() }}){% endif %}
),

identity as (
    select * from {{ ref('base_population__identity') }}
),

build as (
    select * from {{ ref('int_build_dated') }}
),

-- A case without a readable approval date is in force all the same: the date is missing, not the approval.
in_force as (
    select assisted_household.*
    from assisted_household
    where
        (assisted_household.approved_on is null or assisted_household.approved_on <= (select build.as_of from build))
        and (assisted_household.ended_on is null or assisted_household.ended_on > (select build.as_of from build))
),

-- A person entered twice in one case is one member of it.
member as (
    select distinct on (assisted_person.case_no, identity.person_key)
        assisted_person.case_no,
        identity.person_key,
        assisted_person.relation
    from assisted_person
    inner join identity on assisted_person.identifier_key = identity.identifier_key
    order by assisted_person.case_no, identity.person_key, assisted_person.relation
)

select
    member.case_no,
    member.person_key,
    in_force.kind,
    in_force.household_no,
    in_force.township_code,
    member.relation,
    in_force.approved_on,
    in_force.ended_on,
    in_force.monthly_amount
from member
inner join in_force on member.case_no = in_force.case_no
