-- The current version of one payment of tax, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:taxation__payment': '_row_key'},
    touches={'taxpayer_identifier': 'taxpayer_identifier'},
    indexes=[{'columns': ['_row_key'], 'unique': true}, {'columns': ['taxpayer_identifier']}]
) }}

{{ current_version(ref('stg_taxation__payment_typed')) }}
