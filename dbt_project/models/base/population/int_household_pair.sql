-- Two people in one household at the same time, by the police's books; each pair from both sides.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='household_no',
    touched_by={'stg_police__household_member': 'household_no'},
    touches={'identifier_key': 'unnest(array[identifier_key, relative_identifier_key])'},
    indexes=[
        {'columns': ['household_no']}, {'columns': ['identifier_key']}, {'columns': ['relative_identifier_key']}
    ]
) }}

with household_member as (
    select * from {{ ref('stg_police__household_member') }}
    where
        is_usable
        {% if is_incremental() %} and household_no in (select key from {{ touched() }}){% endif %}
),

-- A dormitory's collective household makes nobody kin, and thousands of members would make millions of pairs.
family as (
    select household_no
    from household_member
    group by household_no
    having count(distinct identifier_key) <= 30
),

together as (
    select distinct
        member.household_no,
        member.identifier_key,
        member.relation,
        mate.identifier_key as relative_identifier_key,
        mate.relation as relative_relation,
        case
            when member.joined_on is not null and mate.joined_on is not null
                then greatest(member.joined_on, mate.joined_on)
        end as from_date,
        least(member.left_on, mate.left_on) as to_date
    from household_member as member
    inner join family on member.household_no = family.household_no
    inner join household_member as mate on member.household_no = mate.household_no
    where
        member.identifier_key <> mate.identifier_key
        and coalesce(member.joined_on < mate.left_on, true)
        and coalesce(mate.joined_on < member.left_on, true)
)

select
    *,
    -- What tells one time of the two from another.
    format('%s/%s/%s/%s/%s', household_no, relation, relative_relation, from_date, to_date) as pair_no
from together
