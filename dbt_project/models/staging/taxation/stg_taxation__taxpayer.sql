-- The current version of one registered taxpayer, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:taxation__taxpayer': '_row_key'},
    touches={'taxpayer_id': 'taxpayer_id', 'address_key': 'address_key'},
    indexes=[{'columns': ['_row_key'], 'unique': true}, {'columns': ['taxpayer_id']}, {'columns': ['address_key']}]
) }}

{{ current_version(ref('stg_taxation__taxpayer_typed')) }}
