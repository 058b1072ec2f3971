-- The current version of one school, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:education__school': '_row_key'},
    touches={'school_code': 'school_code'},
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['school_code']}
    ]
) }}

{{ current_version(ref('stg_education__school_typed')) }}
