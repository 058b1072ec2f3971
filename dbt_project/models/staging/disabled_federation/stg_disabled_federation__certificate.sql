-- The current version of one certificate of a disabled person, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:disabled_federation__certificate': '_row_key'},
    touches={'identifier_key': 'identifier_key'},
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['identifier_key']}
    ]
) }}

{{ current_version(ref('stg_disabled_federation__certificate_typed')) }}
