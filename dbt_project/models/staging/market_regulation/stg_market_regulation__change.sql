-- The current version of one registered change of an entity, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:market_regulation__change': '_row_key'},
    touches={'entity_id': 'entity_id'},
    indexes=[{'columns': ['_row_key'], 'unique': true}, {'columns': ['entity_id']}]
) }}

{{ current_version(ref('stg_market_regulation__change_typed')) }}
