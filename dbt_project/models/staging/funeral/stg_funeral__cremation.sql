-- The current version of one cremation, with the region that the address names.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:funeral__cremation': '_row_key', 'int_region_named': '*'},
    touches={'identifier_key': 'identifier_key'},
    indexes=[{'columns': ['_row_key'], 'unique': true}, {'columns': ['identifier_key']}]
) }}

with current_cremation as (
    {{ current_version(ref('stg_funeral__cremation_typed')) }}
)

select
    current_cremation.*,
    {{ named_region('current_cremation.address') }} as region_code
from current_cremation
