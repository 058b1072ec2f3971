-- The current version of one facility of medical insurance, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:medical_insurance__facility': '_row_key'},
    touches={'facility_code': 'facility_code'},
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['facility_code']}
    ]
) }}

{{ current_version(ref('stg_medical_insurance__facility_typed')) }}
