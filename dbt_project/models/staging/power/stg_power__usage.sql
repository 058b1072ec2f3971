-- The current version of one bill of one power account for one month, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:power__usage': '_row_key'},
    touches={'account_key': 'account_key'},
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['account_key']}
    ]
) }}

{{ current_version(ref('stg_power__usage_typed')) }}
