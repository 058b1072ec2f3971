-- The current version of one discharge permit, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:ecology__permit': '_row_key'},
    touches={'permit_no': 'permit_no', 'address_key': 'address_key', 'uscc': 'uscc'},
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['permit_no']},
        {'columns': ['address_key']},
        {'columns': ['uscc']}
    ]
) }}

{{ current_version(ref('stg_ecology__permit_typed')) }}
