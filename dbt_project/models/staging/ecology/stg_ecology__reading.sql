-- The current version of one measured discharge, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:ecology__reading': '_row_key'},
    touches={'reading_no': 'reading_no', 'permit_no': 'permit_no'},
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['reading_no']},
        {'columns': ['permit_no']}
    ]
) }}

{{ current_version(ref('stg_ecology__reading_typed')) }}
