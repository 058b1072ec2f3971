-- The current version of one payment of one award, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:civil_affairs__subsidy_payment': '_row_key'},
    touches={'identifier_key': 'identifier_key', 'award_no': 'award_no'},
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['identifier_key']},
        {'columns': ['award_no']}
    ]
) }}

{{ current_version(ref('stg_civil_affairs__subsidy_payment_typed')) }}
