-- The current version of one loan of one person, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:provident_fund__loan': '_row_key'},
    touches={'identifier_key': 'identifier_key'},
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['identifier_key']}
    ]
) }}

{{ current_version(ref('stg_provident_fund__loan_typed')) }}
