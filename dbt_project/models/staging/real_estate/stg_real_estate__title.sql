-- The current version of one share of one owner in one unit, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:real_estate__title': '_row_key'},
    touches={'identifier_key': 'owner_identifier_key', 'holder_key': 'holder_key', 'home_key': 'home_key'},
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['holder_key']},
        {'columns': ['home_key']},
        {'columns': ['owner_identifier_key']}
    ]
) }}

{{ current_version(ref('stg_real_estate__title_typed')) }}
