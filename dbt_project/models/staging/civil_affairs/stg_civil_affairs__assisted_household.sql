-- The current version of one assistance case of a household, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:civil_affairs__assisted_household': '_row_key'},
    touches={'case_no': 'case_no'},
    indexes=[{'columns': ['_row_key'], 'unique': true}, {'columns': ['case_no']}]
) }}

with typed as (
    select * from {{ ref('stg_civil_affairs__assisted_household_typed') }}
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
