-- The current version of one rescue team, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:emergency__rescue_team': '_row_key'},
    touches={'code': 'code', 'address_key': 'address_key'},
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['code']},
        {'columns': ['address_key']}
    ]
) }}

{{ current_version(ref('stg_emergency__rescue_team_typed')) }}
