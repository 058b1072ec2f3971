-- The current version of one registration of a marriage or divorce, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:marriage_registry__registration': '_row_key'},
    touches={
        'identifier_key': 'unnest(array[husband_identifier_key, wife_identifier_key])',
        'husband_identifier_key': 'husband_identifier_key',
        'wife_identifier_key': 'wife_identifier_key'
    },
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['husband_identifier_key']},
        {'columns': ['wife_identifier_key']}
    ]
) }}

{{ current_version(ref('stg_marriage_registry__registration_typed')) }}
