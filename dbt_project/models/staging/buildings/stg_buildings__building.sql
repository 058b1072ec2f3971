-- The current version of one building, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:buildings__building': '_row_key'},
    touches={'building_key': 'building_key', 'address_key': 'address_key'},
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['building_key']},
        {'columns': ['address_key']}
    ]
) }}

{{ current_version(ref('stg_buildings__building_typed')) }}
