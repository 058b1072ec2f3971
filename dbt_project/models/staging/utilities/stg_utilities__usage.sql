-- The current version of one bill of water or gas for one month, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:utilities__usage': '_row_key'},
    touches={'account_key': 'account_key'},
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['account_key']}
    ]
) }}

{{ current_version(ref('stg_utilities__usage_typed')) }}
