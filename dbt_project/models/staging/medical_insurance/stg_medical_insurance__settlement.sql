-- The current version of one settlement of medical insurance, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:medical_insurance__settlement': '_row_key'},
    touches={'identifier_key': 'identifier_key', 'facility_code': 'facility_code'},
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['identifier_key']},
        {'columns': ['facility_code']}
    ]
) }}

{{ current_version(ref('stg_medical_insurance__settlement_typed')) }}
