-- Registered changes with the organisation they are of; a row written twice is one change.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='entity_id',
    touched_by={'stg_market_regulation__change': 'entity_id', 'int_organisation_resolved': 'source_id'},
    touches={'organisation_key': 'organisation_key'},
    indexes=[{'columns': ['entity_id']}, {'columns': ['organisation_key']}]
) }}

with change as (
    select * from {{ ref('stg_market_regulation__change') }}
    where
        is_usable
        {% if is_incremental() %} and cast(entity_id as text) in (select key from {{ touched() }}){% endif %}
),

entity as (
    select * from {{ ref('int_organisation_resolved') }}
    where
        source = 'market_regulation.entity'
        {% if is_incremental() %} and source_id in (select key from {{ touched() }}){% endif %}
)

select distinct
    cast(change.entity_id as text) as entity_id,
    entity.organisation_key,
    change.item,
    change.changed_on,
    change.before_value,
    change.after_value
from change
inner join entity on cast(change.entity_id as text) = entity.source_id
