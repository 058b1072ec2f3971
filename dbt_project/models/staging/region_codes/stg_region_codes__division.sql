-- The current version of one administrative division, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:region_codes__division': '_row_key'},
    touches={'code': 'code'},
    indexes=[{'columns': ['_row_key'], 'unique': true}]
) }}

{{ current_version(ref('stg_region_codes__division_typed')) }}
