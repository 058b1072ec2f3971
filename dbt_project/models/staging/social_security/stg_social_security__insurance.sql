-- The current version of one insurance of a person, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:social_security__insurance': '_row_key'},
    touches={'identifier_key': 'identifier_key', 'name': 'name'},
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['identifier_key']},
        {'columns': ['name']}
    ]
) }}

{{ current_version(ref('stg_social_security__insurance_typed')) }}
