-- The current version of one public record on a person or organisation, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:credit__record': '_row_key'},
    touches={'identifier_key': 'identifier_key', 'subject_identifier': 'subject_identifier'},
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['subject_identifier']},
        {'columns': ['identifier_key']}
    ]
) }}

{{ current_version(ref('stg_credit__record_typed')) }}
