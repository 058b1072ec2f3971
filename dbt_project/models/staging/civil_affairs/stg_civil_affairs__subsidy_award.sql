-- The current version of one award of a subsidy to a person, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:civil_affairs__subsidy_award': '_row_key'},
    touches={'identifier_key': 'identifier_key', 'name': 'name', 'award_no': 'award_no'},
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['identifier_key']},
        {'columns': ['name']},
        {'columns': ['award_no']}
    ]
) }}

{{ current_version(ref('stg_civil_affairs__subsidy_award_typed')) }}
