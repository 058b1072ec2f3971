-- The current version of one social organisation, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:organisations__social_organisation': '_row_key'},
    touches={'address_key': 'address_key'},
    indexes=[{'columns': ['_row_key'], 'unique': true}, {'columns': ['address_key']}]
) }}

{{ current_version(ref('stg_organisations__social_organisation_typed')) }}
