-- The crosswalk from an identifier to the person: a valid number is a person of its own; a record without one belongs
-- to whom linkage found, or is a person nobody else knows. Facts join on identifier_key; a merge or split changes it.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='identifier_key',
    touched_by={
        'int_identity_merged': 'identifier_key',
        'int_record_described': 'identifier_key',
        'linkage:match': 'identifier_key'
    },
    touches={'identifier_key': 'identifier_key', 'person_key': 'person_key'},
    indexes=[{'columns': ['identifier_key'], 'unique': true}, {'columns': ['person_key']}]
) }}
{%- set touched_keys -%}
{% if is_incremental() %} and identifier_key in (select key from {{ touched() }}){% endif %}
{%- endset %}

with merged as (
    select * from {{ ref('int_identity_merged') }}
    where true{{ touched_keys }}
),

unnumbered as (
    select * from {{ ref('int_record_described') }}
    where true{{ touched_keys }}
),

linked as (
    select * from {{ source('linkage', 'match') }}
    where true{{ touched_keys }}
)

select
    identifier_key,
    identifier_key as person_key,
    'number' as identifier_kind,
    'number' as method,
    cast(null as double precision) as match_probability,
    cast(null as double precision) as match_weight,
    cast(null as text) as model_version,
    pid,
    name,
    sex,
    birth_date,
    cast(extract(year from birth_date) as integer) as birth_year,
    sources
from merged
union all
select
    unnumbered.identifier_key,
    coalesce(linked.person_key, unnumbered.identifier_key) as person_key,
    'record' as identifier_kind,
    coalesce(linked.method, 'alone') as method,
    linked.match_probability,
    linked.match_weight,
    linked.model_version,
    null as pid,
    unnumbered.name,
    unnumbered.sex,
    unnumbered.birth_date,
    unnumbered.birth_year,
    array[split_part(unnumbered.source, '.', 1)] as sources
from unnumbered
left join linked on unnumbered.identifier_key = linked.identifier_key
