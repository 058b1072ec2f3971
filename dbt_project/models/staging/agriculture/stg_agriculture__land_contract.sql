-- The current version of one contract of rural land, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:agriculture__land_contract': '_row_key'},
    touches={'identifier_key': 'identifier_key', 'village_code': 'village_code'},
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['identifier_key']},
        {'columns': ['village_code']}
    ]
) }}

{{ current_version(ref('stg_agriculture__land_contract_typed')) }}
