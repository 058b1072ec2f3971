-- The current version of one power account, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:power__account': '_row_key'},
    touches={
        'account_key': 'account_key',
        'holder_key': 'holder_key',
        'home_key': 'home_key',
        'identifier_key': 'holder_identifier_key'
    },
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['account_key']},
        {'columns': ['holder_key']},
        {'columns': ['home_key']},
        {'columns': ['holder_identifier_key']}
    ]
) }}

{{ current_version(ref('stg_power__account_typed')) }}
