-- The current version of one e-licence, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:licence_register__licence': '_row_key'},
    touches={'holder_key': 'holder_key', 'identifier_key': 'holder_identifier_key'},
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['holder_key']},
        {'columns': ['holder_identifier_key']}
    ]
) }}

{{ current_version(ref('stg_licence_register__licence_typed')) }}
