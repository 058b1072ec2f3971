-- The current version of one digitised page of the marriage archive, with the regions that the addresses name.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by={'source:marriage_archive__record': '_row_key', 'int_region_named': '*'},
    touches={
        'identifier_key': 'unnest(array[husband_identifier_key, wife_identifier_key])',
        'husband_identifier_key': 'husband_identifier_key',
        'wife_identifier_key': 'wife_identifier_key'
    },
    indexes=[
        {'columns': ['_row_key'], 'unique': true},
        {'columns': ['husband_identifier_key']},
        {'columns': ['wife_identifier_key']}
    ]
) }}

with current_record as (
    {{ current_version(ref('stg_marriage_archive__record_typed')) }}
)

select
    current_record.*,
    {{ named_region('current_record.husband_address') }} as husband_region_code,
    {{ named_region('current_record.wife_address') }} as wife_region_code
from current_record
