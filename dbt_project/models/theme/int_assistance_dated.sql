-- Every member of every assistance case there ever was, with the time it holds; one without a readable approval date
-- began on an unknown day.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='case_no',
    touched_by={
        'stg_civil_affairs__assisted_household': 'case_no',
        'stg_civil_affairs__assisted_person': 'case_no',
        'base_population__identity': 'identifier_key'
    },
    touches={'case_no': 'case_no', 'person_key': 'person_key'},
    due_keys="
        select member.case_no from {{ ref('stg_civil_affairs__assisted_person') }} as member
        where member.identifier_key in (
            select keys.key::uuid from ({{ touched_since(['base_population__identity'], 'identifier_key') }}) as keys
        )
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
    assisted_household.kind,
    assisted_household.household_no,
    assisted_household.township_code,
    member.relation,
    assisted_household.approved_on,
    assisted_household.ended_on,
    assisted_household.monthly_amount
from member
inner join assisted_household on member.case_no = assisted_household.case_no
