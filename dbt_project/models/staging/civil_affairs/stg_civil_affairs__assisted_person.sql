-- The current version of one person in one assistance case, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:civil_affairs__assisted_person': '_row_key'},
    touches={'identifier_key': 'identifier_key', 'case_no': 'case_no'},
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['identifier_key']},
        {'columns': ['case_no']}
    ]
) }}

{{ current_version(ref('stg_civil_affairs__assisted_person_typed')) }}
