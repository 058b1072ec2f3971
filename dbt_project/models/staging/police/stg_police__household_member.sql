-- The current version of one person in one household, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:police__household_member': '_row_key'},
    touches={'identifier_key': 'identifier_key', 'household_no': 'household_no'},
    indexes=[
        {'columns': ['_row_key'], 'unique': true}, {'columns': ['identifier_key']}, {'columns': ['household_no']}
    ]
) }}

{{ current_version(ref('stg_police__household_member_typed')) }}
