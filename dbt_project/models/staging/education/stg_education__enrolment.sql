-- The current version of one time of a pupil on a school's roll, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:education__enrolment': '_row_key'},
    touches={'identifier_key': 'identifier_key', 'school_code': 'school_code'},
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['identifier_key']},
        {'columns': ['school_code']}
    ]
) }}

{{ current_version(ref('stg_education__enrolment_typed')) }}
