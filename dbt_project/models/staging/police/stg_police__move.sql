-- The current version of one move of a hukou, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:police__move': '_row_key'},
    touches={'identifier_key': 'identifier_key'},
    indexes=[{'columns': ['_row_key'], 'unique': true}, {'columns': ['identifier_key']}]
) }}

with typed as (
    select * from {{ ref('stg_police__move_typed') }}
    {% if is_incremental() -%}
    where _row_key in (select key::uuid from {{ touched() }})
    {%- endif %}
),

claimed as (
    select * from {{ source('ops', 'build_batch') }}
),

latest as (
    select distinct on (typed._row_key) typed.*
    from typed
    inner join claimed on typed._batch_id = claimed.batch_id
    order by typed._row_key asc, typed._batch_id desc
)

select * from latest
where _op <> 'D'
