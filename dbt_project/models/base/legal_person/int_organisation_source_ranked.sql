-- Which source table speaks first for each attribute of an organisation on the day of the build.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='source',
    touched_by='everything',
    indexes=[{'columns': ['source', 'attribute'], 'unique': true}]
) }}

with precedence as (
    select * from {{ ref('base_source_precedence') }}
    where subject = 'organisation'
),

build as (
    select * from {{ ref('int_build_dated') }}
)

select
    precedence.source,
    precedence.attribute,
    cast(min(precedence.rank) as integer) as rank
from precedence
inner join build
    on
        precedence.valid_from <= build.as_of
        and (precedence.valid_to is null or precedence.valid_to > build.as_of)
group by precedence.source, precedence.attribute
