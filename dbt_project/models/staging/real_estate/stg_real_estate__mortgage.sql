-- The current version of one mortgage on one unit, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:real_estate__mortgage': '_row_key'},
    touches={'home_key': 'home_key', 'identifier_key': 'borrower_identifier_key'},
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['home_key']},
        {'columns': ['borrower_identifier_key']}
    ]
) }}

{{ current_version(ref('stg_real_estate__mortgage_typed')) }}
