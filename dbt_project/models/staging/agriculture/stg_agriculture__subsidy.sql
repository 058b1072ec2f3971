-- The current version of one payment of a farm subsidy, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:agriculture__subsidy': '_row_key'},
    touches={'identifier_key': 'identifier_key', 'claim_key': 'claim_key'},
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['identifier_key']},
        {'columns': ['claim_key']}
    ]
) }}

{{ current_version(ref('stg_agriculture__subsidy_typed')) }}
