-- The current version of one account of water, gas or heat, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:utilities__account': '_row_key'},
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

{{ current_version(ref('stg_utilities__account_typed')) }}
