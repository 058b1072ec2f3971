-- The current version of one abolished division and its successor, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:region_codes__change': '_row_key'},
    touches={'old_code': 'old_code', 'new_code': 'new_code'},
    indexes=[{'columns': ['_row_key'], 'unique': true}]
) }}

{{ current_version(ref('stg_region_codes__change_typed')) }}
