-- The current version of one vehicle, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:transport__vehicle': '_row_key'},
    touches={'owner_key': 'owner_key', 'identifier_key': 'owner_identifier_key'},
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['owner_key']},
        {'columns': ['owner_identifier_key']}
    ]
) }}

{{ current_version(ref('stg_transport__vehicle_typed')) }}
