-- The current version of one social organisation, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:organisations__social_organisation': '_row_key'},
    indexes=[{'columns': ['_row_key'], 'unique': true}]
) }}

{{ current_version(ref('stg_organisations__social_organisation_typed')) }}
