-- Each pension insurance relation with the person and the township they belong to now.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='identifier_key',
    touched_by={
        'stg_social_security__insurance': 'identifier_key',
        'base_population__identity': 'identifier_key',
        'base_population__person': 'person_key'
    },
    touches={
        'identifier_key': 'identifier_key', 'person_key': 'person_key', 'township_code': 'township_code'
    },
    due_keys="{{ identifiers_of(['base_population__person']) }}",
    indexes=[
        {'columns': ['identifier_key', 'insurance_id'], 'unique': true},
        {'columns': ['person_key']}, {'columns': ['township_code']}
    ]
) }}
{%- set of_touched -%}
{% if is_incremental() %} and identifier_key in (select key from {{ touched() }}){% endif %}
{%- endset %}

with identity as (
    select * from {{ ref('base_population__identity') }}
    where true{{ of_touched }}
),

insurance as (
    select * from {{ ref('stg_social_security__insurance') }}
    where is_usable{{ of_touched }}
),

person as (
    select * from {{ ref('base_population__person') }}
),

-- A second row of the same relation is a repeat; one still in force goes before one that ended.
numbered as (
    select
        *,
        row_number() over (
            partition by identifier_key, insurance_kind
            order by status = '停保' asc, started_on desc nulls last, updated_at desc nulls last, insurance_id asc
        ) > 1 as is_repeat
    from insurance
)

select
    numbered.insurance_id,
    numbered.identifier_key,
    coalesce(identity.person_key, numbered.identifier_key) as person_key,
    numbered.insurance_kind,
    numbered.status,
    numbered.started_on,
    numbered.ended_on,
    numbered.monthly_benefit,
    person.township_code,
    coalesce(person.is_resident, false) as is_resident,
    numbered.is_repeat,
    not numbered.is_repeat and coalesce(numbered.status in ('参保', '领取'), false) as is_in_force,
    numbered.status = '领取' and person.died_on is not null as is_drawn_after_death
from numbered
left join identity on numbered.identifier_key = identity.identifier_key
left join person on coalesce(identity.person_key, numbered.identifier_key) = person.person_key
