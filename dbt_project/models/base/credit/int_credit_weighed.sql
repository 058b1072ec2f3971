-- The weights of the day: what each kind of record counts, for how long, and how much of it once mended.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='category',
    touched_by='everything',
    indexes=[{'columns': ['record_kind', 'category'], 'unique': true}]
) }}

with weight as (
    select * from {{ ref('base_credit_weights') }}
),

build as (
    select * from {{ ref('int_build_dated') }}
)

select
    weight.record_kind,
    weight.category,
    weight.points,
    weight.lasts_months,
    weight.repaired_share,
    weight.valid_from as weight_valid_from
from weight
inner join build
    on
        weight.valid_from <= build.as_of
        and (weight.valid_to is null or weight.valid_to > build.as_of)
