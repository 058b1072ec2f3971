-- The current version of one firm, shop or cooperative, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:market_regulation__entity': '_row_key'},
    touches={
        'identifier_key': 'representative_identifier_key',
        'entity_id': 'entity_id',
        'address_key': 'address_key'
    },
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['entity_id']},
        {'columns': ['representative_identifier_key']},
        {'columns': ['address_key']}
    ]
) }}

{{ current_version(ref('stg_market_regulation__entity_typed')) }}
