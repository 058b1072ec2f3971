-- Offices with the organisation they are held in.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='entity_id',
    touched_by={'stg_market_regulation__officer': 'entity_id', 'int_organisation_resolved': 'source_id'},
    touches={'entity_id': 'entity_id', 'identifier_key': 'identifier_key'},
    indexes=[
        {'columns': ['officer_id'], 'unique': true}, {'columns': ['entity_id']}, {'columns': ['identifier_key']}
    ]
) }}

with officer as (
    select * from {{ ref('stg_market_regulation__officer') }}
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

select
    officer.officer_id,
    cast(officer.entity_id as text) as entity_id,
    officer.identifier_key,
    entity.organisation_key,
    officer.office_held,
    officer.share_held,
    officer.started_on,
    officer.ended_on
from officer
inner join entity on cast(officer.entity_id as text) = entity.source_id
