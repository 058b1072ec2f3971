-- The current version of one person on the watch list against poverty, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:rural_revitalisation__monitored_person': '_row_key'},
    touches={'identifier_key': 'identifier_key'},
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['identifier_key']}
    ]
) }}

{{ current_version(ref('stg_rural_revitalisation__monitored_person_typed')) }}
