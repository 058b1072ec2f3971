-- Who holds or held which office in which organisation; a row written twice is one office.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='identifier_key',
    touched_by={'int_officer_placed': 'identifier_key', 'base_population__identity': 'identifier_key'},
    touches={
        'identifier_key': 'identifier_key', 'person_key': 'person_key', 'organisation_key': 'organisation_key'
    },
    indexes=[{'columns': ['identifier_key']}, {'columns': ['person_key']}, {'columns': ['organisation_key']}]
) }}

with officer as (
    select * from {{ ref('int_officer_placed') }}
    {% if is_incremental() %} where identifier_key in (select key from {{ touched() }}){% endif %}
),

identity as (
    select * from {{ ref('base_population__identity') }}
    {% if is_incremental() %} where identifier_key in (select key from {{ touched() }}){% endif %}
)

select
    officer.organisation_key,
    coalesce(identity.person_key, officer.identifier_key) as person_key,
    officer.identifier_key,
    officer.office_held,
    officer.started_on,
    officer.ended_on,
    cast(max(officer.share_held) as numeric(5, 2)) as share_held,
    cast(count(*) as integer) as row_count
from officer
left join identity on officer.identifier_key = identity.identifier_key
group by
    officer.organisation_key, coalesce(identity.person_key, officer.identifier_key), officer.identifier_key,
    officer.office_held, officer.started_on, officer.ended_on
