-- Registered taxpayers with the organisation behind each number, what they owe and how the tax office rates them.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='taxpayer_id',
    touched_by={'stg_taxation__taxpayer': 'taxpayer_id', 'int_organisation_resolved': 'source_id'},
    touches={'organisation_key': 'organisation_key'},
    indexes=[{'columns': ['taxpayer_id'], 'unique': true}, {'columns': ['organisation_key']}]
) }}

with taxpayer as (
    select * from {{ ref('stg_taxation__taxpayer') }}
    where
        is_usable
        and taxpayer_id is not null
        {% if is_incremental() %} and cast(taxpayer_id as text) in (select key from {{ touched() }}){% endif %}
),

resolved as (
    select * from {{ ref('int_organisation_resolved') }}
    where
        source = 'taxation.taxpayer'
        {% if is_incremental() %} and source_id in (select key from {{ touched() }}){% endif %}
)

select
    cast(taxpayer.taxpayer_id as text) as taxpayer_id,
    resolved.organisation_key,
    resolved.resolved_by,
    taxpayer.taxpayer_kind,
    taxpayer.credit_level,
    taxpayer.registered_on,
    taxpayer.status,
    cast(coalesce(taxpayer.arrears, 0) as numeric(14, 2)) as arrears,
    taxpayer.arrears_since
from taxpayer
inner join resolved on cast(taxpayer.taxpayer_id as text) = resolved.source_id
