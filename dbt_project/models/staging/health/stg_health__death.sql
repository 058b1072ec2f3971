-- The current version of one death certificate, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:health__death': '_row_key'},
    touches={'identifier_key': 'identifier_key', 'name': 'name'},
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['identifier_key']},
        {'columns': ['name']}
    ]
) }}

{{ current_version(ref('stg_health__death_typed')) }}
