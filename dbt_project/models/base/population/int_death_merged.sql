-- What the registers together say of a person's death. The certificate names the day first, then the funeral home, then
-- the police, whose day may be that of cancelling.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='person_key',
    touched_by={
        'base_population__identity': 'person_key',
        'stg_health__death': 'identifier_key',
        'stg_police__cancellation': 'identifier_key',
        'stg_funeral__cremation': 'identifier_key'
    },
    due_keys="{{ touched_people(['stg_health__death', 'stg_police__cancellation', 'stg_funeral__cremation']) }}",
    indexes=[{'columns': ['person_key'], 'unique': true}]
) }}

with identity as (
    select * from {{ ref('base_population__identity') }}
    {% if is_incremental() %} where person_key in (select key from {{ touched() }}){% endif %}
),

death_stated as (
    select * from {{ ref('int_death_stated') }}
),

merged as (
    select
        identity.person_key,
        min(death_stated.died_on) filter (where death_stated.source = 'health') as health_died_on,
        min(death_stated.died_on) filter (where death_stated.source = 'funeral') as funeral_died_on,
        min(death_stated.died_on) filter (where death_stated.source = 'police') as police_died_on,
        min(death_stated.cremated_on) as cremated_on,
        min(death_stated.reported_on) as first_reported_on,
        array_agg(distinct death_stated.source) as sources,
        count(distinct death_stated.died_on) as date_count
    from identity
    inner join death_stated on identity.identifier_key = death_stated.identifier_key
    group by identity.person_key
)

select
    person_key,
    coalesce(health_died_on, funeral_died_on, police_died_on) as died_on,
    case
        when health_died_on is not null then 'health'
        when funeral_died_on is not null then 'funeral'
        when police_died_on is not null then 'police'
    end as died_on_source,
    health_died_on,
    funeral_died_on,
    police_died_on,
    cremated_on,
    first_reported_on,
    sources,
    date_count > 1 as dates_differ
from merged
