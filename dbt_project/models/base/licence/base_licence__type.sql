-- The kinds of licences there are, as the city's catalogue lists them.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='type_code',
    touched_by='everything',
    indexes=[{'columns': ['type_code'], 'unique': true}]
) }}

select
    type_code,
    label,
    issuing_department,
    holder_kind,
    validity_years
from {{ ref('base_licence_catalogue') }}
