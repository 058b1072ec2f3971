-- The current version of one assistance case of a household, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:civil_affairs__assisted_household': '_row_key'},
    touches={'case_no': 'case_no'},
    indexes=[{'columns': ['_row_key'], 'unique': true}, {'columns': ['case_no']}]
) }}

{{ current_version(ref('stg_civil_affairs__assisted_household_typed')) }}
