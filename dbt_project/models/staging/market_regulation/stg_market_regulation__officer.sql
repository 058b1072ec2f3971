-- The current version of one office held by a person, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:market_regulation__officer': '_row_key'},
    touches={'entity_id': 'entity_id', 'identifier_key': 'identifier_key'},
    indexes=[{'columns': ['_row_key'], 'unique': true}, {'columns': ['entity_id']}, {'columns': ['identifier_key']}]
) }}

{{ current_version(ref('stg_market_regulation__officer_typed')) }}
