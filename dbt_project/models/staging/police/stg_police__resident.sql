-- The current version of one registered resident, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:police__resident': '_row_key'},
    touches={'identifier_key': 'identifier_key', 'name': 'name', 'household_no': 'household_no'},
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['identifier_key']},
        {'columns': ['name']},
        {'columns': ['household_no']}
    ]
) }}

{{ current_version(ref('stg_police__resident_typed')) }}
