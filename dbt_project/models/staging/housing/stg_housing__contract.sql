-- The current version of one contract of sale or rent, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:housing__contract': '_row_key'},
    touches={
        'party_key': 'unnest(array[seller_key, buyer_key])',
        'identifier_key': 'unnest(array[seller_identifier_key, buyer_identifier_key])'
    },
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['seller_key']},
        {'columns': ['buyer_key']},
        {'columns': ['seller_identifier_key']},
        {'columns': ['buyer_identifier_key']}
    ]
) }}

{{ current_version(ref('stg_housing__contract_typed')) }}
