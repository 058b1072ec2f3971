-- The current version of one birth certificate, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:health__birth': '_row_key'},
    touches={
        'identifier_key': 'unnest(array[child_identifier_key, mother_identifier_key, father_identifier_key])',
        'child_identifier_key': 'child_identifier_key'
    },
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['child_identifier_key']},
        {'columns': ['mother_identifier_key']},
        {'columns': ['father_identifier_key']}
    ]
) }}

{{ current_version(ref('stg_health__birth_typed')) }}
