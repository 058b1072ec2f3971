-- What each organisation was called, and when: the names that registered changes ended, then the name of today.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='organisation_key',
    touched_by={
        'int_organisation_resolved': 'organisation_key',
        'base_legal_person__organisation': 'organisation_key'
    },
    indexes=[{'columns': ['organisation_key', 'name_no'], 'unique': true}, {'columns': ['name']}]
) }}

with former as (
    select distinct
        organisation_key,
        former_name as name,
        former_until as valid_until
    from {{ ref('int_organisation_resolved') }}
    where
        former_name is not null
        {% if is_incremental() %} and organisation_key in (select key from {{ touched() }}){% endif %}
),

organisation as (
    select * from {{ ref('base_legal_person__organisation') }}
    where
        name is not null
        {% if is_incremental() %} and organisation_key in (select key from {{ touched() }}){% endif %}
),

borne as (
    select * from former
    union all
    select
        organisation_key,
        name,
        cast(null as date) as valid_until
    from organisation
),

following as (
    select
        organisation_key,
        name,
        valid_until,
        row_number() over borne_in_turn as name_no,
        lag(valid_until) over borne_in_turn as valid_from
    from borne
    window borne_in_turn as (partition by organisation_key order by valid_until asc nulls last, name asc)
)

select
    following.organisation_key,
    cast(following.name_no as integer) as name_no,
    following.name,
    coalesce(following.valid_from, organisation.established_on) as valid_from,
    following.valid_until
from following
left join organisation on following.organisation_key = organisation.organisation_key
