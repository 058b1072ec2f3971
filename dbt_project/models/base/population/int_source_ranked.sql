-- Which source table speaks first for each attribute of a person on the day of the build; two digits, 99: never asked.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='source',
    touched_by='everything',
    touches={'source': 'source'},
    indexes=[{'columns': ['source'], 'unique': true}]
) }}

with precedence as (
    select * from {{ ref('base_source_precedence') }}
),

build as (
    select * from {{ ref('int_build_dated') }}
),

in_force as (
    select
        precedence.source,
        precedence.attribute,
        lpad(cast(precedence.rank as text), 2, '0') as rank_text
    from precedence
    inner join build
        on
            precedence.valid_from <= build.as_of
            and (precedence.valid_to is null or precedence.valid_to > build.as_of)
    where precedence.subject = 'person'
)

select
    source,
    {%- for attribute in [
        'name', 'sex', 'birth_date', 'nation', 'hukou_type', 'village_code', 'household_no', 'relation', 'phone', 'died_on'
    ] %}
    coalesce(min(rank_text) filter (where attribute = '{{ attribute }}'), '99') as {{ attribute }}_rank
    {%- if not loop.last %},{% endif %}
    {%- endfor %}
from in_force
group by source
