-- The current version of one registered enterprise, over the batches that builds have claimed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:enterprise_registry__enterprise': '_row_key'},
    touches={'uscc': 'uscc', 'name': 'name', 'organisation': 'coalesce(uscc, name)', 'address_key': 'address_key'},
    indexes=[
        {'columns': ['_row_key'], 'unique': true}, {'columns': ['uscc']}, {'columns': ['name']}, {'columns': ['address_key']}
    ]
) }}

{{ current_version(ref('stg_enterprise_registry__enterprise_typed')) }}
