-- The highest degree of a person.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='identifier_key',
    touched_by={
        'stg_education__degree': 'identifier_key',
        'base_population__identity': 'identifier_key'
    },
    touches={'identifier_key': 'identifier_key', 'person_key': 'person_key'},
    indexes=[{'columns': ['identifier_key'], 'unique': true}, {'columns': ['person_key']}]
) }}
{%- set of_touched -%}
{% if is_incremental() %} and identifier_key in (select key from {{ touched() }}){% endif %}
{%- endset %}

with degree as (
    select
        *,
        array_position(array['大学专科', '大学本科', '硕士研究生', '博士研究生'], level) as level_no
    from {{ ref('stg_education__degree') }}
    where is_usable{{ of_touched }}
),

identity as (
    select * from {{ ref('base_population__identity') }}
    where true{{ of_touched }}
),

highest as (
    select distinct on (identifier_key) *
    from degree
    order by
        identifier_key asc, level_no desc, graduated_on asc nulls last, college asc nulls last, certificate_no asc
),

counted as (
    select
        identifier_key,
        count(distinct level_no) as level_count
    from degree
    group by identifier_key
)

select
    highest.identifier_key,
    coalesce(identity.person_key, highest.identifier_key) as person_key,
    highest.level,
    cast(highest.level_no as integer) as level_no,
    highest.college,
    highest.graduated_on,
    cast(counted.level_count as integer) as level_count
from highest
inner join counted on highest.identifier_key = counted.identifier_key
left join identity on highest.identifier_key = identity.identifier_key
